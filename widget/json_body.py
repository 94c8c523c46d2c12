"""Reading a request's JSON strictly: what is stored must be writable again, and no body may cost more than it is worth."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnprocessableEntity, UnsupportedMediaType

LARGEST_INTEGER = 2**53
DEEPEST = 16
MOST_KEYS = 64
LONGEST_KEY = 64
_UNSTORED = re.compile("[\0\ud800-\udfff]")


def read_object() -> dict[str, Any]:
    """The body as an object; no body at all is an empty one. Answers 400, 413, 415 or 422 for anything else."""
    content = request.get_data(cache=False)
    if not content:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("The body must be application/json.")
    try:
        value = json.loads(content.decode("utf-8"), **_STRICTLY)
    except (ValueError, RecursionError) as cause:
        raise BadRequest("The body is not valid JSON.") from cause
    if not isinstance(value, dict):
        raise UnprocessableEntity("The body must be an object.")
    _check(value)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every name stands once: with two of a kind, two readers may take different ones."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice in one object")
    return found


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST_INTEGER:
        raise ValueError("a number too large")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


_STRICTLY: dict[str, Any] = {
    "parse_constant": _refuse_constant,
    "parse_int": _integer,
    "parse_float": _finite,
    "object_pairs_hook": _object,
}


def _check(value: Any, depth: int = 1) -> None:
    if depth > DEEPEST and isinstance(value, dict | list):
        raise UnprocessableEntity(f"The body is nested deeper than {DEEPEST}.")
    if isinstance(value, dict):
        if len(value) > MOST_KEYS:
            raise UnprocessableEntity(f"An object of the body has more than {MOST_KEYS} names.")
        for key, entry in value.items():
            _check_key(key)
            _check(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check(entry, depth + 1)
    elif isinstance(value, str):
        _check_text(value)


def _check_key(key: str) -> None:
    if len(key) > LONGEST_KEY:
        raise UnprocessableEntity(f"A name in the body is longer than {LONGEST_KEY} characters.")
    _check_text(key)


def _check_text(text: str) -> None:
    if _UNSTORED.search(text):
        raise UnprocessableEntity("The body holds characters that cannot be stored.")


def text_field(body: dict[str, Any], name: str, limit: int) -> str | None:
    """An optional text of at most ``limit`` characters. Answers 422 for anything else."""
    value = body.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > limit):
        raise UnprocessableEntity(f"{name} must be a text of at most {limit} characters.")
    return value


def whole_number(name: str, default: int, least: int, most: int) -> int:
    """A whole number from the query string. Answers 422 outside its range."""
    value = request.args.get(name)
    if value is None or value == "":
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 16 or not least <= int(value) <= most:
        raise UnprocessableEntity(f"{name} must be a whole number from {least} to {most}.")
    return int(value)
