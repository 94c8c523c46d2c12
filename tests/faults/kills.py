"""kill -9 of web at every named point, again and again, while customers write, an agent works and everybody watches."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kit.failpoints import POINTS
from tests.faults.checker import Violation, counted, violations
from tests.faults.players import Customer, Watcher, together
from tests.faults.record import OK
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, small_kit

CUSTOMERS = 4
MESSAGES_A_CONVERSATION = 25
MOST_PASSES = 5
"""A point is passed up to so often before it kills, so that kills do not all hit the first message after a start."""
REACHED_WITHIN_S = 30.0


@dataclass
class Kills:
    """What a run came to."""

    at: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    repeated: int = 0
    replies: int = 0
    seen: int = 0
    found: list[Violation] = field(default_factory=list)


def kill_at_points(folder: Path, times_each: int, *, seed: int = 1, lanes: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """So many kills at each point, shared out over lanes that run side by side."""
    shares = [times_each // lanes + (lane < times_each % lanes) for lane in range(lanes)]
    jobs = [lambda lane=lane: _lane(folder / f"lane-{lane}", shares[lane], seed + lane) for lane in range(lanes)]
    runs = together(jobs)
    for run in runs:
        for violation in run.found[:20]:
            say(f"  {violation}")
    return _rows(runs)


def _rows(runs: list[Kills]) -> list[Row]:
    kills, missed = sum(sum(run.at.values()) for run in runs), sum(sum(run.missed.values()) for run in runs)
    broken = Counter[str]()
    for run in runs:
        broken.update(counted(run.found))
    acknowledged, repeated = sum(run.acknowledged for run in runs), sum(run.repeated for run in runs)
    replies, seen = sum(run.replies for run in runs), sum(run.seen for run in runs)
    points = {point for run in runs for point in run.at}
    over = f"{kills} kills at {len(points)} named points"
    return [
        row(
            "web killed: points reached", f"all {len(POINTS)}", f"{len(points)}, {missed} rounds without a kill", over, met=len(points) == len(POINTS)
        ),
        row(
            "web killed: acknowledged messages lost or doubled (I1)",
            "0",
            str(broken["I1"]),
            f"{over}, {acknowledged} messages, {repeated} sent again",
            met=not broken["I1"],
        ),
        row("web killed: gaps, repeats, wrong order (I2)", "0", str(broken["I2"]), f"{over}, {acknowledged} messages", met=not broken["I2"]),
        row("web killed: streams that differ from the database (I3)", "0", str(broken["I3"]), f"{over}, {seen} events seen", met=not broken["I3"]),
        row(
            "web killed: doubled bot turns, messages without outcome (I4)", "0", str(broken["I4"]), f"{over}, {replies} replies", met=not broken["I4"]
        ),
        row("web killed: owners in conflict (I6), leaks (I5)", "0", str(broken["I5"] + broken["I6"]), over, met=not broken["I5"] + broken["I6"]),
    ]


def _lane(folder: Path, times_each: int, seed: int) -> Kills:
    chance, run = random.Random(seed), Kills()
    with small_kit(folder) as kit:
        first = kit.web()
        players = Players(kit, seed)
        players.begin()
        first.kill()
        order = [point for point in POINTS for _ in range(times_each)]
        chance.shuffle(order)
        for point in order:
            _kill_once(kit, point, chance, run)
        last = kit.web()
        players.end()
        snapshot = kit.settled()
        players.catch_up()
        run.found = violations(kit.record, snapshot, replies_a_turn=1)
        last.stop()
        said = [call for call in kit.record.calls if call.what in ("say", "reply")]
        run.acknowledged = len({(call.conversation, call.who, call.client_id) for call in said if call.outcome == OK})
        run.repeated, run.seen = len(said) - run.acknowledged, len(kit.record.seen)
        run.replies = sum(event["sender"] == "bot" for event in snapshot.events)
    return run


def _kill_once(kit: SmallKit, point: str, chance: random.Random, run: Kills) -> None:
    for _ in range(2):
        fork = kit.web(wait=False, point=point, passes=chance.randrange(MOST_PASSES))
        if fork.wait(REACHED_WITHIN_S) == -9:
            run.at[point] += 1
            return
        run.missed[point] += 1
        assert fork.code is None, f"web ended by itself with {fork.code}: {kit.log()[-2000:]}"
        fork.kill()


class Players:
    """Customers who write without end, one of them with an agent, each watched twice."""

    def __init__(self, kit: SmallKit, seed: int) -> None:
        self._kit = kit
        self._seed = seed
        self._stop = threading.Event()
        self._watchers: list[Watcher] = []
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def begin(self) -> None:
        """Everybody starts."""
        for number in range(CUSTOMERS):
            self._start(self._writes, f"c{number}")
        self._start(self._is_served, "served")

    def end(self) -> None:
        """Everybody finishes what they are at. Raises what stopped one of them before."""
        self._stop.set()
        for thread in self._threads:
            thread.join(90)
        if self._failures:
            raise self._failures[0]

    def catch_up(self) -> None:
        """Every watcher reads its conversation to the end."""
        last = {conversation["id"]: conversation["last"] for conversation in self._kit.snapshot().conversations}
        for watcher in self._watchers:
            watcher.catch_up(last[watcher.conversation])

    def _start(self, job: Callable[..., None], *arguments: object) -> None:
        def work() -> None:
            try:
                job(*arguments)
            except BaseException as failure:
                self._failures.append(failure)

        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _writes(self, name: str) -> None:
        chance = random.Random(f"{self._seed} {name}")
        while not self._stop.is_set():
            customer = self._kit.customer(f"{name} {len(self._watchers)}")
            over = self._watched(customer)
            for _ in range(MESSAGES_A_CONVERSATION):
                if self._stop.is_set():
                    break
                customer.says()
                time.sleep(chance.uniform(0, 0.04))
            over.set()

    def _is_served(self, name: str) -> None:
        agent = self._kit.agent()
        while not self._stop.is_set():
            customer = self._kit.customer(f"{name} {len(self._watchers)}")
            over = self._watched(customer)
            for _ in range(5):
                if self._stop.is_set():
                    break
                customer.asks_for_a_person()
                customer.says()
                agent.until_answered("accept", customer.conversation, "POST", f"/api/desk/conversations/{customer.conversation}/accept", {})
                agent.replies(customer.conversation, f"{customer.name} reply")
                customer.says()
                agent.does(customer.conversation, "return")
            over.set()

    def _watched(self, customer: Customer) -> threading.Event:
        """Two watchers on a conversation, until the event is set."""
        over = threading.Event()
        for number in range(2):
            watcher = self._kit.watcher(f"w{number} of {customer.name}", customer)
            self._watchers.append(watcher)
            self._start(watcher.watch, over)
        return over
