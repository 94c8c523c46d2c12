"""The machine's clock is set forward and back while web works and between two starts: deadlines, order, sign-ins and presence go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import violations
from tests.faults.players import Agent, Customer
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, ask, small_kit
from tests.faults.web_forks import Fork

HOUR_S, DAY_S = 3600.0, 86400.0
STEPS_S = (-HOUR_S, HOUR_S, -DAY_S, DAY_S)
ENDS_WITHIN_S = 10.0
SESSION_S = 12 * HOUR_S
"""Whoever has not been seen for so long is signed out: a clock set forward by more is no different."""


@dataclass
class Steps:
    """What a run came to."""

    took_s: list[float] = field(default_factory=list)
    flagged_s: list[float] = field(default_factory=list)
    signed_out: list[str] = field(default_factory=list)
    relieved: list[str] = field(default_factory=list)


class _Clock:
    """The machine's clock as web reads it: so many seconds off, as a file says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.off_s = 0.0
        self.step(0.0)

    def step(self, by_s: float) -> None:
        """Set it."""
        self.off_s += by_s
        temporary = self.path.with_suffix(".new")
        temporary.write_text(str(self.off_s), encoding="utf-8")
        temporary.replace(self.path)


def set_clock(folder: Path, *, steps_s: tuple[float, ...] = STEPS_S, say: Callable[[str], None] = print) -> list[Row]:
    """Each step once while Rasa hangs in the middle of a turn, and once between a kill in the middle of a turn and the next start."""
    run = Steps()
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock(folder / "clock")
    with small_kit(folder / "var") as kit:
        web = kit.web(clock=str(clock.path))
        agent, held = kit.agent(), kit.customer("held")
        held.asks_for_a_person()
        agent.accepts(held.conversation)
        for number, step_s in enumerate(steps_s):
            name = f"{number}: {step_s / HOUR_S:+g} h"
            _while_rasa_hangs(kit, clock, step_s, run, name)
            web = _between_two_starts(kit, clock, step_s, run, name, web)
            _still_there(kit, agent, held, clock, run, name)
        snapshot = kit.settled()
        found = violations(kit.record, snapshot)
        web.stop()
    for problem in [*run.signed_out, *run.relieved, *found][:20]:
        say(f"  {problem}")
    return _rows(run, len(found), len(steps_s))


def _rows(run: Steps, broken: int, steps: int) -> list[Row]:
    over = f"{steps} steps of an hour or a day, each during a turn and between two starts"
    slowest, flagged = max(run.took_s), max(run.flagged_s)
    lost = len(run.signed_out) + len(run.relieved)
    return [
        row("clock set: invariants broken, messages out of order", "0", str(broken), over, met=not broken),
        row("clock set: each message has its outcome", "≤ 10 s", f"{slowest:.1f} s", over, met=slowest <= ENDS_WITHIN_S),
        row("clock set: agents signed out or relieved by it", "0", str(lost), over, met=not lost),
        row("clock set while web runs: flagged on readyz", "≤ 10 s", f"{flagged:.1f} s", f"{steps} steps", met=flagged <= ENDS_WITHIN_S),
    ]


def _while_rasa_hangs(kit: SmallKit, clock: _Clock, step_s: float, run: Steps, name: str) -> None:
    kit.neighbours.rasa = "hang"
    customer = kit.customer(f"during {name}")
    began, seq = time.monotonic(), customer.says()
    time.sleep(0.5)
    clock.step(step_s)
    run.flagged_s.append(_flagged_after_s(kit))
    run.took_s.append(_outcome_after_s(customer, seq, began))
    kit.neighbours.rasa = "well"


def _flagged_after_s(kit: SmallKit) -> float:
    began = time.monotonic()
    while time.monotonic() - began < 15:
        status, content = ask(kit.ports[0], "/readyz")
        if status is not None and any("clock" in note for note in json.loads(content)["notes"]):
            return time.monotonic() - began
        time.sleep(0.1)
    return float("inf")


def _outcome_after_s(customer: Customer, seq: int, began: float) -> float:
    return time.monotonic() - began if customer.hears(seq, 20) is not None else float("inf")


def _between_two_starts(kit: SmallKit, clock: _Clock, step_s: float, run: Steps, name: str, web: Fork) -> Fork:
    """Killed with a turn at work, started under another time: the turn is taken up within its lease all the same."""
    kit.neighbours.slow_s = 1.0
    customer = kit.customer(f"between {name}")
    seq = customer.says()
    web.kill()
    kit.neighbours.slow_s = 0.0
    clock.step(-2 * step_s)
    web = kit.web(clock=str(clock.path))
    began = time.monotonic()
    run.took_s.append(_outcome_after_s(customer, seq, began))
    web.kill()
    clock.step(step_s)
    return kit.web(clock=str(clock.path))


def _still_there(kit: SmallKit, agent: Agent, held: Customer, clock: _Clock, run: Steps, name: str) -> None:
    """The agent holds their conversation and can write in it, unless the clock passed the end of their session."""
    held.says()
    status, answer = agent.replies(held.conversation, f"reply after {name}")
    if status == 401:
        run.signed_out.append(f"{name}: {answer}")
    owners = [event["data"] for event in kit.snapshot().events if event["type"] == "owner" and event["conversation_id"] == held.conversation]
    if owners[-1]["owner"] != "agent":
        run.relieved.append(f"{name}: {owners[-1]}")
