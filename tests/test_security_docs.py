"""docs/security.md: every test it names exists, every requirement of the standard is there once, and its figures are those of its table."""

from __future__ import annotations

import re
from collections import Counter

from kit.settings import ROOT
from tests.security.test_advisories import exists

REQUIREMENTS = {1: 27, 2: 11, 3: 19, 4: 10, 5: 9, 6: 35, 7: 18, 8: 7, 9: 7, 10: 29, 11: 14, 12: 9, 13: 13, 14: 9, 15: 13, 16: 16, 17: 7}
"""How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has, counted in the standard's own list."""
STATUSES = {"met", "not applicable", "**not met**"}

Row = tuple[str, str, str, str]


def text() -> str:
    """The document."""
    return (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def rows(document: str) -> list[Row]:
    """Number, subject, status and evidence of each requirement."""
    return [(row[0], row[1], row[2], row[3]) for row in re.findall(r"^\| (V\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.+) \|$", document, re.MULTILINE)]


def named_tests(evidence: str) -> list[str]:
    """The tests, or whole files of tests, that a row names."""
    return re.findall(r"`(tests/[^`]+)`", evidence)


def wrong_with(row: Row) -> list[str]:
    """What a row lacks."""
    number, _, status, evidence = row
    missing = [test for test in named_tests(evidence) if not (exists(test) if "::" in test else (ROOT / test).is_file())]
    wrong = [f"{number}: there is no {test}" for test in missing]
    if status not in STATUSES:
        wrong.append(f"{number}: unknown status {status}")
    if len(evidence) < 4:
        wrong.append(f"{number}: says nothing")
    return wrong


def test_every_row_names_tests_that_exist_or_says_why_there_is_none() -> None:
    """A test that was renamed or removed takes its requirement with it."""
    assert [wrong for row in rows(text()) for wrong in wrong_with(row)] == []


def test_a_row_that_names_no_test_is_found() -> None:
    """A missing function, a missing file, an unknown status, nothing said."""
    for row in (
        ("V1.1.1", "x", "met", "`tests/test_security_docs.py::gone`"),
        ("V1.1.1", "x", "met", "`tests/gone.py`"),
        ("V1.1.1", "x", "fine", "because"),
        ("V1.1.1", "x", "met", "-"),
    ):
        assert wrong_with(row)


def test_every_requirement_is_there_once() -> None:
    """All of levels 1 and 2, chapter by chapter."""
    numbers = [number for number, *_ in rows(text())]
    assert len(numbers) == len(set(numbers)) == sum(REQUIREMENTS.values())
    assert Counter(int(number[1:].split(".")[0]) for number in numbers) == REQUIREMENTS


def test_the_figures_are_those_of_the_table() -> None:
    """Counted, not remembered; most of what is met is met by a test that runs."""
    document = text()
    count = Counter(status for _, _, status, _ in rows(document))
    met, missed = count["met"], count["**not met**"]
    assert f"Applicable are {met + missed}; met {met}, not met {missed}: {100 * met / (met + missed):.1f} %" in document
    tested = sum(1 for _, _, status, evidence in rows(document) if status == "met" and named_tests(evidence))
    assert tested >= 0.85 * met, f"{tested} of {met}"
