"""The form of the service's requests and answers (see *The seams* in `docs/architecture.md`). Pure."""

from __future__ import annotations

import json
from typing import Any

from .model import ArticleAnswer, SearchAnswer, SearchHealth

MAX_BODY = 65_536
MAX_LIMIT = 20
DEFAULT_LIMIT = 3


class Refusal(Exception):
    """A request that is answered with an error: its status, its code and a sentence for whoever wrote the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def read_search_request(body: bytes) -> tuple[str, int]:
    """Text and limit. Raises `Refusal`: 400 for what is not JSON, 422 for another form, a NUL or half a surrogate pair."""
    try:
        form = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as cause:
        raise Refusal(400, "bad_json", "The body is not JSON.") from cause
    text = form.get("text") if isinstance(form, dict) else None
    limit = form.get("limit", DEFAULT_LIMIT) if isinstance(form, dict) else None
    if not isinstance(text, str):
        raise Refusal(422, "bad_request", "Wanted an object with a text.")
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MAX_LIMIT:
        raise Refusal(422, "bad_request", f"The limit must be a whole number from 1 to {MAX_LIMIT}.")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal(422, "bad_text", "The text holds a NUL or half of a surrogate pair.")
    return text, limit


def search_form(answer: SearchAnswer) -> dict[str, Any]:
    """``search_response``."""
    return {**vars(answer), "cutoffs": vars(answer.cutoffs), "hits": [vars(hit) for hit in answer.hits]}


def article_form(answer: ArticleAnswer) -> dict[str, Any]:
    """``article_response``."""
    return {**vars(answer), "steps": [{**vars(step), "choices": [vars(choice) for choice in step.choices]} for step in answer.steps]}


def health_form(health: SearchHealth) -> dict[str, Any]:
    """The answer of ``GET /health``."""
    return vars(health)


def error_form(refusal: Refusal) -> dict[str, Any]:
    """The one shape of errors."""
    return {"error": {"code": refusal.code, "message": refusal.message, "detail": None}}


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
