"""A ledger on a real database file with the schema of this version, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from desk.migrate import migrate
from tests.touchpoints.entries import FixedClock, touchpoint
from touchpoints.database import Database, open_database
from touchpoints.ledger import Ledger

STAGES = {"router-red-light": "onboarding", "cancel-plus": "retention"}


def impatient(database: Database) -> Database:
    """The same database, but a locked one is given up after 50 ms."""
    event.listen(database.engine, "connect", lambda connection, record: connection.execute("PRAGMA busy_timeout=50"))
    return database


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = impatient(open_database(f"sqlite:///{tmp_path / 'var' / 'touchdesk.sqlite'}"))
    migrate(opened)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def ledger(database: Database, clock: FixedClock) -> Ledger:
    return Ledger(database, clock, STAGES.get)


@pytest.fixture
def records(ledger: Ledger, database: Database) -> Callable[..., None]:
    """Record touchpoints; what is not said of one is the same for all."""

    def write(*entries: dict[str, object]) -> None:
        with database.writing() as connection:
            ledger.record(connection, *(touchpoint(**entry) for entry in entries))

    return write
