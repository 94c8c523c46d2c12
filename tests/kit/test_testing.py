"""`make test` itself: what it reads from each runner, and when it calls the whole well."""

from __future__ import annotations

import sys
import time

import pytest

from kit.advisories import NOT_CHECKED
from kit.testing import Counts, Outcome, Part, count_node, count_nothing, count_pytest, count_rasa, run_part, summary


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ("....\n4 passed in 0.12s", Counts(4, 0)),
        ("=== 1 failed, 12 passed, 2 skipped in 63.20s (0:01:03) ===", Counts(12, 1, 2)),
        ("\x1b[31m== \x1b[31m\x1b[1m3 errors\x1b[0m, 1 failed, 5 passed, 1 warning in 4.20s ==\x1b[0m", Counts(5, 4)),
        ("1 xfailed, 1 xpassed, 1 passed in 1.00s", Counts(1, 1, 1)),
        ("5 passed in 3.1s, said a test\n2 passed in 0.10s\n", Counts(2, 0)),
        ("Segmentation fault", None),
        ("no tests ran in 0.01s", None),
    ],
)
def test_pytest_is_counted(said: str, counts: Counts | None) -> None:
    """From its last line, with or without colours."""
    assert count_pytest(said) == counts


@pytest.mark.parametrize("sign", ["ℹ", "#"])
def test_node_is_counted(sign: str) -> None:
    """Its sum is read in the form of each of its reporters."""
    lines = ("tests 9", "suites 0", "pass 5", "fail 1", "cancelled 1", "skipped 1", "todo 1", "duration_ms 12.5")
    assert count_node("\n".join(f"{sign} {line}" for line in lines)) == Counts(5, 2, 2)
    assert count_node("SyntaxError: pass 1") is None


def test_rasa_is_counted_by_whole_conversations() -> None:
    """Of its two tables only the one of conversations is about whole stories."""
    log = "2026-11-21 19:49:56 INFO     rasa.core.test  - "
    conversations = f"{log}Evaluation Results on CONVERSATION level:\n{log}\tCorrect:          40 / 41\n"
    actions = f"{log}Evaluation Results on ACTION level:\n{log}\tCorrect:          300 / 302\n"
    assert count_rasa(actions + conversations + actions) == Counts(40, 1)
    assert count_rasa("No model found") is None


def part(code: str, limit_s: float = 30.0) -> Part:
    return Part("a part", [sys.executable, "-c", code], count_pytest, limit_s=limit_s)


def test_a_part_is_passed_on_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """One sees what it says while it says it."""
    said: list[str] = []
    outcome = run_part(part("print('2 passed in 0.1s')"), {}, said.append)
    assert "2 passed in 0.1s" in said
    assert (outcome.counts, outcome.code, outcome.is_well) == (Counts(2), 0, True)


@pytest.mark.parametrize("end", ["time.sleep(60)", "sys.exit(0)"])
def test_a_part_that_hangs_is_ended_with_its_children(end: str) -> None:
    """Also one that has ended itself, but left a child that holds its output open."""
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-W', 'ignore', '-c', 'import time; time.sleep(60)']); {end}"
    began = time.monotonic()
    outcome = run_part(part(code, limit_s=1.0), {}, lambda text: None)
    assert time.monotonic() - began < 20
    assert not outcome.is_well or end == "sys.exit(0)"


def test_a_runner_without_counts_is_one_test() -> None:
    """ruff and mypy say yes or no."""
    yes, no = (Part("check", [sys.executable, "-c", f"raise SystemExit({code})"], count_nothing) for code in (0, 1))
    assert run_part(yes, {}, lambda text: None).counts == Counts(1)
    assert run_part(no, {}, lambda text: None).counts == Counts(0, 1)


@pytest.mark.parametrize(
    ("counts", "code", "well"),
    [
        (Counts(5), 0, True),
        (Counts(5, 1), 1, False),
        (Counts(5), 1, False),
        (Counts(5, 0, 1), 0, False),
        (Counts(0), 0, False),
    ],
)
def test_only_what_ran_whole_is_well(counts: Counts, code: int, well: bool) -> None:
    """A failure, a crash after the last test, a skipped test and no test at all are none of them well."""
    assert Outcome("tests", counts, code, 1.0).is_well is well


def test_the_last_line_sums_everything_up() -> None:
    """A part that broke down without a failed test counts as one failure, so the sum never looks better than the exit code."""
    outcomes = [
        Outcome("ruff", Counts(1), 0, 1.0),
        Outcome("tests", Counts(90, 2), 1, 60.0),
        Outcome("bot", Counts(30), 3, 9.0),
        Outcome("js", Counts(7, 0, 1), 0, 1.0),
    ]
    lines = summary(outcomes)
    assert lines[-1] == "128 passed, 4 failed"
    assert "  tests: 90 passed, 2 failed in 60 s, exit code 1: FAILED" in lines
    assert "  js: 7 passed, 0 failed, 1 skipped in 1 s, exit code 0: FAILED" in lines


def test_a_part_that_could_not_look_says_so_in_the_summary() -> None:
    """The check for known holes may find its service away; that is not told as if all were well."""
    looked, blind = (run_part(part(f"print({said!r})"), {}, lambda text: None) for said in ("1 passed in 0.1s", f"Advisories {NOT_CHECKED}: away"))
    assert [outcome.note for outcome in (looked, blind)] == ["", NOT_CHECKED]
    assert summary([blind])[0].endswith(f", but in part or whole {NOT_CHECKED}")
