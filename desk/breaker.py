"""A circuit breaker: after failures in a row Rasa is left alone for a moment, so that a hanging one does not hold every worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Opens after ``failures`` in a row; then lets one call through every ``pause_s`` until one succeeds."""

    def __init__(self, failures: int = 4, pause_s: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._failed = 0
        self._next_try = 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether to call now."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if self._monotonic() < self._next_try:
                return False
            self._next_try = self._monotonic() + self._pause_s
            return True

    def succeeded(self) -> None:
        """Close the circuit."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """Count a failure; from the limit on the circuit is open."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._next_try = self._monotonic() + self._pause_s
