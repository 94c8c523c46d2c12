"""The clock that is passed to whatever needs the time, so that a test can hold it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present time, aware and in UTC."""

SLEW = 0.05
"""Share of the passing time by which a steady clock goes faster or slower to meet the machine's."""


def system_clock() -> datetime:
    """The machine's time in UTC, cut to milliseconds, which is what events show."""
    return _shown(time.time())


class SteadyClock:
    """The machine's time without its steps, for a process whose deadlines, leases and presence are told by it.

    When somebody sets the machine's clock, this one does not jump: it goes on from where it was, a twentieth faster or slower until the two agree
    (an hour's difference is gone after 20 hours, or with a restart). It never goes back. Safe to ask from any thread.
    """

    def __init__(self, wall: Callable[[], float] = time.time, passed: Callable[[], float] | None = None) -> None:
        self._wall = wall
        self._passed = passed or _since_boot
        self._at, self._seconds = self._passed(), wall()
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The present time."""
        with self._lock:
            at = self._passed()
            step, self._at = at - self._at, at
            self._seconds += step
            self._seconds += max(-SLEW * step, min(SLEW * step, self._wall() - self._seconds))
            return _shown(self._seconds)

    def behind_s(self) -> float:
        """By how many seconds the machine's clock is ahead of this one, negative when it was set back."""
        now = self().timestamp()
        return self._wall() - now


def _since_boot() -> float:
    """Seconds that nobody can set. With the time the machine was asleep, where the system tells that: waking up is no step."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _shown(seconds: float) -> datetime:
    now = datetime.fromtimestamp(seconds, UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
