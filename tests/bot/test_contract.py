"""The bot's side of the golden files."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.turns import EMPTY_STATE, OUTCOMES, PAYLOADS
from tests.bot.conftest import ROOT
from tests.bot.fake_search import FakeSearch, golden
from tests.bot.talk import Bot

REASONS = {"customer_asked", "not_sure_twice", "not_solved", "sensitive_topic"}


def shape(value: object) -> object:
    """Keys and kinds of a JSON value; texts and numbers do not matter."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in sorted(value.items())}
    return [shape(part) for part in value] if isinstance(value, list) else type(value).__name__


def variants() -> list[dict[str, Any]]:
    """Every wording in domain.yml."""
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    return [variant for wordings in domain["responses"].values() for variant in wordings]


def test_the_golden_turn(bot: Bot, search: FakeSearch) -> None:
    """The golden request, with the golden answer of search, gives the golden response but for its wording."""
    search.found = golden("search_response")
    answer, wanted = bot.post(golden("turn_request")).json(), golden("turn_response")
    assert shape(answer) == shape(wanted)
    assert (answer["outcome"], answer["state"], answer["handoff"], answer["verdict"]) == ("answered", wanted["state"], None, None)
    (reply,), (wanted_reply,) = answer["replies"], wanted["replies"]
    assert (reply["choices"], reply["sources"]) == (wanted_reply["choices"], wanted_reply["sources"])
    assert reply["body"][:-1] == wanted_reply["body"][:-1]
    assert reply["text"] == "\n\n".join(node["children"][0]["text"] for node in reply["body"])


def test_search_is_asked_as_agreed(bot: Bot, search: FakeSearch) -> None:
    """The golden turn makes the golden request of search."""
    search.found = golden("search_response")
    bot.post(golden("turn_request"))
    assert search.calls == [("POST", "/search", golden("search_request"))]


def test_the_golden_hand_off(bot: Bot) -> None:
    """A no to the golden answer."""
    wanted = golden("turn_response_handoff")
    answer = bot.post({**golden("turn_request"), "text": "/deny", "state": golden("turn_response")["state"]}).json()
    assert shape(answer) == shape(wanted)
    assert {**answer, "replies": [], "intent": {}} == {**wanted, "replies": [], "intent": {}}
    assert answer["replies"][0]["choices"] == wanted["replies"][0]["choices"]


def test_the_state_has_the_agreed_keys() -> None:
    """No more and no fewer."""
    assert set(EMPTY_STATE) == set(golden("turn_request")["state"]) == set(golden("turn_response")["state"])


def test_every_wording_says_what_became_of_the_message() -> None:
    """An outcome of the list, a reason of the list, and only when handing over."""
    for variant in variants():
        custom = variant["custom"]
        assert set(custom) <= {"outcome", "handoff", "verdict"}
        assert custom["outcome"] in OUTCOMES
        assert ("handoff" in custom) == (custom["outcome"] == "handed_off")
        assert custom.get("handoff", "not_solved") in REASONS


def test_every_button_sends_an_agreed_payload() -> None:
    """What the bot offers, the channel takes."""
    for variant in variants():
        for button in variant.get("buttons", []):
            assert button["payload"].removeprefix("/").split("{")[0] in PAYLOADS


@pytest.mark.parametrize("name", ["utter_failed", "utter_solved_question", "utter_solved_question_guide", "utter_handed_off", "utter_noted"])
def test_what_web_says_itself_is_there(name: str) -> None:
    """Each has a wording that needs no condition."""
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert [wording for wording in domain["responses"][name] if "condition" not in wording]
