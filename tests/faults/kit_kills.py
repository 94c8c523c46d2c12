"""kill -9 of each process of the whole kit in the middle of turns: nothing acknowledged is lost, nothing doubled, and all comes back by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import SPOKEN, counted, violations
from tests.faults.parts import CANARY, House, settled, whole_kit
from tests.faults.players import Customer, Watcher
from tests.faults.record import OK, Recovery
from tests.faults.rows import Row, row
from tests.faults.snapshot import Snapshot

PROGRAMS = ("web", "rasa", "actions", "search")
LATEST_KILL_S = 0.06
CUSTOMERS = 4
BACK_WITHIN_S = 30.0
HEARD_WITHIN_S = 15.0
QUESTIONS = (CANARY, "where is my parcel", "hello", "I forgot my password", "my wifi is slow", "where can I watch the moon tonight")


@dataclass(frozen=True)
class Asked:
    """A message: after how long it was taken, and after how long words came, if any did."""

    conversation: str
    seq: int
    taken_s: float
    heard_s: float | None


def kill_each(folder: Path, times: int, *, seed: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """So many kills of each program, mixed, with four customers in the middle of a turn at each."""
    chance, asked = random.Random(seed), list[Asked]()
    with whole_kit(folder) as kit:
        house = House(kit)
        customers = [house.customer() for _ in range(CUSTOMERS)]
        watchers = [Watcher(f"w of {customer.name}", customer, house.record, [house.port]) for customer in customers]
        order = [name for name in PROGRAMS for _ in range(times)]
        chance.shuffle(order)
        for name in order:
            asked += _kill(house, name, customers, chance)
        snapshot = settled(kit)
        last = {conversation["id"]: conversation["last"] for conversation in snapshot.conversations}
        for watcher in watchers:
            watcher.catch_up(last[watcher.conversation])
        found = violations(house.record, snapshot)
    for violation in found[:20]:
        say(f"  {violation}")
    broken = counted(found)
    said = [call for call in house.record.calls if call.what == "say"]
    acknowledged = len({(call.conversation, call.client_id) for call in said if call.outcome == OK})
    over = f"{len(order)} kills, {times} of each process, {acknowledged} messages"
    ends = [_ended_after_s(one, snapshot) for one in asked]
    slowest = max((recovery.took_s or 0.0) for recovery in house.record.recoveries)
    return [
        row("whole kit, processes killed: acknowledged messages lost or doubled (I1)", "0", str(broken["I1"]), over, met=not broken["I1"]),
        row(
            "whole kit, processes killed: gaps, order, streams (I2, I3)",
            "0",
            str(broken["I2"] + broken["I3"]),
            over,
            met=not broken["I2"] + broken["I3"],
        ),
        row("whole kit, processes killed: doubled turns, silent messages (I4)", "0", str(broken["I4"]), over, met=not broken["I4"]),
        row("whole kit, processes killed: slowest end of a message", "≤ 10 s", f"{max(ends):.1f} s", over, met=max(ends) <= 10),
        row(
            "whole kit, processes killed: all back without a hand (I7)",
            "all",
            f"{len(order) - broken['I7']}, slowest {slowest:.1f} s",
            over,
            met=not broken["I7"],
        ),
    ]


def _kill(house: House, name: str, customers: list[Customer], chance: random.Random) -> list[Asked]:
    """One kill while everybody has just asked."""
    with ThreadPoolExecutor(len(customers)) as threads:
        asking = [threads.submit(_ask, customer, chance.choice(QUESTIONS)) for customer in customers]
        time.sleep(chance.uniform(0, LATEST_KILL_S))  # another place in the turn each time
        old, began = house.kit.kill(name), time.monotonic()
        asked = [one.result() for one in asking]
    house.kit.wait_restarted(name, old)
    house.record.add(Recovery(name, _ready_after_s(house, began), BACK_WITHIN_S))
    return asked


def _ask(customer: Customer, question: str) -> Asked:
    began = time.monotonic()
    seq = customer.says(question)
    taken_s = time.monotonic() - began
    heard = customer.hears(seq, HEARD_WITHIN_S) is not None
    return Asked(customer.conversation, seq, taken_s, time.monotonic() - began if heard else None)


def _ended_after_s(asked: Asked, snapshot: Snapshot) -> float:
    """Until words came; while a person is waited for the bot may have none, and then until its turn was done."""
    if asked.heard_s is not None:
        return asked.heard_s
    turn = next(turn for turn in snapshot.turns if (turn["conversation_id"], turn["seq"]) == (asked.conversation, asked.seq))
    return asked.taken_s + turn["took_s"] if turn["outcome"] not in SPOKEN else float("inf")


def _ready_after_s(house: House, began: float) -> float | None:
    while time.monotonic() - began < 90:
        if (parts := house.parts()) and all(parts.values()):
            return time.monotonic() - began
        time.sleep(0.1)  # readiness can only be asked for
    return None
