"""The steady clock: the machine's time, but no step of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from touchpoints.clock import SLEW, SteadyClock, system_clock

START = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)


class Machine:
    """A machine whose clock can be set."""

    def __init__(self) -> None:
        self.up_s = 1000.0
        self.set_by_s = 0.0

    def wall(self) -> float:
        return START.timestamp() + self.up_s - 1000.0 + self.set_by_s

    def passed(self) -> float:
        return self.up_s


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def clock(machine: Machine) -> SteadyClock:
    return SteadyClock(machine.wall, machine.passed)


def since_start(clock: SteadyClock) -> float:
    return (clock() - START).total_seconds()


def test_it_shows_the_machines_time(machine: Machine, clock: SteadyClock) -> None:
    """As long as nobody sets it."""
    machine.up_s += 12.5
    assert since_start(clock) == pytest.approx(12.5)
    assert clock.behind_s() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("step_s", [3600, -3600, 86400, -86400])
def test_a_step_of_the_machines_clock_is_not_taken(machine: Machine, clock: SteadyClock, step_s: float) -> None:
    """Ten seconds stay ten seconds, give or take a twentieth, and the time never goes back."""
    machine.set_by_s = step_s
    last = since_start(clock)
    for _ in range(100):
        machine.up_s += 0.1
        assert since_start(clock) >= last
        last = since_start(clock)
    assert 10 * (1 - SLEW) - 0.01 <= last <= 10 * (1 + SLEW) + 0.01
    assert clock.behind_s() == pytest.approx(step_s, abs=1)


@pytest.mark.parametrize("step_s", [60, -60])
def test_it_meets_the_machines_clock_in_the_end(machine: Machine, clock: SteadyClock, step_s: float) -> None:
    """Without overshooting."""
    machine.set_by_s = step_s
    for _ in range(100):
        machine.up_s += 60 / SLEW / 100
        since_start(clock)
    machine.up_s += 1
    assert since_start(clock) == pytest.approx(60 / SLEW + 1 + step_s)


def test_both_clocks_give_utc_to_the_millisecond(clock: SteadyClock) -> None:
    for told in (system_clock(), SteadyClock()(), clock()):
        assert told.tzinfo is UTC
        assert told.microsecond % 1000 == 0
