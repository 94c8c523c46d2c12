"""Touchpoints to test with, and a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from touchpoints.model import Recorded, Touchpoint

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PURCHASE = {"id": "order-1077", "customer": "crm:4711", "kind": "purchase", "stage": "purchase", "channel": "web", "at": "2026-11-21T19:00:00Z"}


class FixedClock:
    """Shows the same time until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        """Let time pass, as ``timedelta`` names it."""
        self.now += timedelta(**time)


def touchpoint(**values: object) -> Touchpoint:
    """A touchpoint of which only what matters is said."""
    told = {"at": NOON, "kind": "visit", "stage": "awareness", "channel": "web", "actor": "customer", **values}
    return Touchpoint(**told)


def purchase(**changed: Any) -> dict[str, Any]:
    """A purchase as a shop sends it."""
    return {**PURCHASE, **changed}


def ids(found: list[Recorded]) -> list[str]:
    """The ids of what was read, in its order."""
    return [recorded.touchpoint.id for recorded in found]
