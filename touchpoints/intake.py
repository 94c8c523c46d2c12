"""Touchpoints from outside (shop, CRM, e-mail, phone): each is checked by the ledger's rules before it is recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from touchpoints.exceptions import TouchpointInvalid
from touchpoints.model import ACTORS, CHANNELS, EMOTIONS, KINDS, STAGES, Touchpoint

MOST = 1000
"""Touchpoints in one call."""
DATA_LIMIT = 4096
"""Characters of ``data`` as JSON."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")
_FIELDS = {"id", "customer", "kind", "stage", "channel", "at", "actor", "article", "outcome", "confidence", "emotion", "latency_ms", "data"}


@dataclass(frozen=True)
class Refused:
    """One touchpoint of a call that was not recorded, and why."""

    index: int
    code: str
    message: str


@dataclass(frozen=True)
class Taken:
    """What became of a call: how many are new, how many the ledger had, which were refused."""

    accepted: int
    repeated: int
    refused: tuple[Refused, ...]


def read_touchpoint(given: Any) -> Touchpoint:
    """A touchpoint from its JSON object. Raises `TouchpointInvalid`, which names the field."""
    if not isinstance(given, Mapping):
        raise TouchpointInvalid("A touchpoint is an object.")
    if unknown := sorted(set(given) - _FIELDS):
        raise TouchpointInvalid(f"Unknown field {unknown[0]!r}.", field=unknown[0])
    return Touchpoint(
        id=_identifier(given, "id"),
        visitor_id=_identifier(given, "customer"),
        kind=_one_of(given, "kind", KINDS),
        stage=_one_of(given, "stage", STAGES),
        channel=_one_of(given, "channel", CHANNELS),
        actor=_one_of({"actor": "customer", **given}, "actor", ACTORS),
        emotion=_one_of(given, "emotion", EMOTIONS) if given.get("emotion") is not None else None,
        at=_time(given.get("at")),
        article=_text(given, "article", 200),
        outcome=_text(given, "outcome", 32),
        confidence=_confidence(given.get("confidence")),
        latency_ms=_latency(given.get("latency_ms")),
        data=_data(given.get("data")),
    )


def _identifier(given: Mapping[str, Any], field: str) -> str:
    value = given.get(field)
    if not isinstance(value, str) or not _ID.match(value):
        raise TouchpointInvalid(f"{field} must be 1 to 64 letters, digits or _ . : -", field=field)
    return value


def _one_of(given: Mapping[str, Any], field: str, values: tuple[str, ...]) -> str:
    value = given.get(field)
    if not isinstance(value, str) or value not in values:
        raise TouchpointInvalid(f"{field} must be one of {', '.join(values)}.", field=field)
    return value


def _text(given: Mapping[str, Any], field: str, limit: int) -> str | None:
    value = given.get(field)
    if value is not None and (not isinstance(value, str) or len(value) > limit or not value.isprintable()):
        raise TouchpointInvalid(f"{field} must be a text of at most {limit} characters.", field=field)
    return value


def _time(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise TouchpointInvalid("at must name its time zone.", field="at")
        return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as cause:  # in its first and last hours the calendar overflows in another zone
        raise TouchpointInvalid("at must be a time such as 2026-11-21T19:00:00Z.", field="at") from cause


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise TouchpointInvalid("confidence must be a number from 0 to 1.", field="confidence")
    return float(value)


def _latency(value: Any) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31):
        raise TouchpointInvalid("latency_ms must be a whole number of milliseconds.", field="latency_ms")
    return value


def _data(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TouchpointInvalid("data must be an object.", field="data")
    try:
        size = len(json.dumps(value, allow_nan=False))
    except ValueError as cause:  # 1e999 is read as infinity, which no JSON can hold again
        raise TouchpointInvalid("data holds a number that JSON does not have.", field="data") from cause
    if size > DATA_LIMIT:
        raise TouchpointInvalid(f"data must have at most {DATA_LIMIT} characters.", field="data")
    return value
