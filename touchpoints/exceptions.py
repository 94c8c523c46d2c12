"""Everything that can go wrong in the ledger and in the database under it."""

from __future__ import annotations

from typing import Any


class TouchpointsError(Exception):
    """Base of this package's errors."""

    message = "The ledger could not do that."

    def __init__(self, message: str | None = None, **detail: Any) -> None:
        super().__init__(message or self.message)
        self.detail = detail


class StoreError(TouchpointsError):
    """The database refused; the driver's error is the cause."""

    message = "The database could not do that."


class StoreBusy(StoreError):
    """The database stayed locked for longer than a writer waits."""

    message = "The database is busy; please try again."


class StoreDamaged(StoreError):
    """The database file is broken: no part of it can be trusted."""

    message = (
        "The database is damaged. Stop the kit, put the broken file aside and the last backup back (make restore FILE=…, see docs/operations.md)."
    )


class TouchpointInvalid(TouchpointsError):
    """A touchpoint from outside breaks a rule of the ledger; ``detail`` names the field."""

    message = "That is not a touchpoint."
