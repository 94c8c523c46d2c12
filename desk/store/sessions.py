"""Sessions of staff, each under the hash of its token."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from desk.browsers import Browser
from desk.model import Staff
from desk.schema import sessions, staff
from desk.store.staff import staff_of

LONGEST_SESSION = timedelta(days=7)
"""However much it is used, a session ends so long after it could have ended unused: staff sign in at least once a week or so."""
MOST_LISTED = 100


@dataclass(frozen=True)
class FoundSession:
    """A living session; ``must_choose``: its person has a password that they did not choose."""

    person: Staff
    csrf_token: str
    must_choose: bool
    browser: Browser


@dataclass(frozen=True)
class ListedSession:
    """One of a person's sessions."""

    token_hash: str
    begun_at: datetime
    used_at: datetime
    browser: Browser


def add_session(connection: Connection, token_hash: str, staff_id: str, csrf_token: str, at: datetime, browser: Browser) -> None:
    """Store a session under the hash of its token."""
    values = {"token_hash": token_hash, "staff_id": staff_id, "csrf_token": csrf_token, "created_at": at, "seen_at": at}
    connection.execute(insert(sessions).values(values | {"browser": browser.name, "system": browser.system}))


def _alive(seen_after: datetime) -> tuple[Any, ...]:
    """Used since then, not begun too long ago, and of an account that is open."""
    return sessions.c.seen_at > seen_after, sessions.c.created_at > seen_after - LONGEST_SESSION, staff.c.disabled_at.is_(None)


def find_session(connection: Connection, token_hash: str, seen_after: datetime) -> FoundSession | None:
    """A session that is still alive."""
    query = (
        select(staff, sessions.c.csrf_token, sessions.c.browser, sessions.c.system)
        .join(sessions, sessions.c.staff_id == staff.c.id)
        .where(sessions.c.token_hash == token_hash, *_alive(seen_after))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return FoundSession(staff_of(row), row.csrf_token, row.password_made_at is not None, Browser(row.browser, row.system))


def sessions_of(connection: Connection, staff_id: str, seen_after: datetime) -> list[ListedSession]:
    """The living sessions of a person, the last used first, at most `MOST_LISTED`."""
    living = select(sessions).join(staff, sessions.c.staff_id == staff.c.id).where(staff.c.id == staff_id, *_alive(seen_after))
    rows = connection.execute(living.order_by(sessions.c.seen_at.desc(), sessions.c.token_hash).limit(MOST_LISTED))
    return [ListedSession(row.token_hash, row.created_at, row.seen_at, Browser(row.browser, row.system)) for row in rows]


def touch_session(connection: Connection, token_hash: str, at: datetime) -> None:
    """Keep a session alive."""
    connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))


def delete_session(connection: Connection, token_hash: str) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def delete_sessions(connection: Connection, staff_id: str, but: str | None = None) -> set[str]:
    """End all sessions of a person, except one; which they were."""
    others = delete(sessions).where(sessions.c.staff_id == staff_id, sessions.c.token_hash != (but or ""))
    return set(connection.execute(others.returning(sessions.c.token_hash)).scalars())


def forget_sessions(connection: Connection, seen_before: datetime) -> None:
    """Take away sessions that have ended by themselves."""
    connection.execute(delete(sessions).where(sessions.c.seen_at <= seen_before))


def living_sessions(connection: Connection, token_hashes: Collection[str], seen_after: datetime) -> set[str]:
    """Those of the sessions that are still alive."""
    query = (
        select(sessions.c.token_hash)
        .join(staff, sessions.c.staff_id == staff.c.id)
        .where(sessions.c.token_hash.in_(token_hashes), *_alive(seen_after))
    )
    return set(connection.execute(query).scalars())
