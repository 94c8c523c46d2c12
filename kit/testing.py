"""`make test`: every check of the project, one after another, and one summary at the end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kit.advisories import NOT_CHECKED
from kit.preparation import prepare
from kit.programs import BOT_HALF, BOT_PYTHON, EVERYWHERE, WEB_PYTHON, bot_half, inherited
from kit.settings import PREFIX, ROOT, Settings, with_secrets
from kit.tools import CHROMIUM, NODE, require

Say = Callable[[str], None]

# What the articles' own phrasings reach, held out one by one; an edit that makes it worse fails the build.
QUESTION_FLOOR = ROOT / "knowledge_base" / "question_floor.json"
BOT_TESTS = ("tests/bot", "tests/actions")


@dataclass(frozen=True)
class Counts:
    """How many tests of a part ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Part:
    """One runner. ``count`` reads its output; None from it means that the output holds no counts, and the exit code decides for the whole."""

    name: str
    command: Sequence[str]
    count: Callable[[str], Counts | None]
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 1200.0


@dataclass(frozen=True)
class Outcome:
    """What became of a part. It is well only if it ended by itself, with 0, ran at least one test, and neither failed nor skipped any."""

    name: str
    counts: Counts
    code: int
    took_s: float
    note: str = ""

    @property
    def is_well(self) -> bool:
        return self.code == 0 and self.counts.passed > 0 and not self.counts.failed and not self.counts.skipped


def run_checks(settings: Settings, say: Say) -> int:
    """Set up, run every part whatever became of those before it, sum up; 0 only if all is well. Raises `KitError`."""
    began = time.monotonic()
    settings = with_secrets(settings)
    node = require(NODE, say)
    require(CHROMIUM, say)
    prepare(settings, say, for_tests=True)
    set_up_s = time.monotonic() - began
    environment = {**inherited(), **EVERYWHERE, PREFIX + "VAR": str(settings.var)}
    outcomes = [run_part(part, environment, say) for part in parts(settings, str(node))]
    say(f"\n  set-up: {set_up_s:.0f} s")
    for line in summary(outcomes):
        say(line)
    return 0 if all(outcome.is_well for outcome in outcomes) else 1


def parts(settings: Settings, node: str) -> list[Part]:
    """All runners, the quick ones first."""
    web, bot = str(WEB_PYTHON), str(BOT_PYTHON)
    scripts = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "javascript").rglob("*.test.*js"))
    ignored = [f"--ignore={name}" for name in BOT_TESTS]
    rasa = bot_half(settings)
    training_data = ["--domain", "domain.yml", "--data", "bot/data"]
    stories = ["--stories", "tests/dialogues", "--model", str(settings.var / "rasa" / "models"), "--out", str(settings.var / "rasa" / "results")]
    return [
        Part("ruff", [web, "-m", "ruff", "check", "."], count_nothing),
        Part("mypy", [web, "-m", "mypy"], count_nothing),
        Part("articles", [web, "-m", "knowledge_base", "check"], count_nothing),
        Part("questions", [web, "-m", "knowledge_base", "test", "--alone", "--floor", str(QUESTION_FLOOR)], count_nothing),
        Part("advisories", [web, "-m", "kit.advisories"], count_nothing, limit_s=300),
        Part("javascript", [node, "--test", "--test-reporter=spec", *scripts], count_node),
        Part("rasa data", [bot, "-m", "bot.rasa_cli", "data", "validate", "--fail-on-warnings", *training_data], count_nothing, rasa),
        # Without --e2e Rasa does not compare what was said with its intent, and a story with other words passes.
        Part(
            "rasa test",
            [bot, "-m", "bot.rasa_cli", "test", "core", "--e2e", "--no-plot", "--fail-on-prediction-errors", *stories],
            count_rasa,
            rasa,
        ),
        # pytest of the bot half must not read the warnings setting of rasa's own libraries: its own configuration decides there.
        Part("bot tests", [bot, "-m", "pytest", *BOT_TESTS], count_pytest, BOT_PYTEST),
        Part("tests", [web, "-m", "pytest", "tests", *ignored], count_pytest, limit_s=2400),
    ]


BOT_PYTEST = {name: value for name, value in BOT_HALF.items() if name != "PYTHONWARNINGS"}


def run_part(part: Part, environment: Mapping[str, str], say: Say) -> Outcome:
    """Run one part, its output passed on as it comes. Past its limit it is ended with all it started, and counts as failed."""
    say(f"\n== {part.name} ==")
    began = time.monotonic()
    process = subprocess.Popen(
        part.command, cwd=ROOT, env={**environment, **part.environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    limit = threading.Timer(part.limit_s, _end_group, [process])
    limit.start()
    said = []
    try:
        for line in process.stdout or ():
            said.append(line)
            say(line.rstrip("\n"))
        code = process.wait()
    finally:
        limit.cancel()
        _end_group(process)
        if process.stdout is not None:
            process.stdout.close()
    took_s = time.monotonic() - began
    counts = part.count("".join(said)) or Counts(passed=int(code == 0), failed=int(code != 0))
    return Outcome(part.name, counts, code, took_s, NOT_CHECKED if any(NOT_CHECKED in line for line in said) else "")


def _end_group(process: subprocess.Popen[str]) -> None:
    """End a runner with all it started, also when it has ended itself and only a child still holds its output open.

    pytest takes an interrupt as the wish to stop, and ends what its tests began, a whole kit in a session of its own included; a SIGTERM
    would just end it.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)


def count_nothing(said: str) -> Counts | None:
    """For a runner that only says yes or no."""
    return None


def count_pytest(said: str) -> Counts | None:
    """From pytest's last line, such as ``3 failed, 12 passed, 1 skipped in 4.20s``."""
    lines = [line for line in plain(said).splitlines() if re.search(r"\d+ (passed|failed|errors?|skipped).* in \d+[.\d]*s", line)]
    if not lines:
        return None
    # All that its last line may count; a plural and a test that passed against its mark are failures.
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)", lines[-1])}
    failed = sum(found.get(word, 0) for word in ("failed", "error", "errors", "xpassed"))
    return Counts(found.get("passed", 0), failed, found.get("skipped", 0) + found.get("xfailed", 0))


def count_node(said: str) -> Counts | None:
    """From the last lines of ``node --test``, such as ``ℹ pass 12``."""
    found = {word: int(number) for word, number in re.findall(r"^\S? ?(pass|fail|cancelled|skipped|todo) (\d+)$", plain(said), re.MULTILINE)}
    if "pass" not in found:
        return None
    return Counts(found["pass"], found.get("fail", 0) + found.get("cancelled", 0), found.get("skipped", 0) + found.get("todo", 0))


def count_rasa(said: str) -> Counts | None:
    """From ``rasa test``'s ``Correct: 40 / 41`` of whole conversations, the first of its two such lines."""
    found = re.search(r"CONVERSATION level.*?Correct:\s+(\d+) / (\d+)", plain(said), re.DOTALL)
    if not found:
        return None
    right, whole = int(found.group(1)), int(found.group(2))
    return Counts(right, whole - right)


def plain(text: str) -> str:
    """Without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """A line a part, then the sum."""
    lines = []
    for outcome in outcomes:
        counts = outcome.counts
        skipped = f", {counts.skipped} skipped" if counts.skipped else ""
        word = "ok" if outcome.is_well else "FAILED"
        told = f"{counts.passed} passed, {counts.failed} failed{skipped} in {outcome.took_s:.0f} s, exit code {outcome.code}: {word}"
        lines.append(f"  {outcome.name}: {told}" + (f", but in part or whole {outcome.note}" if outcome.note else ""))
    # A part that broke down without a failed test to show for it, or skipped some, still counts as a failure.
    broken = sum(1 for outcome in outcomes if not outcome.is_well and not outcome.counts.failed)
    passed = sum(outcome.counts.passed for outcome in outcomes)
    failed = sum(outcome.counts.failed for outcome in outcomes) + broken
    return [*lines, f"{passed} passed, {failed} failed"]
