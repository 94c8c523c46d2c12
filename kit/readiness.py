"""Whether web says that every part answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Readiness:
    """``waiting_for`` names the parts that do not answer yet; empty when ready."""

    ready: bool
    waiting_for: tuple[str, ...] = ()


def ask_ready(url: str, timeout_s: float = 10.0) -> Readiness:
    """Ask ``/readyz`` once."""
    # No proxy, whatever the environment says: this is a call to ourselves.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/readyz", timeout=timeout_s) as answer:
            return Readiness(answer.status == 200)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Readiness(False, parts_not_ready(_json(refusal.read())) or ("web",))
    except (OSError, ValueError):
        return Readiness(False, ("web",))


def parts_not_ready(body: Any) -> tuple[str, ...]:
    """Names of the parts that ``/readyz`` calls not ready, from ``{"parts": {name: {"ok": bool}}}``."""
    parts = body.get("parts") if isinstance(body, dict) else None
    if not isinstance(parts, dict):
        return ()
    return tuple(name for name, part in parts.items() if not (isinstance(part, dict) and part.get("ok") is True))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
