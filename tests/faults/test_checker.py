"""The checker can fail: each invariant is broken on purpose, in a made record or in a real database file, and is reported, and nothing else is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desk.migrate import migrate
from tests.faults.checker import INVARIANTS, Violation, counted, violations
from tests.faults.record import FAILED, OK, UNKNOWN, Call, Record, Recovery, Seen, digest
from tests.faults.snapshot import Snapshot, read_snapshot
from touchpoints.database import open_database

Run = tuple[Record, Snapshot]


def event(conversation: str, seq: int, sender: str, data: dict[str, Any], kind: str = "message", client_id: str | None = None) -> dict[str, Any]:
    return {"conversation_id": conversation, "seq": seq, "type": kind, "sender": sender, "client_id": client_id, "data": data}


def turn(conversation: str, seq: int, outcome: str | None = "answered", dropped: str | None = None) -> dict[str, Any]:
    return {
        "conversation_id": conversation,
        "seq": seq,
        "status": "done" if outcome else "running",
        "outcome": outcome,
        "dropped": dropped,
        "claim": 1,
    }


def whole() -> Run:
    """Two conversations as they should be: the bot answers twice in one, in the other an agent takes over."""
    events = []
    for name in ("a", "b"):
        events += [
            event(name, 1, "customer", {"author": "customer", "text": f"{name} 1"}, client_id="m1"),
            event(name, 2, "bot", {"author": "bot", "text": f"Reply to {name} 1"}),
            event(name, 3, "customer", {"author": "customer", "text": f"{name} 2"}, client_id="m2"),
            event(name, 4, "bot", {"author": "bot", "text": f"Reply to {name} 2"}),
        ]
    events += [
        event("b", 5, "customer", {"owner": "queued", "reason": "customer_asked"}, "owner"),
        event("b", 6, "agent:x", {"owner": "agent", "reason": "agent_accepted"}, "owner"),
        event("b", 7, "agent:x", {"author": "agent", "text": "hello"}, client_id="r1"),
    ]
    calls = [
        Call(name, "say", name, outcome, f"m{number}", f"{name} {number}", seq)
        for name in ("a", "b")
        for number, outcome, seq in ((1, UNKNOWN, None), (1, OK, 1), (2, OK, 3))
    ]
    calls += [
        Call("agent:x", "accept", "b", OK),
        Call("agent:y", "accept", "b", FAILED, status=409),
        Call("agent:x", "reply", "b", OK, "r1", "hello", 7),
    ]
    seen = [Seen(f"w {one['conversation_id']}", one["conversation_id"], one["seq"], digest(one["type"], one["data"])) for one in events]
    snapshot = Snapshot(
        conversations=[{"id": "a", "owner": "bot", "last": 4, "agent_id": None}, {"id": "b", "owner": "agent", "last": 7, "agent_id": "x"}],
        events=events,
        turns=[turn(name, seq) for name in ("a", "b") for seq in (1, 3)],
        touchpoints=[{"conversation_id": one["conversation_id"], "kind": "x", "data": json.dumps({"event": one["seq"]})} for one in events],
    )
    return Record(calls, seen, [Recovery("rasa", 2.0, 5.0)], {"w a", "w b"}), snapshot


def check(run: Run) -> list[Violation]:
    return violations(*run, replies_a_turn=1)


def test_a_run_without_a_fault_breaks_nothing() -> None:
    assert check(whole()) == []


def lost_message(run: Run) -> None:
    """Acknowledged, and its row is not there; the numbers after it moved up, so that only the loss shows."""
    run[0].calls.append(Call("a", "say", "a", OK, "m3", "a 3", 5))


def stored_otherwise(run: Run) -> None:
    run[0].calls[1] = replace(run[0].calls[1], text="other words")


def doubled_row(run: Run) -> None:
    run[1].events.append(event("a", 5, "customer", {"author": "customer", "text": "a 2"}, client_id="m2"))
    run[1].conversations[0]["last"] = 5
    run[1].turns.append(turn("a", 5, "noted"))
    run[0].watched_to_the_end.clear()


def refused_and_stored(run: Run) -> None:
    run[0].calls[:] = [replace(call, outcome=FAILED, status=409, seq=None) if call.conversation == "a" else call for call in run[0].calls]


def damaged(run: Run) -> None:
    run[1].integrity = "row 1 missing from index"


def gap(run: Run) -> None:
    run[1].conversations[0]["last"] = 5
    run[0].watched_to_the_end.clear()


def swapped_order(run: Run) -> None:
    """The sender's second message has the first's number, by what was acknowledged and by what is stored."""
    first, second = run[0].calls[1], run[0].calls[2]
    run[0].calls[1], run[0].calls[2] = replace(first, seq=3), replace(second, seq=1)
    run[1].events[0]["client_id"], run[1].events[2]["client_id"] = "m2", "m1"
    run[0].calls[1] = replace(run[0].calls[1], text="a 2")
    run[0].calls[2] = replace(run[0].calls[2], text="a 1")


def seen_twice(run: Run) -> None:
    run[0].seen.insert(1, run[0].seen[0])


def seen_with_a_gap(run: Run) -> None:
    del run[0].seen[1]


def not_caught_up(run: Run) -> None:
    del run[0].seen[3]


def seen_otherwise(run: Run) -> None:
    run[0].seen[0] = replace(run[0].seen[0], digest="something else")


def another_order(run: Run) -> None:
    """One watcher got two events the other way round."""
    run[0].seen[1], run[0].seen[2] = run[0].seen[2], run[0].seen[1]


def doubled_turn(run: Run) -> None:
    """The bot answered the same message again."""
    reply = event("a", 5, "bot", {"author": "bot", "text": "Reply to a 2"})
    run[1].events.append(reply)
    run[1].conversations[0]["last"] = 5
    run[0].watched_to_the_end.clear()


def silent(run: Run) -> None:
    run[1].turns[1] = turn("a", 3, None)


def outcome_without_words(run: Run) -> None:
    """By its turn the message was answered, and nobody can see an answer."""
    run[1].events[3] = event("a", 4, "system", {"author": "system", "text": "…"})
    run[0].seen[3] = replace(run[0].seen[3], digest=digest("message", run[1].events[3]["data"]))


def no_turn(run: Run) -> None:
    """A message for which nobody works, and nobody spoke."""
    run[1].events.append(event("a", 5, "customer", {"author": "customer", "text": "a 3"}, client_id="m3"))
    run[1].conversations[0]["last"] = 5
    run[0].watched_to_the_end.clear()


def leak(run: Run) -> None:
    """A watcher of one conversation is sent an event of the other."""
    run[0].seen[0] = replace(run[0].seen[0], digest=run[0].seen[4].digest)


def two_winners(run: Run) -> None:
    run[0].calls.append(Call("agent:y", "accept", "b", OK))


def two_events_for_one_change(run: Run) -> None:
    run[1].events.append(event("b", 8, "agent:y", {"owner": "agent", "reason": "agent_accepted"}, "owner"))
    run[1].touchpoints.append({"conversation_id": "b", "kind": "x", "data": '{"event": 8}'})
    run[1].conversations[1]["last"] = 8
    run[0].watched_to_the_end.clear()


def change_without_record(run: Run) -> None:
    del run[1].touchpoints[-2]


def bot_under_a_person(run: Run) -> None:
    run[1].events.append(event("b", 8, "bot", {"author": "bot", "text": "Reply to b 3"}))
    run[1].events.insert(-1, event("b", 9, "customer", {"author": "customer", "text": "b 3"}))
    run[1].turns.append(turn("b", 9))
    run[1].conversations[1]["last"] = 9
    run[0].watched_to_the_end.clear()


def owner_column_differs(run: Run) -> None:
    run[1].conversations[1]["owner"] = "bot"


def never_back(run: Run) -> None:
    run[0].recoveries.append(Recovery("search", None, 5.0))


def back_too_late(run: Run) -> None:
    run[0].recoveries.append(Recovery("search", 5.1, 5.0))


PLANTED: list[tuple[str, Callable[[Run], None]]] = [
    ("I1", lost_message),
    ("I1", stored_otherwise),
    ("I1", doubled_row),
    ("I1", refused_and_stored),
    ("I1", damaged),
    ("I2", gap),
    ("I2", swapped_order),
    ("I3", seen_twice),
    ("I3", seen_with_a_gap),
    ("I3", not_caught_up),
    ("I3", seen_otherwise),
    ("I3", another_order),
    ("I4", doubled_turn),
    ("I4", silent),
    ("I4", outcome_without_words),
    ("I4", no_turn),
    ("I5", leak),
    ("I6", two_winners),
    ("I6", two_events_for_one_change),
    ("I6", change_without_record),
    ("I6", bot_under_a_person),
    ("I6", owner_column_differs),
    ("I7", never_back),
    ("I7", back_too_late),
]


@pytest.mark.parametrize(("invariant", "plant"), PLANTED, ids=[plant.__name__ for _, plant in PLANTED])
def test_a_planted_fault_is_reported(invariant: str, plant: Callable[[Run], None]) -> None:
    """Under its own invariant and under no other."""
    run = whole()
    plant(run)
    found = counted(check(run))
    assert found[invariant] >= 1, "the fault was not seen"
    assert {name for name, number in found.items() if number} == {invariant}


def test_every_invariant_has_a_planted_fault() -> None:
    assert {invariant for invariant, _ in PLANTED} == set(INVARIANTS)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of this version with one conversation of one answered message."""
    path = tmp_path / "touchdesk.sqlite"
    opened = open_database(f"sqlite:///{path}")
    migrate(opened)
    opened.engine.dispose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO visitors (id, created_at) VALUES ('v', '2026-11-21');
            INSERT INTO conversations (id, visitor_id, owner, last, state, channel, created_at, updated_at)
              VALUES ('a', 'v', 'bot', 2, '{}', 'chat', '2026-11-21', '2026-11-21');
            INSERT INTO events (conversation_id, seq, type, at, sender, client_id, data) VALUES
              ('a', 1, 'message', '2026-11-21', 'customer', 'm1', '{"author": "customer", "text": "a 1"}'),
              ('a', 2, 'message', '2026-11-21', 'bot', NULL, '{"author": "bot", "text": "Reply to a 1"}');
            INSERT INTO turns (conversation_id, seq, status, claim, input, accepted_at, outcome) VALUES
              ('a', 1, 'done', 1, 'a 1', '2026-11-21', 'answered');
            """
        )
    return path


ACKNOWLEDGED = Record([Call("a", "say", "a", OK, "m1", "a 1", 1)])


def test_a_database_file_is_read_as_it_is(database: Path) -> None:
    assert violations(ACKNOWLEDGED, read_snapshot(database), replies_a_turn=1) == []


@pytest.mark.parametrize(
    ("invariant", "change"),
    [
        ("I1", "UPDATE events SET client_id = NULL WHERE seq = 1"),
        ("I2", "UPDATE conversations SET last = 3"),
        ("I4", "UPDATE turns SET status = 'running', outcome = NULL"),
        ("I4", "DELETE FROM turns"),
        ("I6", "UPDATE conversations SET owner = 'queued'"),
    ],
)
def test_a_fault_planted_in_the_file_is_reported(database: Path, invariant: str, change: str) -> None:
    """What is done to the rows shows, whatever wrote them."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(change)
    found = violations(ACKNOWLEDGED, read_snapshot(database))
    assert {violation.invariant for violation in found} == {invariant}
