"""Opening hours: who is here when, and when somebody is back, over weekends, holidays, midnights and changes of clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from widget.brand.hours import Hours, Span, Spans

BERLIN = ZoneInfo("Europe/Berlin")
CLOSED: Spans = ()


def day(start: str, end: str) -> Spans:
    """One span of a day, such as from 9:00 to 17:00."""
    (first, last) = (int(hour) * 60 + int(minute) for hour, minute in (start.split(":"), end.split(":")))
    return (Span(first, last if last > first else last + 24 * 60),)


def weekdays(spans: Spans, *, zone: ZoneInfo = BERLIN, special: dict[date, Spans] | None = None) -> Hours:
    """The same hours from Monday to Friday."""
    return Hours(zone, (spans,) * 5 + (CLOSED, CLOSED), special or {})


def every_day(spans: Spans, *, zone: ZoneInfo = BERLIN) -> Hours:
    return Hours(zone, (spans,) * 7)


def in_berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


OFFICE = weekdays(day("9:00", "17:00"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00", True),
        ("2026-11-20 16:59:59", True),
        ("2026-11-20 17:00", False),
        ("2026-11-21 12:00", False),  # a Saturday
    ],
)
def test_open_from_the_first_minute_up_to_the_last(at: str, expected: bool) -> None:
    """The end is not part of it, and a weekend is closed."""
    assert OFFICE.is_open(in_berlin(at)) is expected


@pytest.mark.parametrize(
    ("at", "back"),
    [
        ("2026-11-20 07:00", "2026-11-20 09:00"),
        ("2026-11-19 17:00", "2026-11-20 09:00"),
        ("2026-11-20 17:00", "2026-11-23 09:00"),  # Friday evening to Monday
        ("2026-11-22 23:59", "2026-11-23 09:00"),
    ],
)
def test_when_somebody_is_back(at: str, back: str) -> None:
    """The same day, the next, or after the weekend."""
    assert OFFICE.next_opening(in_berlin(at)) == in_berlin(back)


def test_while_somebody_is_here_it_is_now() -> None:
    """Nobody has to wait."""
    at = in_berlin("2026-11-20 10:30")
    assert OFFICE.next_opening(at) == at


def test_a_pause_at_noon() -> None:
    """Two spans of one day, with time between them."""
    hours = weekdays(day("9:00", "12:30") + day("14:00", "20:00"))
    assert not hours.is_open(in_berlin("2026-11-20 13:00"))
    assert hours.next_opening(in_berlin("2026-11-20 13:00")) == in_berlin("2026-11-20 14:00")


def test_holidays_take_the_place_of_their_weekday() -> None:
    """Christmas Eve ends at noon, the two days after it are closed, and then comes a weekend."""
    special = {date(2026, 12, 24): day("9:00", "12:00"), date(2026, 12, 25): CLOSED, date(2026, 12, 28): CLOSED}
    hours = weekdays(day("9:00", "17:00"), special=special)
    assert hours.is_open(in_berlin("2026-12-24 11:59"))
    assert hours.next_opening(in_berlin("2026-12-24 12:00")) == in_berlin("2026-12-29 09:00")


def test_a_holiday_may_be_open_where_its_weekday_is_not() -> None:
    """A Sunday before Christmas."""
    hours = weekdays(day("9:00", "17:00"), special={date(2026, 12, 20): day("12:00", "16:00")})
    assert hours.next_opening(in_berlin("2026-12-18 17:00")) == in_berlin("2026-12-20 12:00")


def test_a_night_shift_goes_on_after_midnight() -> None:
    """It belongs to the day it began on, also into a day that is closed."""
    hours = weekdays(day("22:00", "2:00"))
    moments = ("0 21:59", "0 22:00", "1 01:59", "1 02:00", "1 22:00")
    assert [hours.is_open(in_berlin(f"2026-11-2{at}")) for at in moments] == [False, True, True, False, False]


def test_always_and_never() -> None:
    """A day may be whole; and where nobody ever comes that is said."""
    assert every_day(day("0:00", "24:00")).is_open(in_berlin("2026-03-29 02:30"))
    assert every_day(CLOSED).next_opening(in_berlin("2026-11-20 12:00")) is None
    once = Hours(BERLIN, (CLOSED,) * 7, {date(2027, 6, 1): day("9:00", "10:00")})
    assert once.next_opening(in_berlin("2026-11-20 12:00")) == in_berlin("2027-06-01 09:00")


def test_nine_oclock_is_nine_oclock_on_both_sides_of_a_change_of_clocks() -> None:
    """Friday 17:00 to Monday 9:00 is one hour shorter in March and one longer in October."""
    spring, autumn = (OFFICE.next_opening(in_berlin(at)) for at in ("2026-03-27 17:00", "2026-10-23 17:00"))
    assert spring == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert autumn == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)


def test_an_hour_that_is_left_out_is_not_waited_for() -> None:
    """In the night of 29 March 2026 there is no 2:30 in Berlin: opening at 2:30 happens as the clock jumps to 3:00."""
    hours = every_day(day("2:30", "6:00"))
    assert not hours.is_open(datetime(2026, 3, 29, 0, 59, tzinfo=UTC))
    assert hours.next_opening(datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_hours_that_the_clock_jumps_over_are_not_worked() -> None:
    """From 2:10 to 2:50 nobody comes on that day; the next is the day after."""
    hours = every_day(day("2:10", "2:50"))
    assert hours.next_opening(datetime(2026, 3, 29, 0, 0, tzinfo=UTC)) == in_berlin("2026-03-30 02:10")


def test_an_hour_that_comes_twice_is_worked_twice() -> None:
    """On 25 October 2026 the clock of Berlin goes from 3:00 back to 2:00."""
    hours = every_day(day("2:00", "2:30"))
    assert [hours.is_open(in_berlin("2026-10-25 02:15", fold)) for fold in (0, 1)] == [True, True]
    assert hours.next_opening(in_berlin("2026-10-25 02:45")) == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert hours.next_opening(in_berlin("2026-10-25 02:45", fold=1)) == in_berlin("2026-10-26 02:00")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"])
@pytest.mark.parametrize("spans", [day("9:00", "17:00"), day("22:00", "6:00"), day("1:30", "2:30")], ids=["day", "night", "at the change"])
def test_next_opening_is_the_first_open_minute(zone: str, spans: Spans) -> None:
    """Against looking at every minute, through the days around each change of clocks of 2026."""
    hours = every_day(spans, zone=ZoneInfo(zone))
    for start in (datetime(2026, month, first, tzinfo=UTC) for month, first in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31))):
        minutes = [start + timedelta(minutes=offset) for offset in range(3 * 24 * 60)]
        opened = [minute for minute in minutes if hours.is_open(minute)]
        for at in minutes[: 2 * 24 * 60 : 97]:
            assert hours.next_opening(at) == next(minute for minute in opened if minute >= at)
