"""Staff accounts, the tries to sign in to them, and notes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from desk.model import Note, Staff
from desk.schema import conversations, notes, sign_in_tries, staff


@dataclass(frozen=True)
class Credentials:
    """What signing in is checked against; ``made_at`` is None for a password that its holder has chosen."""

    person: Staff
    password_hash: str
    made_at: datetime | None


def add_staff(connection: Connection, person: Staff, password_hash: str, at: datetime, *, made: bool = False) -> None:
    """Store a new account; ``made``: its password was not chosen by its holder."""
    values = {"id": person.id, "email": person.email, "name": person.name, "role": person.role, "away": person.away}
    connection.execute(insert(staff).values(values | {"password_hash": password_hash, "created_at": at, "password_made_at": at if made else None}))


def address_taken(connection: Connection, email: str) -> bool:
    """Whether an account has this address, a disabled one included."""
    return connection.execute(select(staff.c.id).where(staff.c.email == email)).first() is not None


def staff_count(connection: Connection) -> int:
    """How many accounts there are."""
    return connection.execute(select(func.count()).select_from(staff)).scalar_one()


def staff_of(row: Row[Any]) -> Staff:
    """The account in a row."""
    return Staff(id=row.id, email=row.email, name=row.name, role=row.role, away=row.away)


def find_staff(connection: Connection, staff_id: str) -> Staff | None:
    """The account, unless it is disabled."""
    row = connection.execute(select(staff).where(staff.c.id == staff_id, staff.c.disabled_at.is_(None))).first()
    return None if row is None else staff_of(row)


def credentials(connection: Connection, email: str) -> Credentials | None:
    """Account and password hash by e-mail address, unless it is disabled."""
    row = connection.execute(select(staff).where(staff.c.email == email, staff.c.disabled_at.is_(None))).first()
    return None if row is None else Credentials(staff_of(row), row.password_hash, row.password_made_at)


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


def change_staff(connection: Connection, email: str, **values: Any) -> str | None:
    """Change an account; its id, None if there is no such account."""
    found: str | None = connection.execute(update(staff).where(staff.c.email == email).values(**values).returning(staff.c.id)).scalar()
    return found


def replace_password(connection: Connection, staff_id: str, old_hash: str, new_hash: str) -> bool:
    """Put the password that its holder has chosen in the place of the old one; False if that one is no longer there."""
    old = update(staff).where(staff.c.id == staff_id, staff.c.password_hash == old_hash)
    return connection.execute(old.values(password_hash=new_hash, password_made_at=None)).rowcount == 1


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
