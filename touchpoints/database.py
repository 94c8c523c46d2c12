"""The one database under ledger and conversations: SQLite in a file by default, or PostgreSQL.

Only `Database.writing` and `Database.reading` open transactions, so what is written together is committed together.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.types import TypeDecorator

from touchpoints.exceptions import StoreBusy, StoreDamaged, StoreError

_SIGNS_OF_DAMAGE = ("malformed", "not a database")
_SIGNS_OF_A_STALE_FILE = ("readonly", "unable to open", "disk I/O error")
"""After these every connection is given up. SQLite opens a file that it may not write for reading, and as long as one such connection is
open in the process, new ones share its read-only index of the log and cannot write either."""

BUSY_TIMEOUT_S = 5
"""How long a writer waits for another: longer than any transaction of ours, shorter than a customer's patience."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC; refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """Transactions on one engine; driver errors leave as `StoreError`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._one_writer = threading.Lock() if engine.dialect.name == "sqlite" else None
        self._doorway = _Doorway(engine)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction, holding SQLite's write lock from the start so that it never has to be repeated.

        The writers of this process queue up before SQLite, whose own waiters sleep between tries and so pass each other by: under fifty
        chats on a busy machine some waited 5 s while others were served at once.
        """
        until = time.monotonic() + BUSY_TIMEOUT_S
        if self._one_writer is not None and not self._one_writer.acquire(timeout=BUSY_TIMEOUT_S):
            raise StoreBusy()
        try:
            with self._transaction(write=True, wait_ms=max(1, int((until - time.monotonic()) * 1000))) as connection:
                yield connection
        finally:
            if self._one_writer is not None:
                self._one_writer.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the database."""
        with self._transaction(write=False) as connection:
            yield connection

    def free_bytes(self) -> int | None:
        """How much more the disk under a SQLite file takes; None where there is no file. Raises `StoreError` when its folder is gone."""
        url = self.engine.url
        if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
            return None
        try:
            return shutil.disk_usage(Path(url.database).parent).free
        except OSError as cause:
            raise StoreError(f"the folder of the database cannot be read: {cause.strerror}") from cause

    @contextmanager
    def _transaction(self, *, write: bool, wait_ms: int = BUSY_TIMEOUT_S * 1000) -> Iterator[Connection]:
        try:
            with (
                self._doorway.passed(),
                self.engine.connect().execution_options(touchdesk_write=write, touchdesk_wait_ms=wait_ms) as connection,
                connection.begin(),
            ):
                yield connection
        except IntegrityError as cause:
            raise StoreError(str(cause.orig).partition("\n")[0]) from cause  # PostgreSQL goes on with the values
        except OperationalError as cause:
            if any(sign in str(cause.orig) for sign in _SIGNS_OF_A_STALE_FILE):
                self._doorway.renew()
            raise (StoreBusy() if "locked" in str(cause.orig) else StoreError(str(cause.orig))) from cause
        except SQLAlchemyError as cause:
            damaged = isinstance(cause, DatabaseError) and any(sign in str(cause.orig) for sign in _SIGNS_OF_DAMAGE)
            raise (StoreDamaged() if damaged else StoreError(str(cause).partition("\n")[0])) from cause  # then come statement and values

    def check_whole(self) -> None:
        """Read all of a SQLite file and see whether it holds together, some 1 s for 100 MB. Raises `StoreDamaged`, or `StoreError`.

        The quick check takes a fourth of that and sees neither pages in each other's place nor an index that lacks rows.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        if found != "ok":
            raise StoreDamaged()


class _Doorway:
    """Counts the transactions under way, so that there can be a moment without any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._inside = 0
        self._stale = False
        self._changed = threading.Condition()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Be inside. After `renew` the first to come waits for the last to leave, and closes all connections. Raises `StoreBusy`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not (self._stale and self._inside), BUSY_TIMEOUT_S):
                raise StoreBusy()
            if self._stale:
                self._engine.dispose()
                self._stale = False
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def renew(self) -> None:
        """Have every connection made anew."""
        with self._changed:
            self._stale = True


def open_database(url: str) -> Database:
    """Open the database at a SQLAlchemy URL; the folder of a SQLite file is made."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return Database(create_engine(parsed, pool_pre_ping=True))
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False}, pool_size=24, max_overflow=8)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    write = options.get("touchdesk_write", True)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={options.get('touchdesk_wait_ms', BUSY_TIMEOUT_S * 1000)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
