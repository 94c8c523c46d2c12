"""Streams cut at random bytes while customers write: every watcher comes back and ends with the one list, each event once, in one order."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import counted, violations
from tests.faults.players import Agent, Customer, Watcher, together
from tests.faults.record import Seen, digest
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, small_kit

CONVERSATIONS = 4
WATCHERS = 4
MESSAGES = 25
SHORTEST, LONGEST = 0, 500
"""Bytes of a stream until it is cut; a frame has some 200."""
MISSED = 100
"""Events that a customer who comes back has missed, for the time that catching up takes."""
CATCH_UP_P95_S = 0.3
CATCH_UPS = 40


@dataclass
class Cuts:
    """What a run came to."""

    cuts: int = 0
    watchers: int = 0


def cut_streams(folder: Path, times: int, *, seed: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """At least so many cuts, spread over conversations that are being written."""
    chance, run = random.Random(seed), Cuts()
    with small_kit(folder) as kit:
        web = kit.web()
        agent = kit.agent()
        while run.cuts < times:
            _round(kit, agent, chance, run)
        catch_up_s = _catch_up_p95_s(kit)
        snapshot = kit.settled()
        found = violations(kit.record, snapshot, replies_a_turn=1)
        web.stop()
    for violation in found[:20]:
        say(f"  {violation}")
    broken = counted(found)
    over = f"{run.cuts} cuts at random bytes, {run.watchers} watchers, {len(kit.record.seen)} events"
    return [
        row("streams cut: gaps, repeats or other events than stored (I3)", "0", str(broken["I3"]), over, met=not broken["I3"]),
        row("streams cut: any other invariant broken", "0", str(len(found) - broken["I3"]), over, met=len(found) == broken["I3"]),
        row(
            f"{MISSED} missed events are there, 95th percentile",
            "≤ 0.3 s",
            f"{catch_up_s:.3f} s",
            f"{CATCH_UPS} times",
            met=catch_up_s <= CATCH_UP_P95_S,
        ),
    ]


def _round(kit: SmallKit, agent: Agent, chance: random.Random, run: Cuts) -> None:
    customers = [kit.customer(f"c{run.watchers} {number}") for number in range(CONVERSATIONS)]
    watchers = [kit.watcher(f"w{number} of {customer.name}", customer) for customer in customers for number in range(WATCHERS)]
    written = threading.Event()
    readers = [threading.Thread(target=_cut_again_and_again, args=(watcher, random.Random(chance.random()), written)) for watcher in watchers]
    for reader in readers:
        reader.start()
    together([lambda customer=customer: _write(customer, chance) for customer in customers])
    kit.settled()
    written.set()
    for reader in readers:
        reader.join()
    last = {conversation["id"]: conversation["last"] for conversation in kit.snapshot().conversations}
    for watcher in watchers:
        watcher.catch_up(last[watcher.conversation])
    for customer in customers:
        _seen_at_the_desk(kit, agent, customer)
    run.cuts += sum(watcher.cuts for watcher in watchers)
    run.watchers += len(watchers) + len(customers)


def _write(customer: Customer, chance: random.Random) -> None:
    for _ in range(MESSAGES):
        customer.says()
        time.sleep(chance.uniform(0, 0.02))


def _cut_again_and_again(watcher: Watcher, chance: random.Random, written: threading.Event) -> None:
    """While the conversation is written, and some more: what is left is read in peace."""
    while not written.is_set():
        watcher.read(at_most=chance.randint(SHORTEST, LONGEST), stop=written, timeout_s=0.5)
    for _ in range(5):
        watcher.read(at_most=chance.randint(SHORTEST, LONGEST), timeout_s=0.1)


def _seen_at_the_desk(kit: SmallKit, agent: Agent, customer: Customer) -> None:
    """The agent's view is one more watcher."""
    status, opened = agent.until_answered("look", customer.conversation, "GET", f"/api/desk/conversations/{customer.conversation}")
    assert status == 200, opened
    for event in opened["transcript"]:
        kit.record.add(Seen(f"desk of {customer.name}", customer.conversation, event["seq"], digest(event["type"], event["data"])))
    kit.record.watched_to_the_end.add(f"desk of {customer.name}")


def _catch_up_p95_s(kit: SmallKit) -> float:
    """How long it takes from coming back until so many missed events are there."""
    customer = kit.customer("was away")
    for _ in range(MISSED // 2):
        customer.says()
    kit.settled()
    took = []
    for number in range(CATCH_UPS):
        watcher = kit.watcher(f"comes back {number}", customer)
        began = time.monotonic()
        watcher.read(until=MISSED)
        took.append(time.monotonic() - began)
        kit.record.watched_to_the_end.add(watcher.name)
    return sorted(took)[int(0.95 * len(took))]
