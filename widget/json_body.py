"""Reading a request's JSON strictly: what is stored must be writable again, and no body may cost more than it is worth."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnprocessableEntity, UnsupportedMediaType

LIMIT_BYTES = 64 * 1024
LARGEST_INTEGER = 2**53
DEEPEST = 16


def read_object() -> dict[str, Any]:
    """The body as an object; no body at all is an empty one. Answers 400, 413, 415 or 422 for anything else."""
    content = request.get_data(cache=False)
    if not content:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("The body must be application/json.")
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant, parse_int=_integer, parse_float=_finite)
    except (ValueError, RecursionError) as cause:
        raise BadRequest("The body is not valid JSON.") from cause
    if not isinstance(value, dict):
        raise UnprocessableEntity("The body must be an object.")
    _check_depth(value)
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST_INTEGER:
        raise ValueError("a number too large")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def _check_depth(value: Any, depth: int = 1) -> None:
    if depth > DEEPEST:
        raise UnprocessableEntity(f"The body is nested deeper than {DEEPEST}.")
    if isinstance(value, dict):
        for key, entry in value.items():
            _check_text(key)
            _check_depth(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check_depth(entry, depth + 1)
    elif isinstance(value, str):
        _check_text(value)


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
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
