"""Steps of the set-up: what is run, what is spared, and what becomes of one that is cut off."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import StepFailed
from kit.steps import Step, fingerprint, is_done, run_steps


class Kitchen:
    """Steps that append their name to a file when they run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.diary = folder / "diary"

    def step(self, name: str, *, after: tuple[str, ...] = (), code: str = "", inputs: str = "flour") -> Step:
        write = f"open({str(self.diary)!r}, 'a').write({name!r} + ' ')"
        return Step(
            name,
            f"Baking {name}",
            [[sys.executable, "-c", f"{code}\n{write}"]],
            lambda: inputs,
            self.folder / "stamps" / name,
            after=after,
            limit_s=20,
        )

    def cook(self, *steps: Step) -> list[str]:
        """Run the steps; which ones really ran since the last time, in order of their end."""
        self.diary.write_text("")
        self.said: list[str] = []
        run_steps(steps, self.folder / "log", self.said.append)
        return self.diary.read_text().split()


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def test_a_step_waits_for_those_it_needs(kitchen: Kitchen) -> None:
    """Order comes from `after`, not from the list."""
    slow = "import time; time.sleep(0.3)"
    assert kitchen.cook(kitchen.step("cake", after=("dough",)), kitchen.step("dough", code=slow)) == ["dough", "cake"]


def test_steps_that_do_not_need_each_other_run_side_by_side(kitchen: Kitchen) -> None:
    """Two that each wait for a sign of the other both come to their end."""
    meet = "import pathlib, time; pathlib.Path({mine!r}).touch(); other = pathlib.Path({other!r})\nwhile not other.exists(): time.sleep(0.01)"
    a, b = str(kitchen.folder / "a"), str(kitchen.folder / "b")
    ran = kitchen.cook(kitchen.step("one", code=meet.format(mine=a, other=b)), kitchen.step("two", code=meet.format(mine=b, other=a)))
    assert sorted(ran) == ["one", "two"]


def test_what_has_not_changed_is_not_done_again(kitchen: Kitchen) -> None:
    """The second time is quick; new inputs or a lost output make it run."""
    assert kitchen.cook(kitchen.step("bread")) == ["bread"]
    assert kitchen.cook(kitchen.step("bread")) == []
    assert kitchen.said == []
    assert kitchen.cook(kitchen.step("bread", inputs="rye")) == ["bread"]
    assert kitchen.cook(replace(kitchen.step("bread", inputs="rye"), outputs=(kitchen.folder / "crumbs",))) == ["bread"]


def test_a_failed_step_tells_what_it_said_and_is_done_again(kitchen: Kitchen) -> None:
    """The error holds the end of its output and where the rest is; nothing that needs it was begun."""
    burnt = kitchen.step("roast", code="raise SystemExit('the oven is cold')")
    with pytest.raises(StepFailed, match="the oven is cold") as failure:
        kitchen.cook(burnt, kitchen.step("gravy", after=("roast",)))
    assert "Baking roast" in str(failure.value)
    assert failure.value.log == kitchen.folder / "log" / "setup-roast.log"
    assert kitchen.diary.read_text() == ""
    assert kitchen.cook(kitchen.step("roast")) == ["roast"]


def test_a_step_cut_off_is_done_again(kitchen: Kitchen) -> None:
    """Its stamp from an earlier time is gone before its first command, so half a result never passes for a whole one."""
    kitchen.cook(kitchen.step("pie"))
    with pytest.raises(StepFailed):
        kitchen.cook(kitchen.step("pie", inputs="apples", code="raise SystemExit(1)"))
    assert not is_done(kitchen.step("pie"))


def test_what_ends_the_set_up_ends_the_commands_under_way(kitchen: Kitchen) -> None:
    """A failure elsewhere does not leave a command running behind."""
    mark = kitchen.folder / "late"
    slow = kitchen.step("slow", code=f"import time, pathlib; time.sleep(2); pathlib.Path({str(mark)!r}).touch()")
    with pytest.raises(StepFailed):
        kitchen.cook(slow, kitchen.step("bad", code="raise SystemExit(1)"))
    time.sleep(2.5)
    assert not mark.exists()


def test_a_step_past_its_limit_fails(kitchen: Kitchen) -> None:
    """A command that hangs does not hang the set-up."""
    began = time.monotonic()
    with pytest.raises(StepFailed):
        kitchen.cook(replace(kitchen.step("stew", code="import time; time.sleep(60)"), limit_s=0.5))
    assert time.monotonic() - began < 10


def test_a_fingerprint_notices_content_names_and_absence(tmp_path: Path) -> None:
    """Everything that a step is made from changes it; bytecode does not."""
    folder = tmp_path / "sources"
    folder.mkdir()
    seen = {fingerprint(folder), fingerprint(folder / "absent"), fingerprint("text")}
    (folder / "a").write_text("1")
    seen.add(fingerprint(folder))
    (folder / "a").write_text("2")
    seen.add(fingerprint(folder))
    (folder / "a").rename(folder / "b")
    seen.add(fingerprint(folder))
    assert len(seen) == 6
    now = fingerprint(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "b.pyc").write_text("x")
    assert fingerprint(folder) == now


def test_the_place_where_texts_part_counts() -> None:
    """Two texts are not the same as their sum."""
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
