"""The rules without I/O: what may be sent, how long one waits, when Rasa is left alone, what the agent is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from desk.breaker import Breaker
from desk.exceptions import MessageInvalid, MessageTooLong
from desk.messages import body_hash, check_client_id, check_text, title_of_choice, turn_input
from desk.model import TEXT_LIMIT, Event
from desk.phrases import Phrases
from desk.queue_figures import wait_range_s
from desk.shown_articles import shown_articles
from kit.settings import ROOT
from tests.desk.house import source

AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("where is my order", "where is my order"),
        ("/restart", "restart"),
        ("  \t/ /restart", "restart"),
        ("\u200b\u2060/\ufeff/restart", "restart"),
        ("\u00a0/session_start", "session_start"),
        ("\x1c/restart", "restart"),
        ("either/or", "either/or"),
        ("///", "?"),
    ],
)
def test_no_text_reaches_rasa_as_a_command(said: str, read: str) -> None:
    """Blanks and slashes at the start go, with the marks that only look like nothing; slashes within stay."""
    assert turn_input(check_text(said)) == read


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b", "\u2060\u200f \ufeff", "\u202e"])
def test_a_message_of_nothing_to_see_is_empty(text: str) -> None:
    """Blanks and marks of no width alone are no message."""
    with pytest.raises(MessageInvalid, match="empty"):
        check_text(text)


@pytest.mark.parametrize("text", ["👩‍👩‍👧‍👦", "e\u0301" * 4000, "<script>alert(1)</script>", "\u202etxet", "مرحبا", "x" * TEXT_LIMIT])
def test_strange_text_is_kept_as_it_was_written(text: str) -> None:
    """Nothing is trimmed, normalised or escaped on the way in."""
    assert check_text(text) is text


@pytest.mark.parametrize("text", [None, 5, 1.5, True, [], {}, b"bytes", "a\0b", "a\ud800b", "\udfff"])
def test_what_cannot_be_stored_is_refused(text: object) -> None:
    """Other types, NUL, and halves of characters."""
    with pytest.raises(MessageInvalid) as refusal:
        check_text(text, "note")
    assert refusal.value.detail == {"field": "note"}


def test_a_text_too_long_says_how_long_it_may_be() -> None:
    """One character over the limit is refused, and the limit named."""
    with pytest.raises(MessageTooLong) as refusal:
        check_text("x" * (TEXT_LIMIT + 1))
    assert refusal.value.detail == {"field": "text", "limit": TEXT_LIMIT}


@pytest.mark.parametrize("client_id", [None, "", 7, "a" * 65, "a b", "a\n", "ä", "../x", ["a"]])
def test_a_client_id_has_one_form(client_id: object) -> None:
    """1 to 64 letters, digits, - or _, and not even a line feed after them."""
    with pytest.raises(MessageInvalid):
        check_client_id(client_id)
    assert check_client_id("aZ09_-") == "aZ09_-"


def test_the_hash_of_a_body_tells_text_from_payload() -> None:
    """The same words typed and pressed are two messages."""
    assert body_hash({"text": "/affirm"}) != body_hash({"payload": "/affirm"})
    assert body_hash({"text": "é"}) != body_hash({"text": "e\u0301"})
    assert body_hash({"text": "a"}) == body_hash({"text": "a"})


def offer(*choices: tuple[str, str]) -> Event:
    data = {"author": "bot", "text": "?", "choices": [{"title": title, "payload": payload} for title, payload in choices]}
    return Event(conversation_id="c", seq=1, type="message", at=AT, data=data)


def test_a_payload_stands_for_the_choice_that_was_offered() -> None:
    """Any choice ever offered in the conversation may be pressed, and none other."""
    plain = Event(conversation_id="c", seq=2, type="owner", at=AT, data={"owner": "bot", "reason": "x"})
    events = [offer(("Yes", "/affirm")), plain, offer(("No", "/deny"))]
    assert title_of_choice("/affirm", events) == "Yes"
    for payload in ("/restart", "/affirm ", "", None, 7, ["/affirm"], {"a": 1}):
        with pytest.raises(MessageInvalid):
            title_of_choice(payload, events)


def test_nothing_is_promised_while_too_few_waits_are_known() -> None:
    """Below five waits there is no range."""
    assert wait_range_s([1000] * 4, 1) == (None, None)
    assert wait_range_s([], 3) == (None, None)


def test_the_range_of_waiting_comes_from_how_long_others_waited() -> None:
    """From the 20th percentile up to the 80th times the place in the queue; never less than a second."""
    waits = [seconds * 1000 for seconds in (60, 10, 30, 20, 40, 50)]
    assert wait_range_s(waits, 1) == (20, 50)
    assert wait_range_s(waits, 3) == (20, 150)
    assert wait_range_s([0] * 5, 1) == (0, 1)


def test_a_breaker_leaves_rasa_alone_and_tries_again_now_and_then() -> None:
    """After four failures in a row one call a second goes through; one success closes it."""
    now = [0.0]
    breaker = Breaker(failures=4, pause_s=1.0, monotonic=lambda: now[0])
    for _ in range(4):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    now[0] = 1.0
    assert breaker.allows()
    assert not breaker.allows(), "only one call a second goes through"
    breaker.failed()
    now[0] = 1.9
    assert not breaker.allows()
    now[0] = 2.0
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.allows()


def test_single_failures_open_nothing() -> None:
    """A success in between begins the count anew."""
    breaker = Breaker(failures=2)
    for _ in range(5):
        breaker.failed()
        breaker.succeeded()
    assert breaker.allows()


def test_the_agent_sees_each_shown_article_once_with_its_best_confidence() -> None:
    """In the order first shown, with whether it was opened and what the customer thought of it."""
    transcript = [
        Event(conversation_id="c", seq=1, type="message", at=AT, data={"sources": [source("b", 0.4), source("a", 0.7)]}),
        Event(conversation_id="c", seq=2, type="message", at=AT, data={"sources": [source("b", 0.8)]}),
        Event(conversation_id="c", seq=3, type="message", at=AT, data={"sources": None}),
    ]
    first, second = shown_articles(transcript, {"a", None}, {"b": False})
    assert (first.slug, first.confidence, first.opened, first.verdict) == ("b", 0.8, False, "not_solved")
    assert (second.slug, second.confidence, second.opened, second.verdict) == ("a", 0.7, True, None)


def test_the_bots_own_words_come_from_the_domain() -> None:
    """Filled in as Rasa would, with buttons; a domain without a needed response stops the start."""
    reply = Phrases.read(ROOT / "domain.yml").say("utter_solved_question_guide", "answered", article="slow-wifi")
    assert '/start_guide{"article": "slow-wifi"}' in [choice["payload"] for choice in reply.choices]
    with pytest.raises(ValueError, match="utter_noted"):
        Phrases({"utter_failed": [{"text": "Sorry."}]})
    with pytest.raises(ValueError, match="utter_failed"):
        Phrases({"utter_failed": [{"text": "Only while queued.", "condition": [{}]}]})
