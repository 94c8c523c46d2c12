"""What can go wrong with the demo. Each says in one sentence what is the matter."""

from __future__ import annotations


class DemoError(Exception):
    """Base of the demo's errors."""


class ScriptInvalid(DemoError):
    """A script cannot be played; the message names the file, the customer and the fault."""


class AlreadyThere(DemoError):
    """The database holds the data of an earlier play."""

    def __init__(self) -> None:
        super().__init__("There are demo data already. `make demo-remove` takes them away; then play again.")


class PlayFailed(DemoError):
    """The kit did not answer as its contract says."""


class Refused(PlayFailed):
    """The kit refused something that a script wanted: things have come otherwise than written."""
