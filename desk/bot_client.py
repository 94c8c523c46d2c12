"""Speaks to Rasa: one turn in, one checked result out, within a time and a size that are ours."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests

from desk.exceptions import BotFailed
from desk.model import HANDOFF_REASONS, OUTCOMES, Reply, TurnResult

CONNECT_TIMEOUT_S = 1.0
ANSWER_LIMIT_BYTES = 1 << 20


class BotClient:
    """Calls ``POST /turns``; a connection is kept per thread."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url}/turns"
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._local = threading.local()

    def turn(self, turn_id: str, text: str, state: Mapping[str, Any], *, owner: str, budget_s: float) -> TurnResult:
        """Have one message answered. Raises `BotFailed` for anything but a whole, well-formed answer within ``budget_s``."""
        body = {"turn_id": turn_id, "text": text, "state": dict(state), "owner": owner, "budget_ms": int(budget_s * 1000)}
        deadline = time.monotonic() + budget_s
        try:
            with self._session().post(self._url, json=body, headers=self._headers, timeout=(CONNECT_TIMEOUT_S, budget_s), stream=True) as response:
                if response.status_code != 200:
                    raise BotFailed(f"Rasa answered {response.status_code}.")
                content = _read(response, deadline)
        except requests.RequestException as cause:
            raise BotFailed(f"Rasa did not answer: {type(cause).__name__}.") from cause
        try:
            return read_result(json.loads(content))
        except ValueError as cause:
            raise BotFailed("Rasa answered something else than JSON.") from cause

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
        return session


def _read(response: requests.Response, deadline: float) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(65536):
        content += chunk
        if len(content) > ANSWER_LIMIT_BYTES:
            raise BotFailed("Rasa's answer is too long.")
        if time.monotonic() > deadline:
            raise BotFailed("Rasa's answer took too long.")
    return bytes(content)


def read_result(answer: Any) -> TurnResult:
    """Check an answer against the seam's rules. Raises `BotFailed`: an empty list, say, is what Rasa gives when it failed."""
    try:
        replies = tuple(_reply(reply) for reply in answer["replies"])
        outcome, handoff, verdict, intent = answer["outcome"], answer["handoff"], answer["verdict"] or {}, answer["intent"]
        result = TurnResult(
            outcome=outcome,
            replies=replies,
            state=dict(answer["state"]),
            handoff=handoff["reason"] if handoff else None,
            intent=intent["name"],
            confidence=intent["confidence"],
            verdict_slug=verdict.get("slug"),
            verdict_solved=verdict.get("solved"),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as cause:
        raise BotFailed("Rasa's answer has another shape.") from cause
    if outcome not in OUTCOMES or (result.handoff and result.handoff not in HANDOFF_REASONS):
        raise BotFailed("Rasa's answer has an unknown outcome.")
    if not replies and outcome != "noted":
        raise BotFailed("Rasa's answer is empty.")
    return result


def _reply(reply: Mapping[str, Any]) -> Reply:
    text, outcome = reply["text"], reply["outcome"]
    if not isinstance(text, str) or not text.strip() or outcome not in OUTCOMES:
        raise BotFailed("Rasa's answer has an empty reply.")
    choices = tuple({"title": str(choice["title"]), "payload": str(choice["payload"])} for choice in reply["choices"])
    return Reply(text=text, outcome=outcome, body=reply["body"], choices=choices, sources=tuple(dict(source) for source in reply["sources"]))
