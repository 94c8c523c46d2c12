"""What the customer gets when Rasa gives no answer in time: search's own answer if it is sure, a person, or a plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desk.model import Reply, Turn, TurnResult
from desk.phrases import Phrases
from knowledge_base.model import Hit, SearchAnswer

_EMPTY_STATE: dict[str, Any] = {
    "misses": 0, "pending": None, "article": None, "shown": [], "guide": None, "step": None, "noted": False, "question": None,
}  # fmt: skip
MAX_QUESTION = 500  # characters of the last question that the state keeps
_HANDING_OVER = {"solved": "utter_not_solved", "next_best": "utter_not_that_either", None: "utter_handed_off"}
CANCEL_HANDOFF = "/cancel_handoff"
"""The payload by which a customer leaves the queue."""


def is_choice(turn: Turn) -> bool:
    """Whether the turn's input is the payload of a choice; the customer's words never begin with a slash."""
    return turn.input.startswith("/")


def without_search(turn: Turn, phrases: Phrases) -> TurnResult | None:
    """The result that needs neither Rasa nor search: a person for whoever pressed for one, the way out of the queue, or None."""
    if turn.owner == "queued" and turn.input == CANCEL_HANDOFF:
        return TurnResult(outcome="small_talk", replies=(phrases.say("utter_back_with_bot", "small_talk"),), state=_EMPTY_STATE, via="desk")
    pending = turn.state.get("pending")
    # A next best article takes Rasa's rules to offer: without them the person comes at once.
    pressed_no = turn.input == "/deny" and pending in ("solved", "next_best")
    if turn.owner != "bot" or not (turn.input == "/request_person" or pressed_no):
        return None
    article = turn.state.get("article") if pending == "solved" and pressed_no else None
    return TurnResult(
        outcome="handed_off",
        replies=(phrases.say(_HANDING_OVER[pending if pressed_no else None], "handed_off"),),
        state={**_EMPTY_STATE, **turn.state, "pending": None},
        handoff="not_solved" if pressed_no else "customer_asked",
        verdict_slug=article,
        verdict_solved=False if article else None,
        via="desk",
    )


def from_search(turn: Turn, found: SearchAnswer, phrases: Phrases) -> TurnResult | None:
    """Search's answer in the bot's form if it is sure of one, or None."""
    if is_choice(turn) or found.verdict != "answer" or not found.hits:
        return None
    hit = found.hits[0]
    asking = "utter_solved_question_guide" if hit.kind == "guide" else "utter_solved_question"
    question = phrases.say(asking, "answered", article=hit.slug)
    shown = [slug for slug in turn.state.get("shown") or () if slug != hit.slug]
    answered = {"misses": 0, "pending": "solved", "article": hit.slug, "shown": [*shown, hit.slug], "question": turn.input[-MAX_QUESTION:]}
    state = {**_EMPTY_STATE, **turn.state, **answered}
    return TurnResult(outcome="answered", replies=(_answer(hit, question),), state=state, via="search")


def _answer(hit: Hit, question: Reply) -> Reply:
    source = {"slug": hit.slug, "section": hit.section, "title": hit.title, "url": hit.url, "confidence": hit.confidence}
    asked: Mapping[str, Any] = {"el": "p", "children": [{"el": "text", "text": question.text}]}
    return Reply(
        text=f"{hit.answer or hit.excerpt}\n\n{question.text}",
        outcome="answered",
        body=[*hit.body, asked],
        choices=question.choices,
        sources=(source,),
    )


def plain_sentence(turn: Turn, phrases: Phrases) -> TurnResult:
    """The last resort: say that it went wrong and offer a person; while one is awaited anyway, say that they will read it."""
    state = {**_EMPTY_STATE, **turn.state}
    if turn.owner == "queued":
        replies = () if state["noted"] else (phrases.say("utter_noted", "noted"),)
        return TurnResult(outcome="noted", replies=replies, state={**state, "noted": True}, via="desk")
    return TurnResult(outcome="failed", replies=(phrases.say("utter_failed", "failed"),), state=state, via="desk")
