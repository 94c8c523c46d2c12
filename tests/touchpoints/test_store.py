"""The ledger's rows: numbered in the order of recording, read by cursor, conversation and customer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from tests.touchpoints.entries import NOON, ids, touchpoint
from touchpoints.database import Database
from touchpoints.exceptions import StoreBusy
from touchpoints.model import Recorded, new_id
from touchpoints.schema import identities
from touchpoints.store import known_ids, next_number, read_ledger, recent_latencies_ms, record

Records = Callable[..., None]


def read(database: Database, **wanted: object) -> list[Recorded]:
    with database.reading() as connection:
        return read_ledger(connection, **wanted)


def test_a_touchpoint_is_read_as_it_was_recorded(database: Database) -> None:
    """Nothing of it is lost or changed on the way."""
    whole = touchpoint(
        visitor_id="v",
        conversation_id="c",
        article="router-red-light",
        outcome="answered",
        confidence=0.93,
        emotion="positive",
        latency_ms=840,
        data={"event": 2, "words": ["caf\u00e9", "\U0001f6dc"], "deep": {"null": None}},
    )
    later = NOON + timedelta(minutes=3)
    with database.writing() as connection:
        record(connection, [whole], later)
    assert read(database) == [Recorded(seq=1, recorded_at=later, touchpoint=whole)]


def test_order_is_that_of_recording(records: Records, database: Database) -> None:
    """What happened earlier but came in later is read later: a reader that keeps its place misses nothing."""
    records({"id": "second", "at": NOON}, {"id": "first", "at": NOON - timedelta(days=2)})
    records({"id": "third", "at": NOON - timedelta(days=9)})
    assert ids(read(database)) == ["second", "first", "third"]
    assert [recorded.seq for recorded in read(database)] == [1, 2, 3]


def test_recording_nothing_takes_no_number(records: Records, database: Database) -> None:
    """An empty call leaves no gap."""
    records()
    records({"id": "only"})
    assert read(database)[0].seq == 1


def test_a_cursor_and_a_limit_make_pages(records: Records, database: Database) -> None:
    """Each page begins after the last number of the one before."""
    records(*({"id": name} for name in "abcde"))
    assert ids(read(database, limit=2)) == ["a", "b"]
    assert ids(read(database, after=2, limit=2)) == ["c", "d"]
    assert ids(read(database, after=4, limit=2)) == ["e"]
    assert ids(read(database, after=5)) == []


def test_one_conversation_is_read_alone(records: Records, database: Database) -> None:
    """And what belongs to none is left out."""
    records({"id": "a", "conversation_id": "one"}, {"id": "b", "conversation_id": "two"}, {"id": "c"}, {"id": "d", "conversation_id": "one"})
    assert ids(read(database, conversation_id="one")) == ["a", "d"]
    assert ids(read(database, conversation_id="three")) == []
    assert ids(read(database, conversation_id="one", after=1)) == ["d"]


def test_a_customer_is_all_their_visitors(records: Records, database: Database) -> None:
    """Phone and laptop joined under one name are one journey, and so is what is recorded under the name itself."""
    records(
        {"id": "a", "visitor_id": "phone"},
        {"id": "b", "visitor_id": "stranger"},
        {"id": "c", "visitor_id": "laptop"},
        {"id": "d", "visitor_id": "ada"},
    )
    with database.writing() as connection:
        for visitor in ("phone", "laptop"):
            connection.execute(insert(identities).values({"visitor": visitor, "customer": "ada", "from": NOON}))
    assert ids(read(database, customer="ada")) == ["a", "c", "d"]
    assert ids(read(database, customer="phone")) == ["a"]


def test_a_join_can_be_undone(records: Records, database: Database) -> None:
    """It was somebody else's phone after all; its touchpoints are there still, but not hers."""
    records({"id": "a", "visitor_id": "phone"})
    with database.writing() as connection:
        connection.execute(insert(identities).values({"visitor": "phone", "customer": "ada", "from": NOON}))
        connection.execute(update(identities).values(to=NOON))
    assert ids(read(database, customer="ada")) == []
    assert ids(read(database, customer="phone")) == ["a"]


def test_known_ids_are_told_from_new_ones(records: Records, database: Database) -> None:
    """A whole call's worth of ids is looked up at once."""
    records({"id": "a"}, {"id": "b"})
    with database.reading() as connection:
        assert known_ids(connection, ["a", "c", "b", *(f"new-{number}" for number in range(1000))]) == {"a", "b"}
        assert known_ids(connection, []) == set()


def test_numbers_of_different_counters_are_apart(database: Database) -> None:
    """Taking several at once returns the first of them."""
    with database.writing() as connection:
        assert next_number(connection, "touchpoint", 3) == 1
        assert next_number(connection, "touchpoint") == 4
        assert next_number(connection, "desk") == 1


def test_writers_side_by_side_leave_no_gap(database: Database) -> None:
    """Whoever commits later has the higher number, so no reader's cursor passes one that is still to come."""
    failures: list[BaseException] = []

    def write() -> None:
        for _ in range(5):
            while True:
                try:
                    with database.writing() as connection:
                        record(connection, [touchpoint(), touchpoint()], NOON)
                    break
                except StoreBusy:
                    continue
                except BaseException as failure:
                    failures.append(failure)
                    return

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert [recorded.seq for recorded in read(database)] == list(range(1, 41))


def test_recent_latencies_are_the_newest_of_a_kind(records: Records, database: Database) -> None:
    """By when they happened, without those of other kinds and those that have none."""
    waits = [{"kind": "queue_wait", "at": NOON + timedelta(minutes=minute), "latency_ms": minute * 1000} for minute in (2, 0, 3, 1)]
    records(*waits, {"kind": "queue_wait", "at": NOON + timedelta(hours=1)}, {"kind": "answer", "latency_ms": 7})
    with database.reading() as connection:
        assert recent_latencies_ms(connection, "queue_wait", limit=3) == [3000, 2000, 1000]
        assert recent_latencies_ms(connection, "phone_call") == []


def test_every_touchpoint_gets_an_id_of_its_own() -> None:
    """128 random bits: nobody guesses one, and no two are alike."""
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(name) for name in made} == {22}
    assert touchpoint().id != touchpoint().id


def test_a_touchpoint_cannot_be_changed_in_passing() -> None:
    """What is to be recorded is fixed; another one is a copy."""
    first = touchpoint(id="a")
    with pytest.raises(AttributeError):
        first.kind = "search"
    assert replace(first, kind="search").id == "a"
