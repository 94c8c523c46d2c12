"""Reading a turn and composing its answer, without Rasa."""

from __future__ import annotations

from typing import Any

import pytest

from bot.turns import EMPTY_STATE, BadTurn, TurnFailed, UnknownPayload, act_meant, read_turn, response_of, slots_of
from tests.bot.fake_search import golden

Json = dict[str, Any]
INTENT = {"name": "question", "confidence": 0.31}


def request(**changes: object) -> Json:
    return {**golden("turn_request"), **changes}


def slots(**changes: object) -> Json:
    return {**EMPTY_STATE, "result": None, "card": None, **changes}


def message(**changes: object) -> Json:
    return {"text": "Hello!", "custom": {"outcome": "small_talk"}, **changes}


def test_the_golden_request_is_read() -> None:
    """What web sends is a turn."""
    turn = read_turn(golden("turn_request"))
    assert (turn.text, turn.owner, turn.budget_s) == ("my router has a red light", "bot", 7.9)


def test_the_first_turn_has_an_empty_state() -> None:
    """``{}`` is the state of a new conversation."""
    assert read_turn(request(state={})).state == EMPTY_STATE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("turn_id", ""), ("turn_id", 7), ("turn_id", "t" * 201), ("text", ""), ("text", "  \n"), ("text", None), ("text", "x" * 20_001),
        ("text", "half a \ud83d letter"), ("owner", "agent"), ("owner", None), ("budget_ms", 0), ("budget_ms", -5), ("budget_ms", True),
        ("budget_ms", "7900"), ("budget_ms", float("nan")), ("budget_ms", float("inf")), ("state", None), ("state", []), ("state", {"secret": 1}),
        ("state", {"misses": "1"}), ("state", {"misses": True}), ("state", {"pending": "maybe"}), ("state", {"article": 3}),
        ("state", {"shown": "a"}),
        ("state", {"shown": [1]}), ("state", {"noted": 1}), ("state", {"step": {}}), ("state", {"question": 7}),
    ],
)  # fmt: skip
def test_a_malformed_field_is_named(field: str, value: object) -> None:
    """The error says which field is wrong."""
    with pytest.raises(BadTurn) as caught:
        read_turn(request(**{field: value}))
    assert caught.value.detail == field


@pytest.mark.parametrize("body", [None, [], "text", 3])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    """Only an object is a turn."""
    with pytest.raises(BadTurn):
        read_turn(body)


@pytest.mark.parametrize(
    "payload", ["/affirm", "/start_again", '/choose_article{"article": "a-b"}', '/step_option{"target": "step-1"}', "/cancel_handoff{}"]
)
def test_payloads_of_choices_are_taken(payload: str) -> None:
    """A choice of the bot comes back as it went out."""
    assert read_turn(request(text=f" {payload} ")).text == payload


@pytest.mark.parametrize(
    "payload",
    [
        "/restart", "/", "/greet", "/question", "/sensitive", "/affirm please", "/affirm@1.0", '/affirm{"article": "a"}', "/choose_article",
        '/choose_article{"article": 3}', '/choose_article{"article": ""}', '/choose_article{"slug": "a"}', '/choose_article{"article"}', "//affirm",
        '/choose_article{"article": "a", "target": "b"}', "/session_start",
    ],
)  # fmt: skip
def test_other_payloads_are_refused(payload: str) -> None:
    """Text that begins with a slash would run as an intent: only known choices may."""
    with pytest.raises(UnknownPayload):
        read_turn(request(text=payload))


def test_rules_see_what_was_asked_before() -> None:
    """``asked`` and ``in_guide`` are the state at the beginning of the turn."""
    found = slots_of(read_turn(request(state={"pending": "guide", "guide": "g", "step": "s"})))
    assert (found["asked"], found["in_guide"], found["owner"], found["step"]) == ("guide", True, "bot", "s")


def test_with_the_bot_nothing_is_noted() -> None:
    """The next time a customer waits, they are told anew that a person will read it."""
    assert slots_of(read_turn(request(state={"noted": True})))["noted"] is False
    assert slots_of(read_turn(request(state={"noted": True}, owner="queued")))["noted"] is True


def test_words_alone_have_no_body() -> None:
    """A reply without an article is its text."""
    answer = response_of(INTENT, [message()], slots())
    assert answer["replies"] == [{"text": "Hello!", "body": None, "choices": [], "sources": [], "outcome": "small_talk"}]


def test_a_card_comes_before_the_words() -> None:
    """The article's text, nodes and choices come first, then what Rasa says."""
    nodes = [{"el": "p", "children": [{"el": "text", "text": "Two days."}]}]
    card = {"text": "Two days.", "body": nodes, "choices": [{"title": "A", "payload": "/affirm"}], "sources": [{"slug": "a"}]}
    buttons = [{"title": "None", "payload": "/deny", "type": "postback"}]
    (reply,) = response_of(INTENT, [message(buttons=buttons)], slots(card=card))["replies"]
    assert reply["text"] == "Two days.\n\nHello!"
    assert [node["children"][0]["text"] for node in reply["body"]] == ["Two days.", "Hello!"]
    assert reply["choices"] == [{"title": "A", "payload": "/affirm"}, {"title": "None", "payload": "/deny"}]
    assert reply["sources"] == [{"slug": "a"}]


def test_a_hand_over_gives_reason_and_verdict() -> None:
    """They stand with the words in domain.yml."""
    custom = {"outcome": "handed_off", "handoff": "not_solved", "verdict": {"slug": "a", "solved": False}}
    answer = response_of(INTENT, [message(custom=custom)], slots())
    assert (answer["outcome"], answer["handoff"], answer["verdict"]) == ("handed_off", {"reason": "not_solved"}, {"slug": "a", "solved": False})


def test_a_silent_turn_is_noted() -> None:
    """Silence is an outcome only when an action wanted it."""
    answer = response_of(INTENT, [], slots(result="silent", noted=True))
    assert (answer["outcome"], answer["replies"], answer["state"]["noted"]) == ("noted", [], True)


@pytest.mark.parametrize(
    "messages",
    [[], [message(), message()], [message(custom={})], [message(custom={"outcome": "great"})], [message(text="")], [message(text=None)]],
)
def test_anything_less_than_one_whole_reply_fails(messages: list[Json]) -> None:
    """No half answer ever leaves."""
    with pytest.raises(TurnFailed):
        response_of(INTENT, messages, slots())


@pytest.mark.parametrize(
    ("outcome", "intent"), [("small_talk", "help"), ("noted", "help"), ("answered", "question"), ("offered_choices", "question")]
)
def test_what_was_perhaps_an_act_is_recorded_as_what_it_was(outcome: str, intent: str) -> None:
    """The act where it was meant, a question where an article was shown."""
    answer = {"intent": {"name": "question", "confidence": 0.3}, "outcome": outcome}
    entities = [{"entity": "perhaps", "value": "help", "confidence": 0.61239}]
    assert act_meant(answer, entities)["intent"]["name"] == intent
    assert act_meant(answer, []) == answer
