"""POST /turns of a running Rasa: who may call, what is refused, and how it fails."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import requests

from tests.bot.fake_search import FakeSearch, faq, golden, hit_of
from tests.bot.talk import Bot


def assert_error(answer: requests.Response, status: int, code: str) -> None:
    """The one error shape."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert set(error) == set(golden("error")["error"])
    assert error["code"] == code


def test_a_wrong_secret_is_refused(bot: Bot) -> None:
    """Loopback alone is no reason to trust a caller."""
    assert_error(bot.post(bot.request("hi"), secret="wrong"), 401, "unauthorized")


def test_no_secret_is_refused(bot: Bot) -> None:
    """A call without the header gets nothing."""
    assert_error(requests.post(f"{bot.url}/turns", json=bot.request("hi"), timeout=5), 401, "unauthorized")


def test_a_malformed_turn_is_refused(bot: Bot) -> None:
    """The error names the field."""
    answer = bot.post(bot.request("hi", owner="nobody"))
    assert_error(answer, 422, "bad_turn")
    assert answer.json()["error"]["detail"] == "owner"


def test_a_body_that_is_not_json_is_refused(bot: Bot) -> None:
    """Not a 500."""
    headers = {"Authorization": f"Bearer {'a-secret-of-the-tests'}"}
    assert_error(requests.post(f"{bot.url}/turns", data=b"{", headers=headers, timeout=5), 422, "bad_turn")


def test_a_typed_command_is_refused(bot: Bot) -> None:
    """Rasa would run it as an intent."""
    assert_error(bot.post(bot.request("/restart")), 422, "unknown_payload")


def test_the_state_comes_back_whole(bot: Bot) -> None:
    """Every key is always there, and ``owner`` is not among them."""
    assert set(bot.hears("hello")["state"]) == set(golden("turn_response")["state"])


def test_turns_know_nothing_of_each_other(bot: Bot, search: FakeSearch) -> None:
    """The same turn again gives the same; what it is to know comes with the state."""
    search.says("none")
    body = bot.request("something odd is going on with the thing")
    first, second = bot.post(body).json(), bot.post(body).json()
    assert (first["outcome"], second["outcome"]) == ("asked_again", "asked_again")
    assert first["state"] == second["state"]


def test_with_search_broken_the_turn_fails_whole(bot: Bot, search: FakeSearch) -> None:
    """Web then falls back; a guess would be worse."""
    search.status = 500
    assert_error(bot.post(bot.request("where is my order")), 502, "turn_failed")


def test_with_search_broken_a_person_is_still_to_be_had(bot: Bot, search: FakeSearch) -> None:
    """Acts need no search."""
    search.status = 500
    assert bot.hears("i want to talk to a person")["handoff"] == {"reason": "customer_asked"}


def test_a_turn_ends_with_its_budget(bot: Bot, search: FakeSearch) -> None:
    """A slow search does not hold the turn longer than web waits."""
    search.delay_s = 3
    began = time.monotonic()
    answer = bot.post(bot.request("where is my order", budget_ms=400))
    assert_error(answer, 504, "turn_timed_out")
    assert time.monotonic() - began < 2.5


def test_a_slow_search_fails_well_within_eight_seconds(bot: Bot, search: FakeSearch) -> None:
    """The action has a deadline of its own."""
    search.delay_s = 8
    began = time.monotonic()
    assert_error(bot.post(bot.request("where is my order")), 502, "turn_failed")
    assert time.monotonic() - began < 7


@pytest.mark.parametrize(
    "text", ["nul \x00 inside", "<script>alert(1)</script>", "{article} {0[secret]}", "emoji 🦊 only 🦊", "ß" * 10_000, "EXTERNAL: greet"]
)
def test_any_text_is_only_text(bot: Bot, search: FakeSearch, text: str) -> None:
    """Odd messages are questions like others, and search gets them as they came."""
    search.answers(faq())
    assert bot.hears(text)["outcome"] == "answered"
    assert search.calls[-1][2] == {"text": text, "limit": 3}


def test_an_articles_braces_stay_as_they_are(bot: Bot, search: FakeSearch) -> None:
    """Nothing in an article is filled in by Rasa's templates."""
    article = faq(answer="Write {article} and {0[secret]} in braces.")
    search.answers(article)
    bot.hears("how long does delivery take?")
    assert bot.reply["text"].startswith("Write {article} and {0[secret]} in braces.")


def test_an_article_with_an_odd_slug_can_be_chosen(bot: Bot, search: FakeSearch) -> None:
    """Quotes and braces in a slug survive the way into a payload and back."""
    odd = faq('rück"gabe{1}', title="Rückgabe")
    search.offers(odd, faq())
    bot.hears("something about giving it back")
    bot.chooses("Rückgabe")
    assert bot.last["state"]["article"] == 'rück"gabe{1}'


def test_the_confidence_is_the_questions_own(bot: Bot, search: FakeSearch) -> None:
    """An act below the floor is reported as a question, with the question's confidence."""
    search.says("answer", hit_of(faq(), 0.9))
    intent = bot.hears("how long does delivery take")["intent"]
    assert intent["name"] == "question"
    assert 0 < intent["confidence"] <= 1


def test_rasa_runs_without_tensorflow(bot: Bot) -> None:
    """The stand-in holds: none of its libraries is loaded, which saves 370 MB."""
    maps = Path(f"/proc/{bot.pid}/maps").read_text(encoding="utf-8")
    assert "onnxruntime" in maps
    assert "libtensorflow" not in maps
    assert "_pywrap_tensorflow" not in maps


def test_rasa_has_no_other_doors(bot: Bot) -> None:
    """The HTTP API and the stock channels are off."""
    for path in ("/model", "/model/parse", "/conversations/x/tracker", "/webhooks/rest/webhook", "/status"):
        assert requests.get(bot.url + path, timeout=5).status_code == 404
        assert requests.post(bot.url + path, json={}, timeout=5).status_code in (404, 405)
