"""What the players of a run did and saw, as data: every call with its outcome, every event that came over a stream."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
"""Outcomes of a call: acknowledged; refused, so without effect; no answer, so perhaps with effect."""


@dataclass(frozen=True)
class Call:
    """One call. ``what`` is ``say``, ``reply`` (an agent's words), ``accept``, ``handoff`` ...; ``seq`` is the number that was acknowledged."""

    who: str
    what: str
    conversation: str
    outcome: str
    client_id: str | None = None
    text: str | None = None
    seq: int | None = None
    status: int | None = None
    took_s: float = 0.0


@dataclass(frozen=True)
class Seen:
    """One numbered event as a watcher got it."""

    watcher: str
    conversation: str
    seq: int
    digest: str


@dataclass(frozen=True)
class Recovery:
    """A part that went away and came back by itself after so long, or did not (None)."""

    part: str
    took_s: float | None
    limit_s: float


@dataclass
class Record:
    """All of a run. Filled from many threads, read when they are done."""

    calls: list[Call] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    watched_to_the_end: set[str] = field(default_factory=set)
    """Watchers that had time to catch up: what they have must be all there is."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, entry: Call | Seen | Recovery) -> None:
        """Note something; safe from any thread."""
        with self._lock:
            if isinstance(entry, Call):
                self.calls.append(entry)
            elif isinstance(entry, Seen):
                self.seen.append(entry)
            else:
                self.recoveries.append(entry)


def digest(kind: str, data: Mapping[str, Any]) -> str:
    """What two events have in common only when they say the same."""
    return hashlib.sha256(json.dumps([kind, data], sort_keys=True).encode()).hexdigest()[:24]
