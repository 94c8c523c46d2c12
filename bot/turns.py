"""The turn as data: reading web's request, setting Rasa's slots, and composing the answer from what Rasa said. No Rasa in here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

MAX_TEXT = 20_000  # characters; web stops far earlier
PENDING = (None, "solved", "choice", "next_best", "rephrase", "guide")
OWNERS = ("bot", "queued")
OUTCOMES = ("answered", "offered_choices", "guide_step", "asked_again", "small_talk", "noted", "handed_off", "failed")
EMPTY_STATE: Json = {
    "misses": 0, "pending": None, "article": None, "shown": [], "guide": None, "step": None, "noted": False, "question": None,
}  # fmt: skip
TEXTS = ("article", "guide", "step", "question")  # of the state, each may be null

# Intents that a choice may send, and the entity each must carry.
PAYLOADS: dict[str, str | None] = {
    "affirm": None,
    "deny": None,
    "request_person": None,
    "start_again": None,
    "cancel_handoff": None,
    "step_worked": None,
    "step_did_not": None,
    "step_cannot": None,
    "choose_article": "article",
    "start_guide": "article",
    "ask_topic": "article",
    "step_option": "target",
}
_PAYLOAD = re.compile(r"/(?P<intent>\w+)(?P<entities>\{.*\})?", re.DOTALL)


class TurnError(Exception):
    """A turn that cannot be taken or was not finished. ``status`` and ``code`` are what the caller reads."""

    status, code, message = 500, "turn_failed", "The turn was not finished."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.message)
        self.detail = detail


class NotAuthorized(TurnError):
    """The inner secret is wrong or missing."""

    status, code, message = 401, "unauthorized", "The inner secret is wrong or missing."


class BadTurn(TurnError):
    """The request has not the agreed form; ``detail`` names the field."""

    status, code, message = 422, "bad_turn", "The turn is malformed."


class UnknownPayload(TurnError):
    """A payload that no choice of the bot sends."""

    status, code, message = 422, "unknown_payload", "No choice of the bot sends this payload."


class TurnFailed(TurnError):
    """Rasa or an action gave no whole answer."""

    status, code, message = 502, "turn_failed", "No whole answer came of this turn."


class NotReady(TurnError):
    """Rasa runs without a trained model."""

    status, code, message = 503, "not_ready", "No trained model is loaded."


class TurnTimedOut(TurnError):
    """The turn took longer than its budget."""

    status, code, message = 504, "turn_timed_out", "The turn took longer than its budget."


@dataclass(frozen=True)
class Turn:
    """One message with all that Rasa needs to know of its conversation."""

    turn_id: str
    text: str
    state: Json
    owner: str
    budget_s: float


def read_turn(body: object) -> Turn:
    """The turn of a request body. Raises `BadTurn` or `UnknownPayload`."""
    if not isinstance(body, dict):
        raise BadTurn("body")
    turn_id, text, owner, budget_ms = (body.get(name) for name in ("turn_id", "text", "owner", "budget_ms"))
    if not isinstance(turn_id, str) or not 0 < len(turn_id) <= 200:
        raise BadTurn("turn_id")
    if owner not in OWNERS:
        raise BadTurn("owner")
    if isinstance(budget_ms, bool) or not isinstance(budget_ms, (int, float)) or not 0 < budget_ms < 3_600_000:
        raise BadTurn("budget_ms")
    return Turn(turn_id, read_text(text), read_state(body.get("state")), owner, budget_ms / 1000)


def read_text(text: object) -> str:
    """The message, blanks around it removed; one that begins with a slash must be a payload of `PAYLOADS`."""
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT or _has_surrogates(text):
        raise BadTurn("text")
    text = text.strip()
    if text.startswith("/") and not _is_payload(text):
        raise UnknownPayload
    return text


def read_state(state: object) -> Json:
    """The whole state with nothing missing; ``{}`` is the state of a new conversation."""
    if not isinstance(state, dict) or set(state) - set(EMPTY_STATE):
        raise BadTurn("state")
    whole: Json = {**EMPTY_STATE, **state}
    if isinstance(whole["misses"], bool) or not isinstance(whole["misses"], int) or not isinstance(whole["noted"], bool):
        raise BadTurn("state")
    if whole["pending"] not in PENDING or not all(whole[name] is None or isinstance(whole[name], str) for name in TEXTS):
        raise BadTurn("state")
    if not isinstance(whole["shown"], list) or not all(isinstance(slug, str) for slug in whole["shown"]):
        raise BadTurn("state")
    return whole


def slots_of(turn: Turn) -> Json:
    """The slots a turn starts with: the state, and what rules look at, ``asked``, ``in_guide`` and ``owner``, which no action changes."""
    state = dict(turn.state)
    state["noted"] = state["noted"] and turn.owner == "queued"
    return {**state, "owner": turn.owner, "asked": state["pending"], "in_guide": state["guide"] is not None}


def response_of(intent: Mapping[str, Any], messages: Sequence[Json], slots: Mapping[str, Any]) -> Json:
    """The answer to web. Raises `TurnFailed` unless there is exactly one whole reply, or none and the turn was meant to be silent."""
    custom: Json = messages[0].get("custom") or {} if messages else {}
    outcome = custom.get("outcome") if messages else ("noted" if slots["result"] == "silent" else None)
    if outcome not in OUTCOMES or len(messages) > 1:
        raise TurnFailed
    reason = custom.get("handoff")
    return {
        "intent": {"name": intent["name"], "confidence": round(float(intent["confidence"]), 4)},
        "outcome": outcome,
        "replies": [reply_of(message, slots.get("card")) for message in messages],
        "handoff": {"reason": reason} if reason else None,
        "verdict": custom.get("verdict"),
        "state": {name: slots[name] for name in EMPTY_STATE},
    }


def act_meant(answer: Json, entities: Sequence[Json]) -> Json:
    """The answer with the act as its intent where a message that was perhaps an act (see ``ActFloor``) turned out to be one."""
    acts = [{"name": row["value"], "confidence": round(float(row["confidence"]), 4)} for row in entities if row["entity"] == "perhaps"]
    return {**answer, "intent": acts[0]} if acts and answer["outcome"] in ("small_talk", "noted") else answer


def reply_of(message: Json, card: Json | None) -> Json:
    """One reply: the card that an action laid down, if any, then the words Rasa chose. ``body`` is null when words are all there is."""
    words = message.get("text")
    if not isinstance(words, str) or not words.strip():
        raise TurnFailed
    card = card or {"text": "", "body": [], "choices": [], "sources": []}
    buttons = [{"title": button["title"], "payload": button["payload"]} for button in message.get("buttons") or []]
    return {
        "text": f"{card['text']}\n\n{words}" if card["text"] else words,
        "body": [*card["body"], {"el": "p", "children": [{"el": "text", "text": words}]}] if card["body"] else None,
        "choices": card["choices"] + buttons,
        "sources": card["sources"],
        "outcome": message["custom"]["outcome"],
    }


def error_of(error: TurnError) -> Json:
    """The one error shape."""
    return {"error": {"code": error.code, "message": error.message, "detail": error.detail}}


def _is_payload(text: str) -> bool:
    match = _PAYLOAD.fullmatch(text)
    if match is None or match["intent"] not in PAYLOADS:
        return False
    wanted = PAYLOADS[match["intent"]]
    try:
        entities = json.loads(match["entities"] or "{}")
    except ValueError:
        return False
    return set(entities) == ({wanted} if wanted else set()) and all(isinstance(value, str) and value for value in entities.values())


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
