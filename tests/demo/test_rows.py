"""Rows of the demo: taken over marked and numbered anew, and taken away so that nothing else changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desk.migrate import migrate
from desk.store.demo import has_demo, remove_demo, take_over
from tests.desk.house import House
from touchpoints.database import Database, open_database
from touchpoints.schema import metadata

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as the first start leaves it."""
    path = tmp_path_factory.mktemp("fresh") / "touchdesk.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    database.engine.dispose()
    return path


@pytest.fixture
def real(fresh: Path, tmp_path: Path) -> Iterator[House]:
    """The real house, with a conversation, a rating and a reader of its own."""
    house = House(Path(shutil.copy(fresh, tmp_path / "real.sqlite")))
    whole_conversation(house, "Rosa")
    yield house
    house.close()


@pytest.fixture
def played(fresh: Path, tmp_path: Path) -> Iterator[House]:
    """The house that was played in: the same, a shop's touchpoint, and an administrator."""
    house = House(Path(shutil.copy(fresh, tmp_path / "played.sqlite")))
    whole_conversation(house, "Ada")
    house.accounts.add("shop@demo.invalid", "Shop (demo)", "correct horse battery", "administrator")
    bought = {"id": "demo:1", "customer": "demo:joe", "kind": "purchase", "stage": "purchase", "channel": "web", "at": "2026-11-20T10:00:00Z"}
    assert house.ledger.take([bought]).accepted == 1
    yield house
    house.close()


def whole_conversation(house: House, agent: str) -> None:
    """Question, answer, person, note, reply, close, rating; and somebody who only reads."""
    visitor, person = house.visitor(), house.agent(agent)
    visitor.is_answered("my router has a red light")
    visitor.asks_for_a_person()
    person.accepts(visitor)
    house.agents.note(person.person, visitor.id, "Seems to be the cable.")
    person.says(visitor, "Hello!")
    person.closes(visitor)
    visitor.rates(4)
    house.ledger.article_feedback("router-red-light", True, None)


def dump(database: Database) -> Dump:
    """Every row of every table but the counters, which never go back."""
    tables = [table for table in metadata.sorted_tables if table.name != "counters"]
    with database.reading() as connection:
        return {table.name: sorted(map(tuple, connection.execute(select(table))), key=repr) for table in tables}


def taken_over(played: House, real: House) -> dict[str, int]:
    with played.database.reading() as source, real.database.writing() as target:
        return take_over(source, target)


def removed(real: House) -> dict[str, int]:
    with real.database.writing() as connection:
        return remove_demo(connection, NOW)


def test_what_was_played_is_there_and_marked(played: House, real: House) -> None:
    """Visitors, staff and each touchpoint carry the mark; readers of exports see it too; nothing real does."""
    before = len(real.rows("SELECT id FROM touchpoints"))
    counts = taken_over(played, real)
    assert counts["touchpoints"] == len(played.rows("SELECT id FROM touchpoints"))
    assert counts["conversations"] == counts["visitors"] == counts["staff"] == counts["notes"] == counts["survey_answers"] == 1
    marked = [row.touchpoint.data.get("demo") for row in real.ledger.read()]
    assert marked == [None] * before + [True] * counts["touchpoints"]
    assert [row["demo"] for row in real.rows("SELECT demo FROM touchpoints ORDER BY seq")] == [0] * before + [1] * counts["touchpoints"]
    assert {row["name"]: row["demo"] for row in real.rows("SELECT name, demo FROM staff")} == {"Rosa": 0, "Ada": 1}


def test_numbers_follow_on_those_that_are_there(played: House, real: House) -> None:
    """The ledger and the desk's stream have no gap, in the order in which it was played, and go on from there."""
    taken_over(played, real)
    for table, column in (("touchpoints", "seq"), ("desk_changes", "number")):
        numbers = [row[column] for row in real.rows(f"SELECT {column} FROM {table} ORDER BY 1")]
        assert numbers == list(range(1, len(numbers) + 1))
    order = [row["id"] for row in played.rows("SELECT id FROM touchpoints ORDER BY seq")]
    assert [row["id"] for row in real.rows("SELECT id FROM touchpoints WHERE demo ORDER BY seq")] == order
    whole_conversation(real, "Eva")
    assert len(real.rows("SELECT id FROM touchpoints WHERE seq > 0")) == max(row["seq"] for row in real.rows("SELECT seq FROM touchpoints"))


def test_what_only_the_play_needed_stays_behind(played: House, real: House) -> None:
    """No session, no API key and no administrator comes along."""
    played.accounts.sign_in("shop@demo.invalid", "correct horse battery")
    admin = played.rows("SELECT id FROM staff WHERE role = 'administrator'")[0]["id"]
    played.ledger.make_key("Shop (demo)", admin)
    taken_over(played, real)
    assert real.rows("SELECT * FROM sessions") == real.rows("SELECT * FROM api_keys") == []
    assert real.rows("SELECT id FROM staff WHERE role = 'administrator'") == []


def test_removal_leaves_every_other_row_as_it_was(played: House, real: House) -> None:
    """All tables are the same as before, row by row; there is nothing more to remove."""
    before = dump(real.database)
    taken_over(played, real)
    assert dump(real.database) != before
    assert removed(real)["conversations"] == 1
    assert dump(real.database) == before
    with real.database.reading() as connection:
        assert not has_demo(connection)


def test_numbers_of_removed_rows_are_not_given_out_again(played: House, real: House) -> None:
    """A reader that keeps its place in the ledger misses nothing that comes afterwards."""
    taken_over(played, real)
    highest = max(row["seq"] for row in real.rows("SELECT seq FROM touchpoints"))
    removed(real)
    real.ledger.article_feedback("router-red-light", False, None)
    assert [row.seq for row in real.ledger.read(after=highest)] == [highest + 1]


def test_what_real_people_did_with_a_made_up_customer_goes_too(played: House, real: House) -> None:
    """A real agent's note, a reader of a made-up conversation's link: all of it hangs on the demo."""
    eva = real.agent("Eva").person
    before = dump(real.database)
    taken_over(played, real)
    (talk,) = real.rows("SELECT c.id FROM conversations c JOIN visitors v ON v.id = c.visitor_id WHERE v.demo")
    real.agents.note(eva, talk["id"], "Who is this?")
    real.reading.article_view("router-red-light", real.tokens.reference(talk["id"]))
    removed(real)
    assert dump(real.database) == before


def test_a_made_up_agent_with_a_real_conversation_stays_disabled(played: House, real: House) -> None:
    """The real conversation is as it was; the account opens nothing any more, and its address is free for the next play."""
    taken_over(played, real)
    ada = real.rows("SELECT id, email FROM staff WHERE demo")[0]
    visitor = real.visitor()
    real.execute("UPDATE conversations SET owner = 'agent', agent_id = :ada WHERE id = :id", ada=ada["id"], id=visitor.id)
    assert removed(real)["staff"] == 0
    (left,) = real.rows("SELECT * FROM staff WHERE demo")
    assert left["disabled_at"] is not None
    assert left["email"] != ada["email"]
    assert visitor.owner() == "agent"
    with real.database.reading() as connection:
        assert not has_demo(connection)
