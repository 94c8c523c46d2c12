"""Each action by itself: slots in, slots out, and what it asks of search."""

from __future__ import annotations

import pytest
import yaml

from actions.search_client import SearchError
from actions.server import ACTIONS
from tests.actions.conftest import Desk
from tests.bot.fake_search import CONTRACT, FakeSearch, faq, guide, hit_of

SLUG = "router-red-light"
FIRST, OPTIONS, LAST = "step-1-restart-the-router", "step-2-what-colour-is-the-light", "step-3-check-the-cable"


def at(desk: Desk, step: str) -> None:
    """Stand at a step of the golden guide."""
    desk.slots.update(guide=SLUG, step=step, pending="guide")


def test_every_action_of_the_domain_is_there() -> None:
    """And no other."""
    domain = yaml.safe_load((CONTRACT.parents[1] / "domain.yml").read_text(encoding="utf-8"))
    assert sorted(action.name(None) for action in ACTIONS) == sorted(domain["actions"])


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


def test_a_follow_up_that_is_sure_only_alone_is_taken_alone(desk: Desk, search: FakeSearch) -> None:
    """What was said before goes first, but it takes no sure answer away."""
    desk.slots.update(article="delivery-times", pending="solved", question="how long does it take")
    search.knows("and a red light?", "answer", hit_of(guide(), 0.9))
    assert [desk.runs("answer", "and a red light?"), desk.slots["question"]] == ["guide_found", "and a red light?"]


def test_a_follow_up_sounds_sure_of_the_wrong_thing_alone(desk: Desk, search: FakeSearch) -> None:
    """Together with what was said before it is sure of something else, and that is meant."""
    desk.slots.update(article="delivery-times", pending="solved", question="when will it come")
    search.knows("and abroad?", "answer", hit_of(guide(), 0.95))
    search.knows("How long delivery takes and abroad?", "answer", hit_of(faq(), 0.8))
    assert [desk.runs("answer", "and abroad?"), desk.slots["article"]] == ["answered", "delivery-times"]


def test_a_whole_question_is_asked_once(desk: Desk, search: FakeSearch) -> None:
    """One call, whatever was said before."""
    desk.slots.update(article="delivery-times", pending="solved", question="how long does it take")
    desk.runs("answer", "my router shows a red light since this morning")
    assert len(search.calls) == 1


def test_a_follow_up_is_asked_with_the_title_of_the_article_in_view(desk: Desk, search: FakeSearch) -> None:
    """The surer of the two decides."""
    desk.slots.update(article="delivery-times", pending="solved", question="when will it come")
    search.offers(guide())
    search.knows("How long delivery takes and abroad?", "answer", hit_of(faq(), 0.8))
    assert [desk.runs("answer", "and abroad?"), desk.slots["article"]] == ["answered", "delivery-times"]


def test_a_follow_up_to_what_was_not_answered_is_asked_with_that_question(desk: Desk, search: FakeSearch) -> None:
    """There is no article in view then."""
    desk.slots.update(article="delivery-times", pending="rephrase", misses=1, question="the lamp flickers")
    search.knows("the lamp flickers and hums", "answer", hit_of(guide(), 0.8))
    assert [desk.runs("answer", "and hums"), desk.slots["question"]] == ["guide_found", "the lamp flickers and hums"]


def test_a_follow_up_finds_no_more_together_than_alone(desk: Desk, search: FakeSearch) -> None:
    """Then it stays as it was said."""
    desk.slots.update(pending="rephrase", misses=0, question="the lamp flickers")
    search.offers(faq())
    search.knows("the lamp flickers and hums", "none")
    assert [desk.runs("answer", "and hums"), desk.slots["question"]] == ["choices", "and hums"]


def test_a_follow_up_on_an_article_that_is_gone(desk: Desk, search: FakeSearch) -> None:
    """The question it answered still counts."""
    desk.slots.update(article="gone", pending="solved", question="when will it come")
    search.knows("when will it come and abroad?", "offer", hit_of(faq(), 0.4))
    assert desk.runs("answer", "and abroad?") == "choices"


def test_a_new_subject_is_not_mixed_with_the_old(desk: Desk, search: FakeSearch) -> None:
    """Whole questions stand by themselves."""
    desk.slots.update(article="delivery-times", pending="solved", question="when will it come")
    desk.runs("answer", "please tell me a joke about trains")
    assert [path for _, path, _ in search.calls] == ["/search"]


def test_the_next_best_article_was_not_shown_before(desk: Desk, search: FakeSearch) -> None:
    """The best of the others at the lower cut-off or above."""
    search.answers(faq())
    desk.runs("answer", "how long does it take")
    search.found["hits"] += [hit_of(guide(), 0.31), hit_of(faq("third", "Third"), 0.3)]
    assert [desk.runs("not_solved"), desk.slots["pending"]] == ["next_best", "next_best"]
    assert [choice["title"] for choice in desk.slots["card"]["choices"]] == ["Router shows a red light"]
    assert [desk.runs("show_next_best"), desk.slots["article"], desk.slots["question"]] == ["guide_found", SLUG, None]
    assert desk.runs("not_solved") == "not_solved"


def test_there_is_no_next_best_article(desk: Desk, search: FakeSearch) -> None:
    """None at the lower cut-off, or a customer who waits for a person anyway."""
    search.answers(faq())
    search.found["hits"].append(hit_of(guide(), 0.29))
    desk.runs("answer", "how long does it take")
    assert desk.runs("not_solved") == "not_solved"
    search.found["hits"][1]["confidence"] = 0.5
    desk.slots["owner"] = "queued"
    assert desk.runs("not_solved") == "not_solved"


def test_a_wish_for_a_person_with_a_sure_article_beside_it(desk: Desk, search: FakeSearch) -> None:
    """Its source alone, to read while waiting; the hand-off stays a hand-off."""
    search.answers(faq())
    assert [desk.runs("get_person", "a person please"), desk.slots["pending"]] == [None, None]
    assert [source["slug"] for source in desk.slots["card"]["sources"]] == ["delivery-times"]
    assert (desk.slots["card"]["text"], desk.slots["card"]["body"], desk.slots["card"]["choices"]) == ("", [], [])


def test_a_wish_for_a_person_and_nothing_to_read(desk: Desk, search: FakeSearch) -> None:
    """What is not sure is not shown, and search away keeps no one from a person."""
    search.offers(faq())
    desk.runs("get_person", "a person please")
    search.status = 500
    desk.runs("get_person", "a person please")
    assert desk.slots.get("card") is None


def test_a_pressed_wish_for_a_person_is_not_searched(desk: Desk, search: FakeSearch) -> None:
    """A button has no words of the customer's."""
    search.answers(faq())
    desk.runs("get_person", "/request_person")
    assert search.calls == []


def test_after_a_quick_topic_there_is_no_question_to_ask_again(desk: Desk, search: FakeSearch) -> None:
    """An old question is not answered by what the customer chose later."""
    search.offers(faq(), guide())
    desk.runs("answer", "the box")
    desk.slots["pending"] = None
    desk.runs("show_article", article="delivery-times")
    assert [desk.slots["question"], desk.runs("not_solved")] == [None, "not_solved"]


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


def test_what_is_perhaps_an_act_is_a_question_where_search_is_sure(desk: Desk, search: FakeSearch) -> None:
    """ "Help with my product", and there is an article on it."""
    search.answers(faq())
    assert desk.runs("answer", "help with product", perhaps="help") == "answered"
    assert desk.slots["question"] == "help with product"


@pytest.mark.parametrize("act", ["are_you_a_bot", "help", "start_again"])
def test_what_is_perhaps_an_act_is_one_otherwise(desk: Desk, search: FakeSearch, act: str) -> None:
    """An offer is not sure enough, a search that is away keeps nobody from the act, and what was said before stays unless all starts again."""
    before = "how long does it take"
    for status in (200, 500):
        desk.slots.update(question=before, misses=1)
        search.offers(faq())
        search.status = status
        assert desk.runs("answer", "hm", perhaps=act) == act
        assert (desk.slots["misses"], desk.slots["question"]) == ((0, None) if act == "start_again" else (1, before))
        assert desk.slots.get("card") is None


@pytest.mark.parametrize(("act", "result"), [("are_you_a_bot", "are_you_a_bot"), ("help", "noted"), ("start_again", "noted")])
def test_what_is_perhaps_an_act_while_waiting(desk: Desk, act: str, result: str) -> None:
    """As the act itself: a person will read it, but nobody is left to take a bot for a person."""
    desk.slots["owner"] = "queued"
    assert desk.runs("answer", "hm", perhaps=act) == result


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
    assert {event["name"] for event in desk.sent} == {"misses", "pending", "question", "result"}


def test_the_owner_stays_webs(desk: Desk) -> None:
    """No action changes who owns the conversation."""
    desk.slots["owner"] = "queued"
    desk.runs("start_again")
    desk.runs("cancel_handoff")
    assert desk.slots["owner"] == "queued"
