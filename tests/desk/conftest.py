"""A house for each test, on a copy of one database that was migrated once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.migrate import migrate
from tests.desk.house import Agent, House, Visitor
from touchpoints.database import open_database


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as the first start leaves it."""
    path = tmp_path_factory.mktemp("fresh") / "touchdesk.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    database.engine.dispose()
    return path


@pytest.fixture
def house(fresh_database: Path, tmp_path: Path) -> Iterator[House]:
    path = tmp_path / "touchdesk.sqlite"
    shutil.copy(fresh_database, path)
    house = House(path)
    yield house
    house.close()


@pytest.fixture
def visitor(house: House) -> Visitor:
    return house.visitor()


@pytest.fixture
def agent(house: House) -> Agent:
    return house.agent()


@pytest.fixture
def waiting(visitor: Visitor) -> Visitor:
    """A visitor who asked for a person."""
    visitor.asks_for_a_person()
    return visitor
