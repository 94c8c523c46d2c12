"""Whole conversations with a running Rasa and its actions, over a search that says what the test tells it."""

from __future__ import annotations

import pytest

from bot.turns import EMPTY_STATE
from tests.bot.fake_search import FakeSearch, faq, guide, hit_of
from tests.bot.talk import Bot


def outcome(bot: Bot) -> tuple[str, str | None]:
    """The turn's outcome and what was asked with it."""
    assert all(reply["outcome"] == bot.last["outcome"] for reply in bot.last["replies"])
    return bot.last["outcome"], bot.state["pending"]


def in_step(bot: Bot, search: FakeSearch, step: str) -> None:
    """Bring the conversation to a step of the golden guide."""
    search.articles[guide()["slug"]] = guide()
    bot.state = {"guide": guide()["slug"], "step": step, "pending": "guide", "shown": [guide()["slug"]]}


def test_an_answer_that_helps(bot: Bot, search: FakeSearch) -> None:
    """Answer with source, "did this solve it?", yes."""
    search.answers(faq())
    bot.hears("how long does delivery take?")
    assert outcome(bot) == ("answered", "solved")
    assert bot.reply["text"].startswith("Two working days.\n\n")
    assert [source["slug"] for source in bot.reply["sources"]] == ["delivery-times"]
    bot.chooses("Yes, thanks")
    assert bot.last["verdict"] == {"slug": "delivery-times", "solved": True}
    assert (bot.last["outcome"], bot.state["pending"], bot.state["shown"]) == ("small_talk", None, ["delivery-times"])


def test_an_answer_that_does_not_help(bot: Bot, search: FakeSearch) -> None:
    """No means a person, and the agent learns which article failed."""
    search.answers(faq())
    bot.hears("how long does delivery take?")
    bot.hears("no that did not help")
    assert bot.last["handoff"] == {"reason": "not_solved"}
    assert bot.last["verdict"] == {"slug": "delivery-times", "solved": False}
    assert bot.titles == ["Never mind, back to the bot"]


def not_solved_with_another(bot: Bot, search: FakeSearch) -> None:
    """Bring the conversation to the offer of the next best article."""
    search.answers(faq())
    search.found["hits"].append(hit_of(guide(), 0.35))
    bot.hears("how long does delivery take?")
    bot.hears("no that did not help")


def test_a_no_brings_the_next_best_article(bot: Bot, search: FakeSearch) -> None:
    """What search still holds likely is offered before a person; the agent would learn that the first article failed."""
    not_solved_with_another(bot, search)
    assert outcome(bot) == ("offered_choices", "next_best")
    assert (bot.last["handoff"], bot.last["verdict"]) == (None, {"slug": "delivery-times", "solved": False})
    assert bot.titles == ["Router shows a red light", "No, get me a person"]


@pytest.mark.parametrize("yes", ["yes please", '/choose_article{"article": "router-red-light"}'])
def test_the_next_best_article_is_taken(bot: Bot, search: FakeSearch, yes: str) -> None:
    """Pressed or typed; when that one does not help either, a person comes."""
    not_solved_with_another(bot, search)
    bot.hears(yes)
    assert (*outcome(bot), bot.state["article"]) == ("answered", "solved", "router-red-light")
    bot.hears("no")
    assert (bot.last["handoff"], bot.last["verdict"]) == ({"reason": "not_solved"}, {"slug": "router-red-light", "solved": False})


def test_the_next_best_article_is_refused(bot: Bot, search: FakeSearch) -> None:
    """No again means a person; the verdict on the first article is not given twice."""
    not_solved_with_another(bot, search)
    bot.chooses("No, get me a person")
    assert (bot.last["handoff"], bot.last["verdict"]) == ({"reason": "not_solved"}, None)


def test_the_next_best_article_is_gone_meanwhile(bot: Bot, search: FakeSearch) -> None:
    """Then a person it is."""
    not_solved_with_another(bot, search)
    search.says("none")
    bot.hears("yes")
    assert (bot.last["handoff"], bot.last["verdict"]) == ({"reason": "not_solved"}, None)


def test_no_with_search_away_is_a_person(bot: Bot, search: FakeSearch) -> None:
    """Nothing is looked up that the hand-off would wait for."""
    search.answers(faq())
    bot.hears("how long does delivery take?")
    search.status = 500
    assert bot.hears("no")["handoff"] == {"reason": "not_solved"}


def test_what_was_said_before_is_used(bot: Bot, search: FakeSearch) -> None:
    """A follow-up that says nothing by itself is asked together with the article that is talked about."""
    search.answers(faq())
    bot.hears("how long does delivery take?")
    search.says("none")
    search.knows("How long delivery takes and to the islands?", "answer", hit_of(faq(), 0.8))
    bot.hears("and to the islands?")
    assert (*outcome(bot), bot.state["article"]) == ("answered", "solved", "delivery-times")
    assert bot.state["question"] == "How long delivery takes and to the islands?"


def test_not_sure_which_one(bot: Bot, search: FakeSearch) -> None:
    """Titles instead of a guess; the chosen one is answered from the article."""
    search.offers(faq(), guide(), faq("c", "C"), faq("d", "D"))
    bot.hears("something about the box")
    assert outcome(bot) == ("offered_choices", "choice")
    assert bot.titles == ["How long delivery takes", "Router shows a red light", "C", "None of these"]
    bot.chooses("How long delivery takes")
    assert outcome(bot) == ("answered", "solved")
    assert bot.state["article"] == "delivery-times"


def test_none_of_these_is_a_miss(bot: Bot, search: FakeSearch) -> None:
    """Other words first; a second miss in a row goes to a person."""
    search.offers(faq(), guide())
    bot.hears("something about the box")
    bot.chooses("None of these")
    assert (*outcome(bot), bot.state["misses"]) == ("asked_again", "rephrase", 1)
    bot.hears("the box makes trouble")
    bot.chooses("None of these")
    assert bot.last["handoff"] == {"reason": "not_sure_twice"}


def test_not_sure_twice_in_a_row(bot: Bot, search: FakeSearch) -> None:
    """Asked once for other words, then a person."""
    bot.hears("the thing does the thing")
    assert (*outcome(bot), bot.state["misses"]) == ("asked_again", "rephrase", 1)
    bot.hears("it wobbles on the left side")
    assert (bot.last["handoff"], bot.state["misses"]) == ({"reason": "not_sure_twice"}, 0)


def test_an_answer_in_between_ends_the_row(bot: Bot, search: FakeSearch) -> None:
    """Two misses with an answer between them are not two in a row."""
    bot.hears("the thing does the thing")
    search.answers(faq())
    bot.hears("how long does delivery take?")
    search.says("none")
    bot.hears("it wobbles on the left side")
    assert bot.last["outcome"] == "asked_again"


@pytest.mark.parametrize("text", ["i want to speak to a human", "/request_person"])
def test_a_person_please(bot: Bot, text: str) -> None:
    """At any time, without asking why."""
    assert bot.hears(text)["handoff"] == {"reason": "customer_asked"}
    assert bot.last["outcome"] == "handed_off"


def test_a_sensitive_matter_goes_to_a_person_at_once(bot: Bot, search: FakeSearch) -> None:
    """Search is not even asked."""
    search.answers(faq())
    assert bot.hears("the charger caught fire last night")["handoff"] == {"reason": "sensitive_topic"}
    assert search.calls == []


@pytest.mark.parametrize("text", ["yes", "no"])
def test_yes_and_no_to_nothing(bot: Bot, text: str) -> None:
    """A gentle question, no verdict."""
    bot.hears(text)
    assert (bot.last["outcome"], bot.last["verdict"], bot.last["handoff"]) == ("small_talk", None, None)


def test_thanks_leave_the_question_open(bot: Bot, search: FakeSearch) -> None:
    """Thanks are not yet a yes."""
    search.answers(faq())
    bot.hears("how long does delivery take?")
    bot.hears("thank you")
    assert (bot.last["verdict"], bot.state["pending"], bot.titles) == (None, "solved", ["Yes, thanks", "No"])
    assert bot.hears("yes")["verdict"] == {"slug": "delivery-times", "solved": True}


def test_start_again_empties_the_state(bot: Bot, search: FakeSearch) -> None:
    """Nothing of before counts."""
    in_step(bot, search, "step-3-check-the-cable")
    bot.hears("start over please")
    assert bot.state == EMPTY_STATE


def test_a_guide_from_first_to_last_step(bot: Bot, search: FakeSearch) -> None:
    """Step, options, step, and the end without success goes to a person."""
    search.answers(guide())
    bot.hears("my router has a red light")
    assert bot.titles == ["Yes, thanks", "No", "Take me through it"]
    bot.chooses("Take me through it")
    assert (*outcome(bot), bot.state["step"]) == ("guide_step", "guide", "step-1-restart-the-router")
    assert bot.reply["text"].startswith("1/3 · Restart the router\n\nUnplug the router")
    assert bot.titles == ["It worked", "It did not", "I cannot do this"]
    bot.chooses("It did not")
    assert bot.titles == ["Still red", "Orange", "None of these", "I cannot tell"]
    bot.chooses("Still red")
    assert (bot.state["step"], bot.reply["sources"][0]["url"]) == ("step-3-check-the-cable", "/help/router-red-light#step-3-check-the-cable")
    bot.chooses("I cannot do this")
    assert (bot.last["handoff"], bot.last["verdict"]) == ({"reason": "not_solved"}, {"slug": "router-red-light", "solved": False})
    assert (bot.state["guide"], bot.state["pending"]) == (None, None)


@pytest.mark.parametrize("text", ["/step_worked", "yes it worked", "it works now"])
def test_a_step_that_worked(bot: Bot, search: FakeSearch, text: str) -> None:
    """Words do the same as the button."""
    in_step(bot, search, "step-1-restart-the-router")
    bot.hears(text)
    assert (bot.last["outcome"], bot.last["verdict"], bot.state["guide"]) == ("guide_step", {"slug": "router-red-light", "solved": True}, None)


@pytest.mark.parametrize("text", ["/step_did_not", "/step_cannot", "no", "it did not work", "i can't do that", "i don't have one"])
def test_a_step_that_did_not_work(bot: Bot, search: FakeSearch, text: str) -> None:
    """Words do the same as the buttons."""
    in_step(bot, search, "step-1-restart-the-router")
    bot.hears(text)
    assert (bot.last["outcome"], bot.state["step"]) == ("guide_step", "step-2-what-colour-is-the-light")


def test_an_option_may_be_typed(bot: Bot, search: FakeSearch) -> None:
    """Its title in the customer's own hand is the option."""
    in_step(bot, search, "step-2-what-colour-is-the-light")
    bot.hears("still red")
    assert (bot.last["outcome"], bot.state["step"]) == ("guide_step", "step-3-check-the-cable")


def test_a_yes_to_options_repeats_them(bot: Bot, search: FakeSearch) -> None:
    """Yes is no answer to "what colour is it?"."""
    in_step(bot, search, "step-2-what-colour-is-the-light")
    bot.hears("yes")
    assert (bot.state["step"], bot.titles[:2], bot.last["verdict"]) == ("step-2-what-colour-is-the-light", ["Still red", "Orange"], None)


def test_an_option_that_leads_to_another_article(bot: Bot, search: FakeSearch) -> None:
    """Its target may be a slug."""
    in_step(bot, search, "step-2-what-colour-is-the-light")
    search.articles["router-orange-light"] = faq("router-orange-light", answer="Wait ten minutes.")
    bot.hears('/step_option{"target": "router-orange-light"}')
    assert (bot.last["outcome"], bot.state["article"]) == ("answered", "router-orange-light")


def test_a_guide_interrupted_by_a_question(bot: Bot, search: FakeSearch) -> None:
    """The question is answered, and the guide goes on where it stood."""
    in_step(bot, search, "step-3-check-the-cable")
    search.answers(faq())
    bot.hears("how long does delivery take?")
    assert (bot.last["outcome"], bot.state["step"]) == ("answered", "step-3-check-the-cable")
    bot.hears("yes thanks")
    assert (bot.last["verdict"], bot.state["pending"]) == ({"slug": "delivery-times", "solved": True}, "guide")
    bot.chooses("Back to the guide")
    assert (bot.last["outcome"], bot.state["step"]) == ("guide_step", "step-3-check-the-cable")


@pytest.mark.parametrize("verdict", ["answer", "offer", "none"])
def test_the_way_back_to_the_guide_is_always_shown(bot: Bot, search: FakeSearch, verdict: str) -> None:
    """Whatever the interruption found."""
    in_step(bot, search, "step-3-check-the-cable")
    {"answer": search.answers, "offer": search.offers, "none": lambda _: None}[verdict](faq())
    bot.hears("how long does delivery take?")
    bot.chooses("Back to the guide")
    assert bot.state["step"] == "step-3-check-the-cable"


def test_an_old_button_of_a_closed_guide(bot: Bot) -> None:
    """No error, no verdict."""
    bot.hears("/step_worked")
    assert (bot.last["outcome"], bot.last["verdict"]) == ("small_talk", None)


def test_a_chosen_article_that_is_there_no_more(bot: Bot) -> None:
    """The customer is told and offered a person."""
    bot.hears('/choose_article{"article": "unpublished"}')
    assert (bot.last["outcome"], bot.titles) == ("failed", ["Talk to a person"])


def test_a_guide_that_is_there_no_more(bot: Bot, search: FakeSearch) -> None:
    """It is closed, so that the next message is not lost in it."""
    in_step(bot, search, "step-1-restart-the-router")
    search.articles.clear()
    bot.hears("no")
    assert (bot.last["outcome"], bot.state["guide"], bot.state["pending"]) == ("failed", None, None)


def test_while_waiting_what_is_sure_is_answered(bot: Bot, search: FakeSearch) -> None:
    """The verdict lets web give the conversation back to the bot; the turn itself hands nothing over."""
    bot.owner = "queued"
    search.answers(faq())
    bot.hears("how long does delivery take?")
    assert outcome(bot) == ("answered", "solved")
    bot.hears("yes, that helped")
    assert (bot.last["verdict"], bot.last["handoff"]) == ({"slug": "delivery-times", "solved": True}, None)


@pytest.mark.parametrize("verdict", ["offer", "none"])
def test_while_waiting_the_rest_is_noted_once(bot: Bot, search: FakeSearch, verdict: str) -> None:
    """Said once, then silent, and never forgotten: web has the message."""
    bot.owner = "queued"
    if verdict == "offer":
        search.offers(faq(), guide())
    bot.hears("the device is two years old and was bought in town")
    assert (*outcome(bot), bot.state["noted"], bot.titles) == ("noted", None, True, ["Never mind, back to the bot"])
    bot.hears("and the number is 4711")
    assert (bot.last["outcome"], bot.last["replies"]) == ("noted", [])


def test_while_waiting_asking_for_a_person_is_never_met_with_silence(bot: Bot) -> None:
    """Also the second time."""
    bot.owner = "queued"
    for _ in range(2):
        bot.hears("a person please")
        assert (bot.last["outcome"], bot.last["handoff"], len(bot.last["replies"])) == ("noted", None, 1)


def test_while_waiting_a_no_is_noted_with_its_verdict(bot: Bot, search: FakeSearch) -> None:
    """There is nobody more to hand over to."""
    bot.owner = "queued"
    search.answers(faq())
    bot.hears("how long does delivery take?")
    bot.hears("no")
    assert (bot.last["outcome"], bot.last["handoff"], bot.last["verdict"]) == ("noted", None, {"slug": "delivery-times", "solved": False})


def test_while_waiting_a_guide_goes_on(bot: Bot, search: FakeSearch) -> None:
    """Self-help does not stop in the queue; its end without success is noted."""
    bot.hears("a person please")
    in_step(bot, search, "step-2-what-colour-is-the-light")
    bot.hears("/step_did_not")
    assert (bot.last["outcome"], bot.state["step"]) == ("guide_step", "step-3-check-the-cable")
    bot.hears("no")
    assert (bot.last["outcome"], bot.last["handoff"], bot.last["verdict"]) == ("noted", None, {"slug": "router-red-light", "solved": False})


def test_never_mind_the_person(bot: Bot) -> None:
    """One line, and the bot goes on."""
    bot.hears("a person please")
    bot.chooses("Never mind, back to the bot")
    assert (bot.last["outcome"], bot.state["noted"]) == ("small_talk", False)


@pytest.mark.parametrize("text", ["hello", "thanks a lot", "bye", "are you a robot", "what can you do"])
def test_small_talk(bot: Bot, search: FakeSearch, text: str) -> None:
    """Answered without search."""
    assert bot.hears(text)["outcome"] == "small_talk"
    assert search.calls == []
