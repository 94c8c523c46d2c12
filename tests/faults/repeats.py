"""Messages sent again: at once, over several webs, after a week, and with other words under the same id."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.faults.checker import counted, violations
from tests.faults.players import PAUSE_S, Customer, Line, NoAnswer, together
from tests.faults.record import OK, Call
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, small_kit

WEBS = 2
CUSTOMERS = 6
MESSAGES_A_CONVERSATION = 100
REPEATS = 5
"""A message is sent so often, half of the times by several at once."""
TRIES = 5
PUT_OFF = (429, 503)
PUT_OFF_S = 1.0
SHARE_LATER = 0.1
"""So many of all sends are made a week later."""
TIMES = (
    ("conversations", "created_at"), ("conversations", "updated_at"), ("events", "at"), ("turns", "accepted_at"), ("turns", "finished_at"),
    ("touchpoints", "at"), ("touchpoints", "recorded_at"), ("desk_changes", "at"), ("visitors", "created_at"),
)  # fmt: skip
DAYS = 7


def send_again(folder: Path, sends: int, *, seed: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """So many sends in all, most of them repeats."""
    with small_kit(folder, webs=WEBS) as kit:
        webs = [kit.web(number) for number in range(WEBS)]
        customers = [kit.customer(f"c{number}") for number in range(CUSTOMERS)]
        before = int(sends * (1 - SHARE_LATER)) // CUSTOMERS
        together(
            [lambda customer=customer, number=number: _say_often(kit, customer, before, seed + number) for number, customer in enumerate(customers)]
        )
        kit.settled()
        for web in webs:
            web.stop()
        _let_pass(kit.database, DAYS)
        webs = [kit.web(number) for number in range(WEBS)]
        later = len(kit.record.calls)
        share = int(sends * SHARE_LATER) // CUSTOMERS
        together([lambda customer=customer, number=number: _say_later(kit, customer, share, number) for number, customer in enumerate(customers)])
        snapshot = kit.settled()
        for web in webs:
            web.stop()
    said = [call for call in kit.record.calls if call.what == "say"]
    changed = [call for call in kit.record.calls if call.what == "changed"]
    found = violations(kit.record, snapshot, replies_a_turn=1)
    for violation in found[:20]:
        say(f"  {violation}")
    broken, statuses = counted(found), Counter(call.status for call in changed)
    weeks_later = sum(call.what == "say" for call in kit.record.calls[later:])
    put_off = Counter(call.status for call in kit.record.calls if call.what == "put off")
    over = f"{len(said)} sends of {len(snapshot.turns)} messages over {WEBS} webs, {weeks_later} of them {DAYS} days later"
    over += "".join(f", {count} sent again after a {status}" for status, count in put_off.items())
    asked = sum(kit.neighbours.turns[f"{event['data']['text']}"] for event in snapshot.events if event["sender"] == "customer")
    doubled = broken["I1"] + broken["I2"] + sum(call.outcome != OK for call in said)
    return [
        row("sends repeated: rows doubled, lost or numbered anew", "0", str(doubled), over, met=not doubled),
        row("sends repeated: doubled bot turns", "0", str(broken["I4"]), f"{over}; Rasa asked {asked} times", met=not broken["I4"]),
        row("same id with other words refused (409)", "all", f"{statuses[409]}", f"{len(changed)} of them", met=statuses[409] == len(changed) > 0),
    ]


def _lines(kit: SmallKit, customer: Customer) -> list[Line]:
    return [Line([port], customer.line.headers) for port in kit.ports for _ in range(2)]


def _say_often(kit: SmallKit, customer: Customer, sends: int, seed: int) -> None:
    chance, lines, number = random.Random(seed), _lines(kit, customer), 0
    for _ in range(0, sends, REPEATS):
        if number == MESSAGES_A_CONVERSATION:
            customer.begins()
            number, lines = 0, _lines(kit, customer)
        number += 1
        if chance.random() < 0.3:
            together([lambda line=line, number=number: _send(kit, customer, line, number) for line in lines[: REPEATS - 1]])
            _send(kit, customer, lines[0], number)
        else:
            for _ in range(REPEATS - 1):
                _send(kit, customer, chance.choice(lines), chance.randint(max(1, number - 20), number) if chance.random() < 0.5 else number)
            _send(kit, customer, lines[0], number)  # said at least once before it is said otherwise
        if chance.random() < 0.1:
            _send(kit, customer, chance.choice(lines), number, changed=True)


def _say_later(kit: SmallKit, customer: Customer, sends: int, seed: int) -> None:
    """What was said a week ago in the customer's conversation, again."""
    chance, lines = random.Random(seed), _lines(kit, customer)
    said = sorted(
        {
            int(call.client_id or 0)
            for call in kit.record.calls
            if call.conversation == customer.conversation and call.outcome == OK and call.what == "say"
        }
    )
    for _ in range(sends):
        _send(kit, customer, chance.choice(lines), chance.choice(said), changed=chance.random() < 0.05)


def _send(kit: SmallKit, customer: Customer, line: Line, number: int, *, changed: bool = False) -> None:
    text = f"{customer.name} {customer.conversation} {number}" + (" other words" if changed else "")
    began = time.monotonic()
    status, answer = _until_answered(kit, line, f"{customer.path}/messages", {"client_id": str(number), "text": text})
    outcome = OK if status < 300 else "failed"
    seq = answer.get("seq") if outcome == OK else None
    # Several send at once, so the order of acknowledgements says nothing here: each send is a sender of its own.
    who = f"{customer.name} {began} {id(line)}"
    kit.record.add(Call(who, "changed" if changed else "say", customer.conversation, outcome, str(number), text, seq, status))


def _until_answered(kit: SmallKit, line: Line, path: str, body: dict[str, str]) -> tuple[int, Any]:
    """Again when a kept connection was closed meanwhile, or web was too busy: one more repeat."""
    for _ in range(TRIES - 1):
        try:
            status, answer = line.ask("POST", path, body)
        except NoAnswer:
            time.sleep(PAUSE_S)  # as a client does before it tries again
            continue
        if status not in PUT_OFF:
            return status, answer
        kit.record.add(Call("", "put off", path, "failed", body["client_id"], body["text"], status=status))
        time.sleep(PUT_OFF_S)  # as it was asked to
    return line.ask("POST", path, body)


def _let_pass(database: Path, days: int) -> None:
    """Everything stored is so many days older."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in TIMES:
            connection.execute(f"UPDATE {table} SET {column} = datetime({column}, '-{days} days') || '.000000'")
