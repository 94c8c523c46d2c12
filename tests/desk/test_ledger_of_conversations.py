"""Every event has its touchpoint and every touchpoint of a conversation its event, whatever happened in between."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from desk.ledger_rules import touchpoint_of
from desk.model import Conversation, Event, Reply
from tests.desk.house import Agent, House, Visitor, answered, said, source
from touchpoints.catalogue import read_catalogue
from touchpoints.model import Touchpoint

AT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
CONVERSATION = Conversation(id="c", visitor_id="v", owner="closed", last=9, state={}, created_at=AT, updated_at=AT)


def a_long_mixed_conversation(house: House, visitor: Visitor) -> None:
    """Bot, fallback, queue, two agents, transfer, return, an opened article, close and rating."""
    ada, bob = house.agent("Ada"), house.agent("Bob")
    house.rasa.results |= {
        "router is red": answered(),
        "a camera": said("offered_choices", "Which one?"),
        "first step": said("guide_step", "Pull the plug."),
        "still red": said("handed_off", "A person is coming.", handoff="not_solved"),
    }
    for text in ("hello", "router is red", "a camera", "first step"):
        visitor.is_answered(text)
        house.clock.passes(1)
    house.rasa.away, house.search.verdict = True, "answer"
    visitor.is_answered("is it red?")
    house.rasa.away = False
    visitor.is_answered("still red")
    house.clock.passes(30)
    ada.accepts(visitor)
    visitor.says("hello Ada")
    ada.says(visitor, "Hello, let me look.")
    house.agents.note(ada.person, visitor.id, "a nice one")
    ada.transfers(visitor, "for Bob")
    bob.says(visitor, "Bob here.")
    bob.returns_to_bot(visitor)
    visitor.is_answered("hello bot")
    visitor.asks_for_a_person()
    visitor.changes_their_mind()
    with house.rasa.thinking("quick") as asked:
        visitor.says("quick")
        assert asked.wait(5)
        ada.says(visitor, "I take it.")
    house.clock.passes(50)
    house.agents.relieve()
    bob.accepts(visitor)
    bob.closes(visitor, "solved")
    visitor.rates(5)


def event_of(entry: Touchpoint) -> int | None:
    return entry.data.get("event")


def test_events_and_ledger_hold_each_other_row_by_row(house: House, visitor: Visitor) -> None:
    """Both ways, and the touchpoint is what the rules make of the event, recorded in the same order."""
    bystander = house.visitor()
    bystander.is_answered("hello")
    a_long_mixed_conversation(house, visitor)
    events, recorded = visitor.sees(), visitor.touchpoints()
    assert [event.seq for event in events] == [event_of(entry.touchpoint) for entry in recorded]
    conversation, _ = house.customers.conversation(visitor.token, visitor.id)
    for event, entry in zip(events, recorded, strict=True):
        stored = entry.touchpoint
        made = touchpoint_of(event, conversation, {"router-red-light": "service"}.get, stored.latency_ms)
        wanted, found = (dict(vars(one)) | {"id": "", "data": dict(one.data)} for one in (made, stored))
        assert found == wanted
    numbers = [entry["seq"] for entry in house.rows("SELECT seq FROM touchpoints ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_kind_is_counted_as_often_as_it_happened(house: House, visitor: Visitor) -> None:
    """What an owner would count by hand, and only kinds, actors and channels of the catalogue."""
    a_long_mixed_conversation(house, visitor)
    entries = [entry.touchpoint for entry in visitor.touchpoints()]
    assert Counter(entry.kind for entry in entries) == {
        "question": 9,
        "answer": 5,
        "suggestion": 1,
        "guide_step": 1,
        "handoff": 2,
        "queue_wait": 4,
        "agent_reply": 3,
        "transfer": 2,
        "return_to_bot": 2,
        "close": 1,
        "survey": 2,
    }
    assert {entry.kind for entry in entries} <= set(read_catalogue().kinds)
    assert {entry.visitor_id for entry in entries} == {house.tokens.visitor(visitor.token)}


def test_latency_is_what_the_other_side_waited(house: House, visitor: Visitor) -> None:
    """The answer's since acceptance, the agent's since the queue was entered; nothing else has one."""
    with house.rasa.thinking("hello") as asked:
        visitor.says("hello")
        assert asked.wait(5)
        house.clock.passes(1.5)
    house.settle()
    visitor.asks_for_a_person()
    house.clock.passes(90)
    house.agent().accepts(visitor)
    waits = {entry.touchpoint.kind: entry.touchpoint.latency_ms for entry in visitor.touchpoints()}
    assert waits == {"question": None, "answer": 1500, "handoff": None, "queue_wait": 90_000}


def test_the_stage_comes_from_the_article(house: House, visitor: Visitor) -> None:
    """An answer about choosing is of the consideration stage; anything without an article is service."""
    reply = Reply(text="Take this.", outcome="answered", sources=(source("choose-a-camera", 0.8),))
    house.rasa.results["which camera"] = answered(replies=(reply,))
    visitor.is_answered("which camera")
    question, answer = (entry.touchpoint for entry in visitor.touchpoints())
    assert (question.stage, question.article) == ("service", None)
    assert (answer.stage, answer.article, answer.confidence, answer.outcome) == ("consideration", "choose-a-camera", 0.8, "answered")


@pytest.mark.parametrize(("score", "emotion"), [(1, "negative"), (2, "negative"), (3, "neutral"), (4, "positive"), (5, "positive")])
def test_a_rating_has_an_emotion(score: int, emotion: str) -> None:
    """The asking has none."""
    rated, asked = (survey({"state": "answered", "question": "csat", "score": score}), survey({"state": "asked", "question": "csat"}))
    assert (rated.kind, rated.emotion, rated.actor) == ("survey", emotion, "customer")
    assert (asked.emotion, asked.actor, asked.outcome) == (None, "system", "asked")


def survey(data: dict[str, Any]) -> Touchpoint:
    return touchpoint_of(Event(conversation_id="c", seq=9, type="survey", at=AT, data=data), CONVERSATION, lambda slug: None)


def test_an_opened_article_is_seen_by_the_agent_and_joined_to_the_conversation(house: House, visitor: Visitor, agent: Agent) -> None:
    """By the reference in its address; a worthless one is a view of nobody's."""
    house.rasa.results["router is red"] = answered()
    (reply,) = visitor.is_answered("router is red")
    reference = reply.data["sources"][0]["url"].partition("?ref=")[2].partition("#")[0]
    house.reading.article_view("router-red-light", reference)
    house.reading.article_view("router-red-light", "forged")
    house.reading.article_view("router-red-light", None)
    assert [shown.opened for shown in agent.opens(visitor).shown_articles] == [True]
    views = house.rows("SELECT conversation_id, channel FROM touchpoints WHERE kind = 'article_view' ORDER BY seq")
    assert views == [{"conversation_id": visitor.id, "channel": "widget"}] + [{"conversation_id": None, "channel": "help_centre"}] * 2
