"""The figures of reliability in small counts: the same programs as ``make faults``, and the same limits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit.failpoints import POINTS, arm
from kit.settings import ROOT
from tests.faults.plan import PARTS, Part
from tests.faults.report import as_document, keep, kept
from tests.faults.rows import Row, row

IN_SHORT = [part for part in PARTS if part.short is not None]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", IN_SHORT, ids=[part.name for part in IN_SHORT])
def test_a_part_in_its_short_form(part: Part, tmp_path: Path) -> None:
    """Every figure is met."""
    assert part.short is not None
    rows = part.short(tmp_path)
    assert rows
    assert [row for row in rows if not row.is_met] == []


def sources() -> list[Path]:
    """What the kit is made of."""
    folders = ("kit", "knowledge_base", "touchpoints", "desk", "widget", "demo", "bot", "actions")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_nothing_in_the_kit_can_set_a_failpoint() -> None:
    """`arm` is named nowhere but where it is defined, and the module reads neither environment nor files."""
    for path in sources():
        if path.name != "failpoints.py":
            assert not re.search(r"failpoints import (?!reach\b)|failpoints\.arm|import failpoints", path.read_text(encoding="utf-8")), path
    own = (ROOT / "kit" / "failpoints.py").read_text(encoding="utf-8")
    assert not re.search(r"environ|getenv|open\(|read_text|settings", own.partition('"""')[2].partition('"""')[2])


def test_every_failpoint_is_reached_somewhere() -> None:
    """And no other name is: a point without a name could never be set."""
    found = {name for path in sources() for name in re.findall(r"\breach\(\"([a-z.]+)\"\)", path.read_text(encoding="utf-8"))}
    assert found == set(POINTS)


def test_an_unknown_failpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="no point"):
        arm("say.wherever")


def test_what_was_found_is_kept_and_written_down(tmp_path: Path) -> None:
    """A missed figure is marked in the document, and counted at its head."""
    part = PARTS[0]
    keep(tmp_path, part.name, [row("lost", "0", "0", "10", met=True), row("doubled", "0", "1", "10", met=False)], 60.0, "abc1234")
    again = kept(tmp_path, part.name)
    assert again is not None
    assert again.rows[0] == Row("lost", "0", "0", "10")
    document = as_document(tmp_path, [part], "abc1234", "2 cores")
    assert "Missed are 1 of 2 figures" in document
    assert "| doubled | 0 | **missed** 1 | 10 |" in document
