"""A process may be killed at any moment: what it had acknowledged is taken up by the next, and takes effect once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from desk.answering import MOST_CLAIMS, TryAgain
from desk.model import Turn
from desk.store import turns as turn_rows
from desk.turns import LEASE
from tests.desk.house import Agent, House, Visitor, said
from touchpoints.exceptions import StoreError

Step = Callable[[], object]


def test_a_message_whose_runner_died_is_answered_by_the_next(house: House, visitor: Visitor) -> None:
    """Not before the dead one's lease has run out, and then once."""
    house.cut_off(visitor, "hello")
    successor = house.another_runner()
    successor._recover()
    assert house.rasa.asked == [], "the lease still holds; its runner may be alive"
    house.clock.passes(LEASE.total_seconds())
    successor._recover()
    house.settle()
    assert visitor.hears() == ["hello", "You said: hello"]
    assert visitor.outcomes() == ["small_talk"]


@pytest.mark.parametrize("set_back_s", [3600, 86400])
def test_a_clock_that_was_set_back_holds_no_message_up(house: House, visitor: Visitor, set_back_s: float) -> None:
    """The dead one's lease lies an hour ahead, and so does the time of acceptance: the turn is taken up all the same, with no more than its time."""
    house.cut_off(visitor, "hello")
    house.clock.passes(-set_back_s)
    house.rasa.away = True
    successor = house.another_runner()
    successor._recover()
    house.settle(lambda: len(house.rasa.asked) > 0)
    house.clock.passes(9)
    house.settle(lambda: bool(successor._resume_due() or visitor.outcomes() != [None]))
    assert visitor.outcomes() == ["failed"]
    assert max(house.rasa.budgets) <= 8


def test_several_successors_take_a_turn_once(house: House, visitor: Visitor) -> None:
    """Claims keep runners on one database apart."""
    house.cut_off(visitor, "hello")
    house.clock.passes(3)
    for runner in [house.another_runner() for _ in range(4)]:
        runner._recover()
    house.settle()
    assert len(house.rasa.asked) == 1
    assert visitor.hears("bot") == ["You said: hello"]


def test_a_turn_with_a_living_runner_cannot_be_claimed(house: House, visitor: Visitor) -> None:
    """Whoever asks for it, twenty at once after the lease has run out included: one gets it."""
    house.cut_off(visitor, "hello")
    house.another_runner().claim(visitor.id)
    assert house.rasa.asked == []
    house.clock.passes(3)
    now = house.clock()

    def claim(_: int) -> Turn | None:
        with house.database.writing() as connection:
            return turn_rows.claim_next(connection, visitor.id, now, now + LEASE)

    with ThreadPoolExecutor(20) as claimers:
        claimed = [turn for turn in claimers.map(claim, range(20)) if turn]
    assert [turn.claim for turn in claimed] == [2]


def test_a_runner_that_was_only_slow_says_nothing_after_another_took_over(house: House, visitor: Visitor) -> None:
    """Its claim is void: neither its reply nor its state nor its hand-off is stored."""
    stale = house.cut_off(visitor, "hello")
    house.clock.passes(3)
    successor = house.another_runner()
    with house.rasa.thinking("hello") as asked:
        successor.claim(visitor.id)
        assert asked.wait(5)
        house.runner._commit(stale, said("handed_off", "from the grave", state={"stale": True}, handoff="error"))
        assert visitor.hears("bot") == []
    house.settle()
    house.runner._commit(stale, said("handed_off", "from the grave", state={"stale": True}, handoff="error"))
    assert visitor.hears("bot") == ["You said: hello"]
    assert visitor.outcomes() == ["small_talk"]
    assert visitor.owner() == "bot"
    assert "stale" not in house.rows("SELECT state FROM conversations")[0]["state"]


def test_a_living_runner_renews_what_takes_long(house: House, visitor: Visitor) -> None:
    """Nobody takes a turn over while its runner renews, however long Rasa thinks; once it stops renewing, somebody does."""
    successor = house.another_runner()
    with house.rasa.thinking("hard") as asked:
        visitor.says("hard")
        assert asked.wait(5)
        for _ in range(5):
            house.clock.passes(2)
            house.runner._renew()
            successor._recover()
        assert len(house.rasa.asked) == 1
        house.clock.passes(3)
        successor._recover()
    house.settle()
    assert visitor.hears("bot") == ["You said: hard"] or visitor.outcomes() == ["failed"]
    assert len(visitor.outcomes()) == 1


def test_a_stale_runner_cannot_renew(house: House, visitor: Visitor) -> None:
    """Renewing is under the claim, like the end of the turn."""
    stale = house.cut_off(visitor, "hello")
    house.clock.passes(3)
    with house.database.writing() as connection:
        fresh = turn_rows.claim_next(connection, visitor.id, house.clock(), house.clock() + LEASE)
        turn_rows.renew(connection, [stale], house.clock() + 100 * LEASE)
    assert fresh is not None
    assert fresh.claim == stale.claim + 1
    (row,) = visitor.turns()
    assert row.lease_until == house.clock() + LEASE


def test_turns_that_waited_behind_a_dead_one_follow_in_order(house: House, visitor: Visitor) -> None:
    """All of them, one after the other, without a tick between them."""
    house.cut_off(visitor, "one")
    visitor.says("two")
    visitor.says("three")
    assert [turn.status for turn in visitor.turns()] == ["running", "open", "open"]
    house.clock.passes(3)
    house.another_runner()._recover()
    house.settle()
    assert visitor.hears("bot") == ["You said: one", "You said: two", "You said: three"]


def test_killed_between_the_end_of_one_turn_and_the_next(house: House, visitor: Visitor) -> None:
    """The next one was claimed in the transaction that ended the first; that claim runs out like any other."""
    first = house.cut_off(visitor, "one")
    visitor.says("two")
    dying = house.another_runner()
    dying.stop()  # its pool takes nothing any more, as if it were killed right after the commit
    dying._commit(first, said("small_talk", "first answer"))
    assert [turn.status for turn in visitor.turns()] == ["done", "running"]
    house.clock.passes(3)
    house.another_runner()._recover()
    house.settle()
    assert visitor.hears("bot") == ["first answer", "You said: two"]


@pytest.mark.parametrize("table", ["events", "touchpoints", "turns", "conversations", "desk_changes"])
def test_the_end_of_a_turn_is_stored_whole_or_not_at_all(house: House, visitor: Visitor, table: str) -> None:
    """Reply, touchpoint, state, owner and outcome stand or fall together, wherever the database gives up."""
    turn = house.cut_off(visitor, "hello")
    before = everything(house)
    operation = "INSERT ON" if table in ("events", "touchpoints", "desk_changes") else "UPDATE ON"
    house.execute(f"CREATE TRIGGER fails BEFORE {operation} {table} BEGIN SELECT RAISE(ABORT, 'injected'); END")
    with pytest.raises(StoreError, match="injected"):
        house.runner._commit(turn, said("handed_off", "A person.", state={"n": 1}, handoff="not_solved"))
    house.execute("DROP TRIGGER fails")
    assert everything(house) == before
    house.clock.passes(3)
    house.another_runner()._recover()
    house.settle()
    assert visitor.hears("bot") == ["You said: hello"]


@pytest.mark.parametrize("table", ["events", "touchpoints", "turns", "desk_changes"])
def test_a_message_is_stored_whole_or_not_at_all(house: House, visitor: Visitor, table: str) -> None:
    """What was not acknowledged left nothing, neither event without touchpoint nor touchpoint without event; sent again it is new."""
    before = everything(house)
    house.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'injected'); END")
    with pytest.raises(StoreError, match="injected"):
        visitor.says("hello", client_id="once")
    assert everything(house) == before
    house.execute("DROP TRIGGER fails")
    assert not visitor.says("hello", client_id="once").repeated
    house.settle()
    assert visitor.outcomes() == ["small_talk"]


@pytest.mark.parametrize("table", ["events", "touchpoints"])
def test_what_an_agent_does_is_stored_whole_or_not_at_all(house: House, visitor: Visitor, agent: Agent, table: str) -> None:
    """Taking, writing, transferring and closing leave no half of themselves."""
    house.customers.ask_for_person(visitor.token, visitor.id)
    agents, person = house.agents, agent.person
    steps: tuple[tuple[Step, Step], ...] = (
        (lambda: agents.accept(person, visitor.id), lambda: agents.accept(person, visitor.id)),
        (lambda: agents.say(person, visitor.id, "x", "hi"), lambda: None),
        (lambda: agents.transfer(person, visitor.id, "for Bob"), lambda: None),
        (lambda: agents.close(person, visitor.id, "solved"), lambda: None),
    )
    for fails, works in steps:
        before = everything(house)
        house.execute(f"CREATE TRIGGER fails BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'injected'); END")
        with pytest.raises(StoreError, match="injected"):
            fails()
        house.execute("DROP TRIGGER fails")
        assert everything(house) == before
        works()


def test_working_an_answer_out_writes_nothing(house: House, visitor: Visitor) -> None:
    """Trying twice is trying once, because only the end of a turn has an effect."""
    turn: Turn = house.cut_off(visitor, "hello")
    before = everything(house)
    house.rasa.away = True
    answering = house.runner._answering
    assert isinstance(answering.answer(turn, 0), TryAgain)
    house.rasa.away = False
    assert not isinstance(answering.answer(turn, 1), TryAgain)
    assert everything(house) == before


def everything(house: House) -> dict[str, list[dict[str, object]]]:
    """All rows of the tables that a conversation touches."""
    tables = ("conversations", "events", "turns", "touchpoints", "desk_changes", "notes", "counters")
    return {table: house.rows(f"SELECT * FROM {table}") for table in tables}


def test_a_turn_that_breaks_every_runner_ends_in_words(house: House, visitor: Visitor) -> None:
    """Taken up again and again, it is not asked of Rasa once more: its customer is told."""
    house.cut_off(visitor, "hello")
    for _ in range(MOST_CLAIMS - 1):
        house.clock.passes(3)
        with house.database.writing() as connection:
            turn_rows.claim_next(connection, visitor.id, house.clock(), house.clock() + LEASE)
    house.clock.passes(3)
    house.another_runner()._recover()
    house.settle()
    assert house.rasa.asked == []
    assert visitor.outcomes() == ["failed"]
