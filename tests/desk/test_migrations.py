"""The database of an earlier version is brought to this one's, with what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateColumn

import desk.migrate
from desk.accounts import Accounts
from desk.migrate import migrate
from desk.schema import sessions, staff
from tests.desk.house import CHEAP, FixedClock
from touchpoints.database import Database, open_database
from touchpoints.schema import metadata

PASSWORD = "correct horse battery"


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[Database]:
    """A database as the version before own accounts left it."""
    database = open_database(f"sqlite:///{tmp_path / 'touchdesk.sqlite'}")
    config = Config()
    config.set_main_option("script_location", str(Path(desk.migrate.__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    yield database
    database.engine.dispose()


def hire(database: Database, name: str, clock: FixedClock, demo: bool = False) -> None:
    """An account as that version stored it, with a session."""
    values = {"id": name, "email": f"{name}@desk.example", "hash": CHEAP.hash(PASSWORD), "at": str(clock().replace(tzinfo=None)), "demo": demo}
    with database.writing() as connection:
        columns = "id, email, name, role, password_hash, away, created_at, demo"
        connection.execute(text(f"INSERT INTO staff ({columns}) VALUES (:id, :email, :id, 'agent', :hash, 0, :at, :demo)"), values)
        session = "INSERT INTO sessions (token_hash, staff_id, csrf_token, created_at, seen_at) VALUES (:id, :id, 'csrf', :at, :at)"
        connection.execute(text(session), values)
    clock.passes(60)


def test_the_migrations_make_what_the_code_expects(earlier: Database) -> None:
    """No table, column or index is missing or left over."""
    migrate(earlier)
    with earlier.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_whose_password_was_made_chooses_one_after_the_upgrade(earlier: Database) -> None:
    """All but the first, who may have chosen theirs, and those of the demo; their sessions go on, and a second run marks nobody."""
    clock = FixedClock()
    for name, demo in (("first", False), ("second", False), ("played", True)):
        hire(earlier, name, clock, demo)
    migrate(earlier)
    accounts = Accounts(earlier, clock=clock, session_hours=12, hasher=CHEAP)
    must_choose = {name: accounts.sign_in(f"{name}@desk.example", PASSWORD)[1].must_choose for name in ("first", "second", "played")}
    assert must_choose == {"first": False, "second": True, "played": False}
    changed = accounts.choose_password(accounts.sign_in("second@desk.example", PASSWORD)[0], PASSWORD, "nine red kites over the weir")
    migrate(earlier)
    assert not accounts.session(changed.token).must_choose
    with earlier.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM sessions WHERE token_hash IN ('first', 'second', 'played')")).scalar() == 2


def test_a_desk_at_work_is_upgraded_beside_its_readers(earlier: Database) -> None:
    """Somebody who is reading meanwhile sees the old rows to the end and the new columns afterwards."""
    clock = FixedClock()
    hire(earlier, "first", clock)
    with earlier.reading() as reader:
        assert reader.execute(text("SELECT count(*) FROM staff")).scalar() == 1
        migrate(earlier)
        assert reader.execute(text("SELECT count(*) FROM staff")).scalar() == 1
    clock.passes(timedelta(hours=1).total_seconds())
    assert Accounts(earlier, clock=clock, session_hours=12, hasher=CHEAP).sign_in("first@desk.example", PASSWORD)


def test_the_new_columns_are_ones_that_postgresql_adds_without_rewriting_a_table() -> None:
    """They may be null and have no default."""
    for column in (staff.c.password_made_at, sessions.c.browser, sessions.c.system):
        rendered = str(CreateColumn(column).compile(dialect=postgresql.dialect()))
        assert "NOT NULL" not in rendered
        assert "DEFAULT" not in rendered
