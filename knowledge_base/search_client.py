"""Asking the search service over loopback HTTP, in the form that `docs/architecture.md` (*The seams*) fixes."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from .bounded_http import Line
from .exceptions import SearchRefused, SearchUnavailable
from .model import ArticleAnswer, Choice, Cutoffs, Hit, SearchAnswer, SearchHealth, Step

Form = TypeVar("Form")


class SearchClient:
    """Speaks to the service at ``url`` with the inner secret. May be used from many threads; each keeps its own connection.

    Every method raises `SearchUnavailable` (no answer in time, or none that can be understood) or `SearchRefused` (an error answer).
    """

    def __init__(self, url: str, secret: str) -> None:
        self._line = Line(url, secret)

    def search(self, text: str, limit: int = 3, timeout_s: float = 2.0) -> SearchAnswer:
        """The articles that may answer ``text``, at most ``limit`` (1 to 20), best first."""
        answer = self._call("POST", "/search", timeout_s, {"text": text, "limit": limit})
        return _read(lambda: search_answer(answer))

    def article(self, slug: str, timeout_s: float = 2.0) -> ArticleAnswer | None:
        """The public article of that slug with its steps, or None where there is none."""
        try:
            answer = self._call("GET", f"/articles/{quote(slug, safe='')}", timeout_s)
        except SearchRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        return _read(lambda: article_answer(answer))

    def health(self, timeout_s: float = 2.0) -> SearchHealth:
        """How the service stands. It answers only when it can search."""
        answer = self._call("GET", "/health", timeout_s)
        return _read(
            lambda: SearchHealth(
                answer["generation"], answer["articles"], answer["problems"], answer.get("remembered", 0), answer.get("looked_up", 0)
            )
        )

    def close(self) -> None:
        """Close the connection of the calling thread; those of other threads go with their threads."""
        self._line.close()

    def _call(self, method: str, path: str, timeout_s: float, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        try:
            status, answer = self._line.ask(method, path, content, time.monotonic() + timeout_s)
        except TimeoutError as cause:
            raise SearchUnavailable(f"search did not answer within {timeout_s} s") from cause
        except (OSError, http.client.HTTPException) as cause:
            raise SearchUnavailable(f"search cannot be reached: {type(cause).__name__}") from cause
        return _checked(status, answer)


def _checked(status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as cause:
        raise SearchUnavailable(f"search answered {status} without JSON") from cause
    if status == 200:
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        raise SearchUnavailable(f"search answered {status} in another form")
    if status >= 500:
        raise SearchUnavailable(f"search answered {status}")
    raise SearchRefused(status, str(error.get("code", "")), str(error.get("message", "")))


def _read(form: Callable[[], Form]) -> Form:
    try:
        return form()
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise SearchUnavailable("search answered in another form") from cause


def search_answer(answer: dict[str, Any]) -> SearchAnswer:
    """The typed form of a ``search_response``. Raises KeyError, TypeError or ValueError for another form."""
    hits = tuple(Hit(**{**hit, "body": tuple(hit["body"]), "confidence": float(hit["confidence"])}) for hit in answer["hits"])
    cutoffs = Cutoffs(float(answer["cutoffs"]["answer"]), float(answer["cutoffs"]["offer"]))
    return SearchAnswer(answer["generation"], answer["verdict"], cutoffs, hits)


def article_answer(answer: dict[str, Any]) -> ArticleAnswer:
    """The typed form of an ``article_response``. Raises KeyError, TypeError or ValueError for another form."""
    steps = tuple(
        Step(step["id"], step["title"], step["text"], tuple(step["body"]), tuple(Choice(**choice) for choice in step["choices"]))
        for step in answer["steps"]
    )
    return ArticleAnswer(**{**answer, "body": tuple(answer["body"]), "steps": steps})
