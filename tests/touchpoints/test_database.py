"""The database under everything: what is written together is committed together, and its errors have one type."""

from __future__ import annotations

import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from tests.touchpoints.entries import NOON, touchpoint
from touchpoints.clock import system_clock
from touchpoints.database import BUSY_TIMEOUT_S, Database, open_database
from touchpoints.exceptions import StoreBusy, StoreDamaged, StoreError
from touchpoints.schema import identities
from touchpoints.store import read_ledger, record


class PowerCut(Exception):
    """Something goes wrong in the middle of a transaction."""


def join(connection: Connection, visitor: str, at: datetime = NOON) -> None:
    connection.execute(insert(identities).values({"visitor": visitor, "customer": "ada", "from": at}))


def write_until_the_power_is_cut(database: Database) -> None:
    with database.writing() as connection:
        record(connection, [touchpoint(), touchpoint()], NOON)
        join(connection, "phone")
        raise PowerCut


def visitors(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(select(identities.c.visitor).order_by(identities.c.visitor)).scalars())


def test_what_is_written_together_is_there_together(database: Database) -> None:
    """Two writes of one transaction are both seen afterwards."""
    with database.writing() as connection:
        join(connection, "phone")
        join(connection, "laptop")
    assert visitors(database) == ["laptop", "phone"]


def test_a_failure_in_the_middle_leaves_nothing(database: Database) -> None:
    """The error that ended the transaction comes out as it is, and neither write stays."""
    with pytest.raises(PowerCut):
        write_until_the_power_is_cut(database)
    assert visitors(database) == []
    with database.reading() as connection:
        assert read_ledger(connection) == []


def test_a_failed_write_gives_its_number_back(database: Database) -> None:
    """Numbers are taken in the transaction that uses them, so there are no gaps."""
    with pytest.raises(PowerCut):
        write_until_the_power_is_cut(database)
    with database.writing() as connection:
        record(connection, [touchpoint()], NOON)
    with database.reading() as connection:
        assert [recorded.seq for recorded in read_ledger(connection)] == [1]


def test_the_room_on_the_disk_is_known(tmp_path: Path) -> None:
    """Of a file's disk; a database without a file has none, and a folder that is gone is told."""
    there = open_database(f"sqlite:///{tmp_path / 'var' / 'x.sqlite'}")
    assert (there.free_bytes() or 0) > 0
    assert Database(create_engine("sqlite://")).free_bytes() is None
    (tmp_path / "var").rmdir()
    with pytest.raises(StoreError, match="folder"):
        there.free_bytes()
    there.engine.dispose()


def test_a_writer_holds_the_lock_from_the_start(database: Database) -> None:
    """A second writer, here or in another process, is told before it has done anything that it would have to repeat."""
    elsewhere = open_database(str(database.engine.url))
    for other in (database, elsewhere):
        before = time.monotonic()
        with database.writing(), pytest.raises(StoreBusy) as caught, other.writing():
            pytest.fail("two writers at once")
        assert isinstance(caught.value, StoreError)
        assert time.monotonic() - before < BUSY_TIMEOUT_S + 3
    assert "locked" in str(caught.value.__cause__)
    elsewhere.engine.dispose()


def test_writers_take_turns(database: Database) -> None:
    """Thirty who write at once, again and again, all get there: none waits out its time while others pass by."""
    waited = []

    def write(name: str) -> None:
        for number in range(10):
            before = time.monotonic()
            with database.writing() as connection:
                join(connection, f"{name}-{number}")
            waited.append(time.monotonic() - before)

    writers = [threading.Thread(target=write, args=(f"writer-{number}",)) for number in range(30)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(waited) == 300
    assert max(waited) < BUSY_TIMEOUT_S


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    """It sees what was there before, until the writer has committed."""
    with database.writing() as connection:
        join(connection, "phone")
        assert visitors(database) == []
    assert visitors(database) == ["phone"]


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is committed while it reads is not seen by half."""
    count = text("SELECT count(*) FROM identities")
    with database.reading() as reader:
        assert reader.execute(count).scalar_one() == 0
        with database.writing() as connection:
            join(connection, "phone")
        assert reader.execute(count).scalar_one() == 0
    assert visitors(database) == ["phone"]


def test_a_broken_rule_is_a_store_error_with_its_cause(database: Database) -> None:
    """The driver's error stays below, for the log."""
    with database.writing() as connection:
        join(connection, "phone")
    with pytest.raises(StoreError, match="UNIQUE") as caught, database.writing() as connection:
        join(connection, "phone")
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert not isinstance(caught.value, StoreBusy)


def test_foreign_keys_are_kept(database: Database) -> None:
    """SQLite does not look at them unless told to."""
    with pytest.raises(StoreError, match="FOREIGN KEY"), database.writing() as connection:
        connection.execute(text("INSERT INTO api_keys VALUES ('k', 'shop', 'h', 'nobody', '2026-11-21 12:00:00', NULL)"))


def test_a_table_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    """So is everything else that the database says no to."""
    empty = open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(StoreError, match="no such table"), empty.reading() as connection:
        connection.execute(select(identities))
    empty.engine.dispose()


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    """A damaged file is said to be one instead of being written over."""
    path = tmp_path / "touchdesk.sqlite"
    path.write_bytes(b"This is a letter, not a database.\n" * 50)
    broken = open_database(f"sqlite:///{path}")
    with pytest.raises(StoreDamaged, match="make restore"), broken.writing():
        pytest.fail("a letter was opened")
    broken.engine.dispose()
    assert path.read_bytes().startswith(b"This is a letter")


def test_the_file_is_safe_against_power_cuts_and_its_folder_is_made(tmp_path: Path) -> None:
    """Write-ahead log, flushed at every commit."""
    path = tmp_path / "new" / "folder" / "touchdesk.sqlite"
    opened = open_database(f"sqlite:///{path}")
    with opened.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2  # FULL
    opened.engine.dispose()
    assert path.exists()


def test_what_is_committed_is_in_the_file(database: Database) -> None:
    """Another program that opens the file finds it."""
    with database.writing() as connection:
        join(connection, "phone")
    other = sqlite3.connect(str(database.engine.url.database))
    assert other.execute("SELECT visitor, customer FROM identities").fetchall() == [("phone", "ada")]
    other.close()


def test_times_come_back_in_utc(database: Database) -> None:
    """The zone they were written in makes no difference."""
    tokyo = datetime(2026, 11, 21, 21, 0, tzinfo=timezone(timedelta(hours=9)))
    with database.writing() as connection:
        join(connection, "phone", tokyo)
        found = connection.execute(select(identities.c["from"], identities.c.to)).one()
    assert found[0] == NOON
    assert found[0].tzinfo is UTC
    assert found[1] is None


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    """Nobody could say later when it was."""
    with pytest.raises(StoreError, match="without a zone"), database.writing() as connection:
        join(connection, "phone", datetime(2026, 11, 21, 12, 0))
    assert visitors(database) == []


def test_the_machines_clock_is_in_utc_and_in_milliseconds() -> None:
    """Events show milliseconds; more would be lost on the way and break comparisons."""
    now = system_clock()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=1)


def test_a_file_that_may_be_written_again_is_written_again(tmp_path: Path) -> None:
    """Connections that were opened for reading only, while it might not be written, do not stay in use."""
    path = tmp_path / "touchdesk.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE words (word)")
    connection.close()
    database = open_database(f"sqlite:///{path}")
    times: list[str] = []

    def open_for_reading_once(*_: object) -> sqlite3.Connection | None:
        times.append("opened")
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False) if len(times) == 1 else None

    event.listen(database.engine, "do_connect", open_for_reading_once)
    with pytest.raises(StoreError, match="readonly"), database.writing() as connection:
        connection.execute(text("INSERT INTO words VALUES ('no')"))
    with database.writing() as connection:
        connection.execute(text("INSERT INTO words VALUES ('yes')"))
    database.engine.dispose()
    assert len(times) == 2
