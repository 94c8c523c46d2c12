"""Which touchpoint an event is: exactly one each, worked out from the event and its conversation alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desk.model import Conversation, Event
from touchpoints.model import Touchpoint

StageOf = Callable[[str], str | None]
"""Gives the journey stage of an article by its slug, None when there is no such article."""

_REPLY_KINDS = {"offered_choices": "suggestion", "guide_step": "guide_step"}
_OWNER_KINDS = {
    "queued": "handoff",
    "agent": "queue_wait",
    "closed": "close",
}
_SURVEY_EMOTIONS = {1: "negative", 2: "negative", 3: "neutral", 4: "positive", 5: "positive"}


def touchpoint_of(event: Event, conversation: Conversation, stage_of: StageOf, latency_ms: int | None = None) -> Touchpoint:
    """The touchpoint of an event; ``data`` names the event, so that ledger and events can be compared both ways."""
    described = {"message": _message, "owner": _owner, "survey": _survey}[event.type](event)
    article = described.get("article")
    return Touchpoint(
        at=event.at,
        visitor_id=conversation.visitor_id,
        conversation_id=conversation.id,
        stage=(stage_of(article) if article else None) or "service",
        channel=conversation.channel,
        latency_ms=latency_ms,
        data={"event": event.seq, **described.pop("data", {})},
        **described,
    )


def _message(event: Event) -> dict[str, Any]:
    author = event.data["author"]
    if author == "customer":
        return {"kind": "question", "actor": "customer"}
    if author == "agent":
        return {"kind": "agent_reply", "actor": "agent", "data": {"agent": event.sender.partition(":")[2]}}
    outcome = event.data.get("outcome")
    first: dict[str, Any] = next(iter(event.data.get("sources") or ()), {})
    return {
        "kind": _REPLY_KINDS.get(outcome or "", "answer"),
        "actor": author,
        "outcome": outcome,
        "article": first.get("slug"),
        "confidence": first.get("confidence"),
    }


def _owner(event: Event) -> dict[str, Any]:
    owner, reason = event.data["owner"], event.data["reason"]
    kind = "transfer" if reason in ("transferred", "agent_gone", "agent_away") else _OWNER_KINDS.get(owner, "return_to_bot")
    actor, _, person = event.sender.partition(":")
    return {"kind": kind, "actor": actor, "outcome": reason, "data": {"owner": owner, **({"agent": person} if person else {})}}


def _survey(event: Event) -> dict[str, Any]:
    if event.data["state"] == "asked":
        return {"kind": "survey", "actor": "system", "outcome": "asked", "data": {"question": event.data["question"]}}
    score = event.data.get("score")
    return {
        "kind": "survey",
        "actor": "customer",
        "outcome": "answered",
        "emotion": _SURVEY_EMOTIONS.get(score) if score is not None else None,
        "data": {"question": event.data["question"], "score": score},
    }
