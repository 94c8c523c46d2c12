"""Each action by itself: slots in, slots out, and what it asks of search."""

from __future__ import annotations

import pytest
import yaml

from actions.search_client import SearchError
from actions.server import ACTIONS
from tests.actions.conftest import Desk
from tests.bot.fake_search import CONTRACT, FakeSearch, faq, guide

SLUG = "router-red-light"
FIRST, OPTIONS, LAST = "step-1-restart-the-router", "step-2-what-colour-is-the-light", "step-3-check-the-cable"


def at(desk: Desk, step: str) -> None:
    """Stand at a step of the golden guide."""
    desk.slots.update(guide=SLUG, step=step, pending="guide")


def test_every_action_of_the_domain_is_there() -> None:
    """And no other."""
    domain = yaml.safe_load((CONTRACT.parents[1] / "domain.yml").read_text(encoding="utf-8"))
    assert sorted(action.name(None) for action in ACTIONS) == sorted(domain["actions"])  # type: ignore[attr-defined]


def test_a_sure_answer(desk: Desk, search: FakeSearch) -> None:
    """The best hit becomes the card."""
    search.answers(faq())
    assert desk.runs("answer", "how long does it take") == "answered"
    assert search.calls == [("POST", "/search", {"text": "how long does it take", "limit": 3})]
    assert (desk.slots["pending"], desk.slots["article"], desk.slots["shown"]) == ("solved", "delivery-times", ["delivery-times"])
    assert desk.slots["card"]["sources"][0]["confidence"] == 0.91


def test_a_sure_answer_that_is_a_guide(desk: Desk, search: FakeSearch) -> None:
    """Rules then offer to walk it."""
    search.answers(guide())
    assert desk.runs("answer", "red light") == "guide_found"


def test_an_offer(desk: Desk, search: FakeSearch) -> None:
    """Titles and payloads, no text."""
    search.offers(faq(), guide())
    assert desk.runs("answer", "the box") == "choices"
    assert desk.slots["card"]["choices"][1] == {"title": "Router shows a red light", "payload": f'/choose_article{{"article": "{SLUG}"}}'}


def test_two_misses(desk: Desk) -> None:
    """Other words, then a person."""
    assert [desk.runs("answer", "hm"), desk.slots["misses"]] == ["asked_again", 1]
    assert [desk.runs("answer", "hm"), desk.slots["misses"]] == ["not_sure_twice", 0]


def test_waiting_customers_are_told_once(desk: Desk, search: FakeSearch) -> None:
    """An offer is not sure enough for who waits."""
    desk.slots["owner"] = "queued"
    search.offers(faq())
    assert [desk.runs("answer", "a"), desk.runs("answer", "b")] == ["noted", "silent"]


def test_the_typed_option_of_a_step(desk: Desk) -> None:
    """Case, blanks and full stop do not matter."""
    at(desk, OPTIONS)
    assert desk.runs("answer", " STILL  red. ") == "step"
    assert desk.slots["step"] == LAST


def test_a_question_in_a_guide_whose_article_is_gone(desk: Desk, search: FakeSearch) -> None:
    """It is a question like any other."""
    at(desk, OPTIONS)
    search.articles.clear()
    assert desk.runs("answer", "orange") == "asked_again"


@pytest.mark.parametrize("name", ["answer", "show_article", "start_guide", "next_step", "go_to_step", "confirm_step"])
def test_without_search_the_action_fails_whole(desk: Desk, search: FakeSearch, name: str) -> None:
    """No slots, no words: the turn fails and web answers in Rasa's place."""
    at(desk, FIRST)
    search.status = 500
    with pytest.raises(SearchError):
        desk.runs(name, "text", article="a", target="b")


@pytest.mark.parametrize(
    "name", ["solved", "not_solved", "none_of_these", "hand_over", "not_sure", "note", "say_noted", "cancel_handoff", "start_again"]
)
def test_acts_need_no_search(desk: Desk, search: FakeSearch, name: str) -> None:
    """A person is to be had with search away."""
    search.status = 500
    desk.runs(name)
    assert search.calls == []


def test_a_chosen_article(desk: Desk, search: FakeSearch) -> None:
    """Fetched by its slug, whatever letters it has."""
    search.articles["über/uns"] = faq("über/uns")
    assert desk.runs("show_article", article="über/uns") == "answered"
    assert desk.slots["card"]["sources"][0]["confidence"] == 1.0


def test_a_chosen_article_that_is_gone(desk: Desk) -> None:
    """404 is no failure of search."""
    assert desk.runs("show_article", article="gone") == "gone"


def test_a_guide_is_started_and_returned_to(desk: Desk) -> None:
    """From the first step, or from where it stands."""
    assert desk.runs("start_guide", article=SLUG) == "step"
    assert (desk.slots["guide"], desk.slots["step"], desk.slots["shown"]) == (SLUG, FIRST, [SLUG])
    at(desk, LAST)
    assert [desk.runs("start_guide", article=SLUG), desk.slots["step"]] == ["step", LAST]


def test_a_guide_without_steps_is_an_answer(desk: Desk) -> None:
    """Nothing to walk."""
    assert [desk.runs("start_guide", article="delivery-times"), desk.slots["guide"]] == ["answered", None]


def test_the_steps_of_a_guide(desk: Desk) -> None:
    """Step, options, step, end."""
    at(desk, FIRST)
    assert [desk.runs("next_step"), desk.runs("next_step"), desk.runs("next_step")] == ["options", "step", "end"]
    assert (desk.slots["article"], desk.slots["guide"], desk.slots["pending"]) == (SLUG, None, None)


def test_an_option_leads_on(desk: Desk, search: FakeSearch) -> None:
    """To a step of this guide, to an article, or to nothing."""
    at(desk, OPTIONS)
    assert [desk.runs("go_to_step", target=LAST), desk.slots["step"]] == ["step", LAST]
    assert [desk.runs("go_to_step", target="delivery-times"), desk.slots["article"]] == ["answered", "delivery-times"]
    assert [desk.runs("go_to_step", target="nowhere"), desk.slots["guide"]] == ["gone", SLUG]


def test_a_typed_yes(desk: Desk) -> None:
    """It worked; to options it says nothing."""
    at(desk, OPTIONS)
    assert [desk.runs("confirm_step"), desk.slots["step"]] == ["options", OPTIONS]
    at(desk, FIRST)
    assert [desk.runs("confirm_step"), desk.slots["article"], desk.slots["guide"]] == ["worked", SLUG, None]


def test_a_guide_that_worked(desk: Desk) -> None:
    """The verdict will name the guide."""
    at(desk, FIRST)
    desk.runs("guide_worked")
    assert (desk.slots["article"], desk.slots["guide"], desk.slots["step"]) == (SLUG, None, None)


def test_a_card_never_outlives_its_turn(desk: Desk, search: FakeSearch) -> None:
    """The next action clears it."""
    search.answers(faq())
    desk.runs("answer", "a question")
    assert desk.slots["card"]
    desk.runs("solved")
    assert desk.slots["card"] is None


def test_only_what_changes_is_sent(desk: Desk) -> None:
    """Rasa checks every event against a schema, which takes time."""
    desk.runs("hand_over")
    assert desk.sent == []
    desk.runs("answer", "hm")
    assert {event["name"] for event in desk.sent} == {"misses", "pending", "result"}


def test_the_owner_stays_webs(desk: Desk) -> None:
    """No action changes who owns the conversation."""
    desk.slots["owner"] = "queued"
    desk.runs("start_again")
    desk.runs("cancel_handoff")
    assert desk.slots["owner"] == "queued"
