"""Whether web says that every part answers."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Readiness:
    """``waiting_for`` names the parts that do not answer yet and what they say of it, empty when ready; ``notes``: about the company's files."""

    ready: bool
    waiting_for: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def ask_ready(url: str, timeout_s: float = 10.0) -> Readiness:
    """Ask ``/readyz`` once."""
    # No proxy, whatever the environment says: this is a call to ourselves.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=timeout_s) as answer:
            return Readiness(answer.status == 200, notes=notes_in(_json(answer.read())))
    except urllib.error.HTTPError as refusal:
        with refusal:
            body = _json(refusal.read())
            return Readiness(False, parts_not_ready(body) or {"web": f"answers {refusal.code}"}, notes_in(body))
    except (OSError, ValueError, http.client.HTTPException):
        return Readiness(False, {"web": "does not answer"})


def parts_not_ready(body: Any) -> dict[str, str]:
    """The parts that ``/readyz`` calls not ready, from ``{"parts": {name: {"ready": bool, "message": str}}}``."""
    parts = body.get("parts") if isinstance(body, dict) else None
    if not isinstance(parts, dict):
        return {}
    return {name: str(part.get("message", "")) for name, part in parts.items() if isinstance(part, dict) and part.get("ready") is not True}


def notes_in(body: Any) -> tuple[str, ...]:
    """What ``/readyz`` says of files that the company writes, from ``{"notes": [str]}``."""
    notes = body.get("notes") if isinstance(body, dict) else None
    return tuple(str(note) for note in notes) if isinstance(notes, list) else ()


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
