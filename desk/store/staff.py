"""Staff accounts, their sessions and their notes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from desk.model import Note, Staff
from desk.schema import conversations, notes, sessions, sign_in_tries, staff

LONGEST_SESSION = timedelta(days=7)
"""However much it is used, a session ends so long after it could have ended unused: staff sign in at least once a week or so."""


def add_staff(connection: Connection, person: Staff, password_hash: str, at: datetime) -> None:
    """Store a new account."""
    values = {"id": person.id, "email": person.email, "name": person.name, "role": person.role, "away": person.away}
    connection.execute(insert(staff).values(values | {"password_hash": password_hash, "created_at": at}))


def address_taken(connection: Connection, email: str) -> bool:
    """Whether an account has this address, a disabled one included."""
    return connection.execute(select(staff.c.id).where(staff.c.email == email)).first() is not None


def staff_count(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.execute(select(func.count()).select_from(staff)).scalar_one()


def _staff(row: Row[Any]) -> Staff:
    return Staff(id=row.id, email=row.email, name=row.name, role=row.role, away=row.away)


def find_staff(connection: Connection, staff_id: str) -> Staff | None:
    """The account, unless it is disabled."""
    row = connection.execute(select(staff).where(staff.c.id == staff_id, staff.c.disabled_at.is_(None))).first()
    return None if row is None else _staff(row)


def credentials(connection: Connection, email: str) -> tuple[Staff, str] | None:
    """Account and password hash by e-mail address, unless it is disabled."""
    row = connection.execute(select(staff).where(staff.c.email == email, staff.c.disabled_at.is_(None))).first()
    return None if row is None else (_staff(row), row.password_hash)


def seen(connection: Connection, staff_id: str, at: datetime) -> None:
    """Note that this person's desk is open."""
    connection.execute(update(staff).where(staff.c.id == staff_id).values(last_seen_at=at))


def holders_seen(connection: Connection, at: datetime) -> None:
    """Note of everybody who holds a conversation that their desk is open."""
    holding = select(conversations.c.agent_id).where(conversations.c.owner == "agent")
    connection.execute(update(staff).where(staff.c.id.in_(holding)).values(last_seen_at=at))


def set_away(connection: Connection, staff_id: str, away: bool) -> None:
    """Away: takes no conversations and gives those it holds back to the queue."""
    connection.execute(update(staff).where(staff.c.id == staff_id).values(away=away))


def add_session(connection: Connection, token_hash: str, staff_id: str, csrf_token: str, at: datetime) -> None:
    """Store a session under the hash of its token."""
    connection.execute(insert(sessions).values(token_hash=token_hash, staff_id=staff_id, csrf_token=csrf_token, created_at=at, seen_at=at))


def _alive(seen_after: datetime) -> tuple[Any, ...]:
    """Used since then, not begun too long ago, and of an account that is open."""
    return sessions.c.seen_at > seen_after, sessions.c.created_at > seen_after - LONGEST_SESSION, staff.c.disabled_at.is_(None)


def find_session(connection: Connection, token_hash: str, seen_after: datetime) -> tuple[Staff, str] | None:
    """Person and CSRF token of a session that is still alive."""
    query = (
        select(staff, sessions.c.csrf_token)
        .join(sessions, sessions.c.staff_id == staff.c.id)
        .where(sessions.c.token_hash == token_hash, *_alive(seen_after))
    )
    row = connection.execute(query).first()
    return None if row is None else (_staff(row), row.csrf_token)


def touch_session(connection: Connection, token_hash: str, at: datetime) -> None:
    """Keep a session alive."""
    connection.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))


def delete_session(connection: Connection, token_hash: str) -> None:
    """End a session."""
    connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


def delete_sessions(connection: Connection, staff_id: str, but: str | None = None) -> None:
    """End all sessions of a person, except one."""
    connection.execute(delete(sessions).where(sessions.c.staff_id == staff_id, sessions.c.token_hash != (but or "")))


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


def change_staff(connection: Connection, email: str, **values: Any) -> str | None:
    """Change an account; its id, None if there is no such account."""
    found: str | None = connection.execute(update(staff).where(staff.c.email == email).values(**values).returning(staff.c.id)).scalar()
    return found


def tries_since(connection: Connection, counted_for: str, since: datetime, until: datetime) -> list[datetime]:
    """When there was a try to sign in for this address, account or device, oldest first. Rows of a clock that ran ahead are passed over."""
    query = select(sign_in_tries.c.at).where(sign_in_tries.c.counted_for == counted_for, sign_in_tries.c.at > since, sign_in_tries.c.at <= until)
    return list(connection.execute(query.order_by(sign_in_tries.c.at)).scalars())


def add_try(connection: Connection, try_id: str, counted_for: Collection[str], at: datetime) -> None:
    """Count a try."""
    connection.execute(insert(sign_in_tries), [{"id": try_id, "counted_for": one, "at": at} for one in counted_for])


def forget_try(connection: Connection, try_id: str) -> None:
    """A try that succeeded does not count."""
    connection.execute(delete(sign_in_tries).where(sign_in_tries.c.id == try_id))


def forget_tries(connection: Connection, before: datetime) -> None:
    """Take away tries that no longer count."""
    connection.execute(delete(sign_in_tries).where(sign_in_tries.c.at <= before))


def add_note(connection: Connection, note: Note, conversation_id: str) -> None:
    """Store a private note."""
    connection.execute(insert(notes).values(id=note.id, conversation_id=conversation_id, author_id=note.author_id, at=note.at, text=note.text))


def notes_of(connection: Connection, conversation_id: str) -> list[Note]:
    """The private notes of a conversation, oldest first."""
    query = select(notes, staff.c.name.label("author_name")).join(staff, staff.c.id == notes.c.author_id)
    rows = connection.execute(query.where(notes.c.conversation_id == conversation_id).order_by(notes.c.at, notes.c.id))
    return [Note(id=row.id, author_id=row.author_id, author_name=row.author_name, text=row.text, at=row.at) for row in rows]
