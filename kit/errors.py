"""Everything that can stop the kit from setting up, starting or testing. The command line prints the message and exits with 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class KitError(Exception):
    """Something the person at the keyboard can put right; the message says what and how."""


class SettingError(KitError):
    """A setting has a value that cannot be used; the message names the variable, the value and what is wanted."""


class InterpreterMissing(KitError):
    """No Python of a wanted version was found."""


class ToolMissing(KitError):
    """A program that the tests need is not there and could not be installed."""


class AlreadyRunning(KitError):
    """Another `make run` serves from the same var folder."""


class PortsTaken(KitError):
    """Ports that the kit wants are in use; ``taken`` maps each to who holds it, in words."""

    def __init__(self, taken: dict[int, str]) -> None:
        self.taken = taken
        super().__init__("\n".join(f"Port {port} is taken by {holder}." for port, holder in sorted(taken.items())))


class StepFailed(KitError):
    """A step of the set-up ended badly; ``log`` holds all it said."""

    def __init__(self, step: str, log: Path, last_lines: Sequence[str]) -> None:
        self.step, self.log = step, log
        said = "".join(f"\n    {line}" for line in last_lines)
        super().__init__(f"Setting up failed at: {step}. The end of {log}:{said}")


class ProcessFailed(KitError):
    """A process of the kit did not start, answer or stop as it should."""


class BackupRefused(KitError):
    """A backup cannot be taken or put back; the message says why and what helps."""
