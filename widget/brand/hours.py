"""Opening hours: whether somebody is here at a moment, and when somebody is here next.

Hours are what the clock on the wall of the company's time zone says, so a day on which clocks change needs no rule of its own: from 9:00
is from 9:00, whichever offset that day has. An hour that a change of clocks leaves out is not worked, one that comes twice is worked twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
LOOKED_AHEAD_DAYS = 400
"""Longer than any year, so that a company which opens on one day of it is still found."""
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Span:
    """Minutes of a day, from ``start`` up to ``end`` without it; an ``end`` above `DAY_MINUTES` is on the next day."""

    start: int
    end: int


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Hours:
    """``week`` holds the spans of Monday to Sunday; ``special`` those of single dates, which take the place of their weekday's."""

    zone: ZoneInfo
    week: tuple[Spans, ...]
    special: Mapping[date, Spans] = field(default_factory=dict)

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is here at a moment (aware)."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = self._spans(local.date()), self._spans(local.date() - timedelta(days=1))
        return any(span.start <= minute < span.end for span in today) or any(minute < span.end - DAY_MINUTES for span in yesterday)

    def next_opening(self, at: datetime) -> datetime | None:
        """The first moment (UTC) after ``at`` from which somebody is here; ``at`` itself while somebody is, None if nobody ever comes."""
        at = at.astimezone(UTC)  # which of two equal readings of a clock is meant, only UTC compares
        if self.is_open(at):
            return at
        first = at.astimezone(self.zone).date()
        for ahead in range(LOOKED_AHEAD_DAYS):
            starts = [moment for moment in self._starts(first + timedelta(days=ahead)) if moment > at]
            if starts:
                return min(starts)
        return None

    def _spans(self, day: date) -> Spans:
        return self.special.get(day, self.week[day.weekday()])

    def _starts(self, day: date) -> Iterator[datetime]:
        """When the spans of a day begin (UTC). A start that comes twice is given twice, one that is left out as the moment after the gap."""
        for span in self._spans(day):
            for fold in (0, 1):
                wall = datetime.combine(day, time(span.start // 60, span.start % 60), self.zone).replace(fold=fold)
                moment = wall.astimezone(UTC)
                # In a gap the first reading lies beyond its end: go back to where the clock jumped.
                while self.is_open(moment) and self.is_open(moment - _MINUTE) and (moment - _MINUTE).astimezone(self.zone).date() == day:
                    moment -= _MINUTE
                if self.is_open(moment):
                    yield moment
