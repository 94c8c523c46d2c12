"""The rules of the state, as plain data."""

from __future__ import annotations

import pytest

from actions.state import (
    Result,
    State,
    answered,
    asked,
    at_step,
    back_to_bot,
    chosen,
    confirm_step,
    gone,
    hand_over,
    next_step,
    not_solved,
    not_sure,
    note,
    open_guide,
    option_meant,
    read_state,
    solved,
    start_again,
    step_of,
    unsure,
    worked,
    write_state,
)  # fmt: skip
from tests.bot.fake_search import faq, golden, guide, hit_of

WAITING = State(owner="queued")
IN_GUIDE = State(guide="router-red-light", step="step-1-restart-the-router", pending="guide")


def test_slots_make_the_round() -> None:
    """What was written is read again; a slot that is not set is as at the beginning."""
    state = State(misses=1, pending="choice", article="a", shown=("a", "b"), guide="g", step="s", noted=True, question="q", owner="queued")
    assert read_state({**write_state(state), "owner": "queued", "card": {}, "result": "step"}) == state
    assert read_state({"misses": None, "shown": None}) == State()


def test_the_slots_are_those_of_the_contract() -> None:
    """``owner`` is not among them."""
    assert set(write_state(State())) == set(golden("turn_response")["state"])


def test_an_answer_ends_a_row_of_misses() -> None:
    """And is remembered once."""
    first = answered(State(misses=1), hit_of(faq(), 0.9)).state
    assert (first.misses, first.pending, first.shown) == (0, "solved", ("delivery-times",))
    assert answered(first, faq()).state.shown == ("delivery-times",)


def test_a_long_question_is_kept_from_its_end() -> None:
    """What was said last says most."""
    assert asked(State(), "a" * 600 + "b").question == "a" * 499 + "b"


def test_an_article_chosen_from_an_offer_answers_the_question() -> None:
    """One chosen as the next best does not, so that there is no third."""
    assert chosen(State(pending="choice", question="q"), faq()).state.question == "q"
    assert chosen(State(pending="next_best", question="q"), faq()).state.question is None


def test_an_offer_is_not_yet_a_miss() -> None:
    """But the "none of these" after it is."""
    offered = unsure(State(), [hit_of(faq(), 0.4)])
    assert (offered.name, offered.state.misses) == ("choices", 0)
    assert not_sure(offered.state).state.misses == 1


@pytest.mark.parametrize(("misses", "name"), [(0, "asked_again"), (1, "not_sure_twice"), (7, "not_sure_twice")])
def test_the_second_miss_goes_to_a_person(misses: int, name: str) -> None:
    """Never "please rephrase" for ever."""
    assert not_sure(State(misses=misses)).name == name


def test_who_waits_is_told_once() -> None:
    """Noted, then silent."""
    first = not_sure(WAITING)
    assert (first.name, note(first.state).name) == ("noted", "silent")


def test_a_hand_over_leaves_nothing_pending_and_the_guide_open() -> None:
    """Self-help goes on in the queue."""
    state = hand_over(State(misses=1, pending="solved", guide="g", step="s")).state
    assert (state.misses, state.pending, state.guide, state.noted) == (0, None, "g", False)


def test_a_no_counts_as_told_only_for_who_waits() -> None:
    """The words of that turn say that a person will read it."""
    assert not_solved(WAITING).state.noted is True
    assert not_solved(State()).state.noted is False


def test_solved_goes_back_to_an_open_guide() -> None:
    """A yes after an interruption leaves the guide waiting."""
    assert solved(State(guide="g", step="s", pending="solved")).state.pending == "guide"
    assert solved(State(pending="solved", misses=1)).state == State()


def test_back_to_the_bot_is_a_fresh_beginning_for_misses() -> None:
    """What was shown is kept."""
    assert back_to_bot(State(misses=1, noted=True, shown=("a",))).state == State(shown=("a",))


def test_start_again_keeps_only_the_owner() -> None:
    """All else is gone."""
    assert start_again(State(misses=1, guide="g", owner="queued")) == Result(None, State(owner="queued"))


def test_a_step_that_an_edit_took_away() -> None:
    """The guide begins again instead of breaking."""
    result = next_step(State(guide="router-red-light", step="no-longer-there"), guide())
    assert result.state.step == "step-1-restart-the-router"


def test_a_guide_opened_from_another_begins_at_its_first_step() -> None:
    """Where the other stood does not matter, not even under the same step id."""
    other = {**guide(), "slug": "other"}
    assert open_guide(State(guide="router-red-light", step="step-3-check-the-cable"), other).state.step == "step-1-restart-the-router"


def test_the_end_of_a_guide_for_who_waits_is_noted() -> None:
    """The words of that turn say so."""
    last = State(guide="router-red-light", step="step-3-check-the-cable", owner="queued")
    assert next_step(last, guide()).state.noted is True


def test_a_yes_at_a_plain_step_means_it_worked() -> None:
    """And at options nothing."""
    assert confirm_step(IN_GUIDE, guide()) == worked(IN_GUIDE)
    options = at_step(IN_GUIDE, guide(), 1)
    assert confirm_step(options.state, guide()) == options


@pytest.mark.parametrize(
    ("text", "target"), [("Still red", "step-3-check-the-cable"), ("orange!", "router-orange-light"), ("not orange", None), ("", None)]
)
def test_an_option_is_meant_only_by_its_own_words(text: str, target: str | None) -> None:
    """Anything more is a question."""
    assert option_meant(State(guide="router-red-light", step="step-2-what-colour-is-the-light"), guide(), text) == target


def test_targets_are_steps_or_something_else() -> None:
    """By the step's id."""
    assert (step_of(guide(), "step-3-check-the-cable"), step_of(guide(), "router-orange-light")) == (2, None)


def test_a_gone_article_closes_only_its_own_guide() -> None:
    """Another guide stays open."""
    assert gone(IN_GUIDE, "router-red-light").state == State()
    assert gone(IN_GUIDE, "another").state.guide == "router-red-light"
