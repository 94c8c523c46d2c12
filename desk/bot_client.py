"""Speaks to Rasa: one turn in, one checked result out, within a time and a size that are ours."""

from __future__ import annotations

import http.client
import json
import math
import time
from collections.abc import Mapping
from typing import Any

from desk.exceptions import BotFailed
from desk.model import HANDOFF_REASONS, OUTCOMES, Reply, TurnResult
from knowledge_base.bounded_http import AnswerTooLong, Line


class BotClient:
    """Calls ``POST /turns``; a connection is kept per thread."""

    def __init__(self, url: str, secret: str) -> None:
        self._line = Line(url, secret)

    def turn(self, turn_id: str, text: str, state: Mapping[str, Any], *, owner: str, budget_s: float) -> TurnResult:
        """Have one message answered. Raises `BotFailed` for anything but a whole, well-formed answer within ``budget_s``."""
        body = {"turn_id": turn_id, "text": text, "state": dict(state), "owner": owner, "budget_ms": int(budget_s * 1000)}
        try:
            status, content = self._line.ask("POST", "/turns", json.dumps(body).encode(), time.monotonic() + budget_s)
        except AnswerTooLong as cause:
            raise BotFailed("Rasa's answer is too long.") from cause
        except (OSError, http.client.HTTPException) as cause:
            raise BotFailed(f"Rasa did not answer: {type(cause).__name__}.") from cause
        if status != 200:
            raise BotFailed(f"Rasa answered {status}.")
        return read_result(_parsed(content))


def _parsed(content: bytes) -> Any:
    """The answer, if it is JSON that can be written again: what cannot would stop every stream that has to show it."""
    try:
        answer = json.loads(content, parse_constant=_refuse, parse_float=_finite)
        json.dumps(answer, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as cause:
        raise BotFailed("Rasa answered something else than JSON.") from cause
    return answer


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def read_result(answer: Any) -> TurnResult:
    """Check an answer against the seam's rules. Raises `BotFailed`: an empty list, say, is what Rasa gives when it failed."""
    try:
        result = _result(answer)
    except (KeyError, TypeError, AttributeError, ValueError) as cause:
        raise BotFailed("Rasa's answer has another shape.") from cause
    if result.outcome not in OUTCOMES or (result.handoff and result.handoff not in HANDOFF_REASONS):
        raise BotFailed("Rasa's answer has an unknown outcome.")
    if not result.replies and result.outcome != "noted":
        raise BotFailed("Rasa's answer is empty.")
    return result


def _result(answer: Any) -> TurnResult:
    handoff, verdict, intent = answer["handoff"], answer["verdict"] or {}, answer["intent"]
    return TurnResult(
        outcome=answer["outcome"],
        replies=tuple(_reply(reply) for reply in answer["replies"]),
        state=dict(_of(answer["state"], dict)),
        handoff=handoff["reason"] if handoff else None,
        intent=_of(intent["name"], str, None),
        confidence=_of(intent["confidence"], float, int, None),
        verdict_slug=_of(verdict.get("slug"), str, None),
        verdict_solved=_of(verdict.get("solved"), bool, None),
    )


def _reply(reply: Mapping[str, Any]) -> Reply:
    text, outcome = _of(reply["text"], str), reply["outcome"]
    if not text.strip() or outcome not in OUTCOMES:
        raise BotFailed("Rasa's answer has an empty reply.")
    return Reply(
        text=text,
        outcome=outcome,
        body=_of(reply["body"], list, None),
        choices=tuple({name: _of(choice[name], str) for name in ("title", "payload")} for choice in reply["choices"]),
        sources=tuple(_source(source) for source in reply["sources"]),
    )


def _source(source: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {name: _of(source[name], str) for name in ("slug", "section", "title", "url")}
    return {**named, "confidence": _of(source["confidence"], float, int, None)}


def _of(value: Any, *types: type | None) -> Any:
    """The value, if it is exactly of one of these types; None stands for itself. Raises TypeError."""
    if type(value) not in types and not (value is None and None in types):
        raise TypeError(f"{type(value).__name__} is none of {types}")
    return value
