"""What a customer or an agent may send, as rules without I/O."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from desk.exceptions import MessageInvalid, MessageTooLong
from desk.model import TEXT_LIMIT, Event

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSHOWN = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*\Z")
"""Blanks and the marks that have no width: a message of these alone is empty."""
_COMMAND_START = re.compile(r"[/\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def check_client_id(value: Any) -> str:
    """The client's own id of a message: 1 to 64 of ``[A-Za-z0-9_-]``. Raises `MessageInvalid`."""
    if not isinstance(value, str) or not _CLIENT_ID.match(value):
        raise MessageInvalid("client_id must be 1 to 64 letters, digits, - or _.", field="client_id")
    return value


def check_text(value: Any, field: str = "text", limit: int = TEXT_LIMIT) -> str:
    """A text as it will be stored, unchanged. Raises `MessageInvalid` when it is no text, empty, too long, or cannot be written as UTF-8."""
    if not isinstance(value, str):
        raise MessageInvalid(f"{field} must be a text.", field=field)
    if len(value) > limit:
        raise MessageTooLong(f"{field} is too long: at most {limit} characters.", field=field, limit=limit)
    if "\0" in value or _SURROGATE.search(value):
        raise MessageInvalid(f"{field} holds characters that cannot be stored.", field=field)
    if _UNSHOWN.match(value):
        raise MessageInvalid(f"{field} is empty.", field=field)
    return value


def body_hash(body: Mapping[str, Any]) -> str:
    """What tells a repeat of a message from another message under the same ``client_id``: SHA-256 in hex."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def turn_input(text: str) -> str:
    """The customer's words as Rasa may read them: without the slashes and blanks that would make them a command."""
    start = _COMMAND_START.match(text)
    return (text[start.end() :] if start else text) or "?"


def title_of_choice(payload: Any, events: Iterable[Event]) -> str:
    """The title of the choice that a payload stands for. Raises `MessageInvalid` unless an event of this conversation offered it."""
    if isinstance(payload, str):
        for event in events:
            for choice in event.data.get("choices") or ():
                if choice["payload"] == payload:
                    return str(choice["title"])
    raise MessageInvalid("This conversation offers no such choice.", field="payload")
