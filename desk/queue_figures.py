"""An honest range of waiting time, from how long others really waited."""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH = 5
"""Below so many waits nothing is promised."""


def wait_range_s(waits_ms: Sequence[int], position: int) -> tuple[int | None, int | None]:
    """The 20th and 80th percentile of recent waits, in seconds, times the place in the queue for the upper end; None while too few are known."""
    if len(waits_ms) < ENOUGH:
        return None, None
    ordered = sorted(waits_ms)
    low = ordered[int(0.2 * (len(ordered) - 1))]
    high = ordered[round(0.8 * (len(ordered) - 1))]
    return round(low / 1000), max(1, round(high * position / 1000))
