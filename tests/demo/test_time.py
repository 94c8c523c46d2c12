"""The play's time: fourteen days up to the present, never ahead of it, never back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.calendar import chosen, first_day, start_of
from demo.clock import PlayClock
from demo.scripts import WEEKDAYS, Start, read_scripts

NEARLY = timedelta(seconds=2)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[PlayClock]:
    clock = PlayClock(tmp_path / "clock")
    yield clock
    clock.close()


def test_the_clock_goes_on_from_where_it_is_put(clock: PlayClock) -> None:
    """It ticks by itself, in UTC and in whole milliseconds, as the kit's own does."""
    begin = datetime(2026, 1, 5, 9, tzinfo=UTC)
    clock.begin(begin)
    first = clock()
    time.sleep(0.01)
    assert begin <= first < clock() < begin + NEARLY
    assert first.microsecond % 1000 == 0


def test_whoever_reads_the_same_file_has_the_same_time(clock: PlayClock, tmp_path: Path) -> None:
    """The player moves it, the web process reads it."""
    other = PlayClock(tmp_path / "clock")
    clock.begin(datetime(2026, 1, 5, 9, tzinfo=UTC))
    clock.move_to(datetime(2026, 1, 6, 9, tzinfo=UTC))
    assert abs(other() - clock()) < NEARLY
    other.close()


def test_the_clock_never_goes_back(clock: PlayClock) -> None:
    """A step that is late is played late: events keep their order."""
    clock.begin(datetime(2026, 1, 5, 9, tzinfo=UTC))
    clock.move_to(datetime(2026, 1, 4, 9, tzinfo=UTC))
    assert clock() >= datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_the_clock_is_never_ahead_of_the_present(clock: PlayClock) -> None:
    """Nothing played lies in the future."""
    clock.begin(datetime.now(UTC) - timedelta(days=1))
    clock.move_to(datetime.now(UTC) + timedelta(days=1))
    assert clock() <= datetime.now(UTC)


@pytest.mark.parametrize("age", range(7))
def test_a_tuesday_is_a_tuesday_whenever_it_is_played(age: int) -> None:
    """Both weeks have every weekday once, all of it before today."""
    end = datetime(2026, 11, 21, 15, 30, tzinfo=UTC) + timedelta(days=age)
    starts = [start_of(Start(week=week, day=day, at=timedelta(hours=9)), end) for week in (1, 2) for day in WEEKDAYS]
    assert [WEEKDAYS[start.weekday()] for start in starts] == [*WEEKDAYS, *WEEKDAYS]
    assert len({start.date() for start in starts}) == 14
    assert first_day(end) <= min(starts)
    assert max(starts).date() == (end - timedelta(days=1)).date()


def test_some_are_there_right_now() -> None:
    """A start before the end counts from the present."""
    end = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
    assert start_of(Start(before_end=timedelta(minutes=7)), end) == end - timedelta(minutes=7)


@pytest.mark.parametrize(("count", "wanted"), [(None, 50), (6, 6), (1, 1), (99, 50)])
def test_fewer_customers_are_taken_from_everywhere(count: int | None, wanted: int) -> None:
    """Not only those of the first file."""
    scripts = read_scripts()
    found = chosen(scripts, count)
    assert len(found) == wanted == len({script.name for script in found})
    if count == 6:
        assert {script.name for script in found} & {script.name for script in scripts[-12:]}
