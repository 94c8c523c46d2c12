"""Asking the search service over loopback HTTP, in the form that `docs/architecture.md` (*The seams*) fixes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import requests

from .exceptions import SearchRefused, SearchUnavailable
from .model import ArticleAnswer, Choice, Cutoffs, Hit, SearchAnswer, SearchHealth, Step

Form = TypeVar("Form")


class SearchClient:
    """Speaks to the service at ``url`` with the inner secret. May be used from many threads; each keeps its own connection.

    Every method raises `SearchUnavailable` (no answer in time, or none that can be understood) or `SearchRefused` (an error answer).
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._local = threading.local()

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
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()

    def _call(self, method: str, path: str, timeout_s: float, body: dict[str, Any] | None = None) -> Any:
        try:
            response = self._send(method, path, timeout_s, body)
        except requests.Timeout as cause:
            raise SearchUnavailable(f"search did not answer within {timeout_s} s") from cause
        except requests.ConnectionError:
            # A kept connection may have ended with a restart of the service; asking twice has no effect.
            try:
                response = self._send(method, path, timeout_s, body)
            except requests.RequestException as cause:
                raise SearchUnavailable("search cannot be reached") from cause
        except requests.RequestException as cause:
            raise SearchUnavailable("search cannot be asked") from cause
        return _json_of(response)

    def _send(self, method: str, path: str, timeout_s: float, body: dict[str, Any] | None) -> requests.Response:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False  # a proxy from the environment has no business on loopback
            session.headers["Authorization"] = f"Bearer {self._secret}"
        response: requests.Response = session.request(method, self._url + path, json=body, timeout=timeout_s, allow_redirects=False)
        return response


def _json_of(response: requests.Response) -> Any:
    try:
        answer = response.json()
    except ValueError as cause:
        raise SearchUnavailable(f"search answered {response.status_code} without JSON") from cause
    if response.status_code == 200:
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        raise SearchUnavailable(f"search answered {response.status_code} in another form")
    if response.status_code >= 500:
        raise SearchUnavailable(f"search answered {response.status_code}")
    raise SearchRefused(response.status_code, str(error.get("code", "")), str(error.get("message", "")))


def _read(form: Callable[[], Form]) -> Form:
    try:
        return form()
    except (KeyError, TypeError, ValueError) as cause:
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
