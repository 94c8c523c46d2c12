"""When the scripts start: the fourteen days before today hold each weekday twice, so a script's Tuesday is a Tuesday whenever it is played."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from demo.scripts import WEEKDAYS, Script, Start

DAYS = 14


def first_day(end: datetime) -> datetime:
    """Midnight with which the play begins."""
    return end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)


def start_of(start: Start, end: datetime) -> datetime:
    """The moment at which a script starts, in a play that leads up to ``end``."""
    if start.before_end is not None:
        return end - start.before_end
    first = first_day(end)
    ahead = (WEEKDAYS.index(start.day) - first.weekday()) % 7
    return first + timedelta(days=ahead + 7 * (start.week - 1)) + start.at


def chosen(scripts: Sequence[Script], count: int | None) -> list[Script]:
    """``count`` of the scripts, evenly from first to last; all of them by default."""
    if count is None or count >= len(scripts):
        return list(scripts)
    return [scripts[number * len(scripts) // count] for number in range(count)]
