"""Conversations, their numbered events, and what the desk's stream is read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from desk.model import Conversation, Event, KnownCustomer
from desk.schema import conversations, desk_changes, events, known_customers, staff, visitors
from touchpoints.store import next_number

EVENTS_PAGE = 200
"""At most so many events in one answer."""

LONGEST_PAGE = 32 * 1024
"""At most about so many characters of text in one answer, its first event apart: a client that does not read must not cost megabytes."""
STREAMED_PAGE = 16 * 1024
"""The same for a stream, which sends what it has read piece by piece."""

_FIELDS = tuple(row.name for row in fields(Conversation) if row.name not in ("agent_name", "customer"))
_KNOWN = {"_customer": "customer", "_customer_name": "name", "_customer_email": "email"}


def add_visitor(connection: Connection, visitor_id: str, at: datetime) -> None:
    """Store a new visitor."""
    connection.execute(insert(visitors).values(id=visitor_id, created_at=at))


def visitor_exists(connection: Connection, visitor_id: str) -> bool:
    """Whether this visitor is known."""
    return connection.execute(select(visitors.c.id).where(visitors.c.id == visitor_id)).first() is not None


def add_conversation(connection: Connection, conversation: Conversation) -> None:
    """Store a new conversation."""
    connection.execute(insert(conversations).values({name: getattr(conversation, name) for name in _FIELDS}))


def _query() -> Select[Any]:
    known = [known_customers.c[column].label(label) for label, column in _KNOWN.items()]
    return (
        select(conversations, staff.c.name.label("agent_name"), *known)
        .join_from(conversations, staff, conversations.c.agent_id == staff.c.id, isouter=True)
        .join(known_customers, known_customers.c.visitor_id == conversations.c.visitor_id, isouter=True)
    )


def _conversation(row: Row[Any]) -> Conversation:
    values = {name: value for name, value in row._mapping.items() if not name.startswith("_")}
    customer, name, email = (row._mapping[label] for label in _KNOWN)
    return Conversation(**values, customer=KnownCustomer(id=customer, name=name, email=email) if customer else None)


def find_conversation(connection: Connection, conversation_id: str) -> Conversation | None:
    """The conversation, or None."""
    row = connection.execute(_query().where(conversations.c.id == conversation_id)).first()
    return None if row is None else _conversation(row)


def conversations_of_visitor(connection: Connection, visitor_id: str, limit: int = 50) -> list[Conversation]:
    """A visitor's conversations, newest first."""
    query = _query().where(conversations.c.visitor_id == visitor_id).order_by(conversations.c.created_at.desc()).limit(limit)
    return [_conversation(row) for row in connection.execute(query)]


def conversations_of_owner(connection: Connection, owner: str, agent_id: str | None = None, limit: int = 200) -> list[Conversation]:
    """Conversations that ``owner`` holds: the queue in order of waiting, all others by latest change."""
    order = conversations.c.queued_at if owner == "queued" else conversations.c.updated_at.desc()
    query = _query().where(conversations.c.owner == owner).order_by(order, conversations.c.id).limit(limit)
    if agent_id is not None:
        query = query.where(conversations.c.agent_id == agent_id)
    return [_conversation(row) for row in connection.execute(query)]


def change_conversation(connection: Connection, conversation: Conversation, expected_owner: str, values: Mapping[str, Any]) -> bool:
    """Change a conversation if ``expected_owner`` still holds it; of several who try at once one wins. False for the others."""
    statement = update(conversations).where(conversations.c.id == conversation.id, conversations.c.owner == expected_owner).values(**values)
    return connection.execute(statement).rowcount == 1


def set_state(connection: Connection, conversation_id: str, state: Mapping[str, Any]) -> None:
    """Keep what the bot needs for its next turn."""
    connection.execute(update(conversations).where(conversations.c.id == conversation_id).values(state=dict(state)))


def add_event(connection: Connection, event: Event, body_hash: str | None = None) -> Event:
    """Give an event the conversation's next number and store it; the ``seq`` it came with is ignored."""
    seq = connection.execute(
        update(conversations)
        .where(conversations.c.id == event.conversation_id)
        .values(last=conversations.c.last + 1, updated_at=event.at)
        .returning(conversations.c.last)
    ).scalar_one()
    values = {row.name: getattr(event, row.name) for row in fields(Event)} | {"seq": seq, "data": dict(event.data), "body_hash": body_hash}
    connection.execute(insert(events).values(values))
    return Event(**{name: values[name] for name in values if name != "body_hash"})


def find_by_client_id(connection: Connection, conversation_id: str, sender: str, client_id: str) -> tuple[int, str] | None:
    """Number and body hash of the message that this sender stored under this ``client_id``, or None."""
    row = connection.execute(
        select(events.c.seq, events.c.body_hash).where(
            events.c.conversation_id == conversation_id, events.c.sender == sender, events.c.client_id == client_id
        )
    ).first()
    return None if row is None else (row.seq, row.body_hash)


def events_after(connection: Connection, conversation_id: str, after: int, characters: int = LONGEST_PAGE) -> list[Event]:
    """The events after a number, in order: at most `EVENTS_PAGE`, and fewer where their texts are long, but one at least."""
    query = select(events).where(events.c.conversation_id == conversation_id, events.c.seq > after).order_by(events.c.seq).limit(EVENTS_PAGE)
    found: list[Event] = []
    room = characters
    with connection.execute(query) as rows:
        for row in rows:
            event = _event(row)
            room -= len(event.data.get("text") or "") * (2 if event.data.get("body") else 1)
            if found and room < 0:
                break
            found.append(event)
    return found


def _event(row: Row[Any]) -> Event:
    return Event(**{key: value for key, value in row._mapping.items() if key != "body_hash"})


def all_events(connection: Connection, conversation_id: str) -> list[Event]:
    """The whole conversation."""
    query = select(events).where(events.c.conversation_id == conversation_id).order_by(events.c.seq)
    return [_event(row) for row in connection.execute(query)]


def last_messages(connection: Connection, conversation_ids: Sequence[str], author: str | None = None) -> dict[str, Event]:
    """The newest message of each conversation that has one; only those of ``author`` where one is given."""
    by_author = [events.c.data["author"].as_string() == author] if author else []
    newest = (
        select(events.c.conversation_id, func.max(events.c.seq).label("seq"))
        .where(events.c.conversation_id.in_(conversation_ids), events.c.type == "message", *by_author)
        .group_by(events.c.conversation_id)
        .subquery()
    )
    query = select(events).join(newest, (events.c.conversation_id == newest.c.conversation_id) & (events.c.seq == newest.c.seq))
    return {row.conversation_id: _event(row) for row in connection.execute(query)}


def queue_position(connection: Connection, conversation: Conversation) -> int:
    """Place in the queue, 1 for the next: those who wait longer come first."""
    waiting = conversations.c.owner == "queued"
    ahead = (conversations.c.queued_at < conversation.queued_at) | (
        (conversations.c.queued_at == conversation.queued_at) & (conversations.c.id < conversation.id)
    )
    return 1 + connection.execute(select(func.count()).select_from(conversations).where(waiting, ahead)).scalar_one()


def silent_since(connection: Connection, before: datetime, limit: int = 100) -> list[Conversation]:
    """Conversations with the bot that nothing has been added to since a time."""
    query = _query().where(conversations.c.owner == "bot", conversations.c.updated_at < before).limit(limit)
    return [_conversation(row) for row in connection.execute(query)]


def held_by_absent_agents(connection: Connection, seen_before: datetime) -> list[tuple[Conversation, bool]]:
    """Conversations whose agent has not been seen since a time, or is away; the flag tells away from gone."""
    gone = staff.c.last_seen_at.is_(None) | (staff.c.last_seen_at < seen_before)
    query = _query().add_columns(staff.c.away.label("_away")).where(conversations.c.owner == "agent", gone | staff.c.away)
    return [(_conversation(row), row._mapping["_away"]) for row in connection.execute(query)]


def add_desk_change(connection: Connection, conversation_id: str, kind: str, at: datetime) -> None:
    """Tell the desk's stream that a conversation changed."""
    connection.execute(insert(desk_changes).values(number=next_number(connection, "desk"), conversation_id=conversation_id, kind=kind, at=at))


def desk_changes_after(connection: Connection, after: int, limit: int = EVENTS_PAGE) -> list[Row[Any]]:
    """Rows ``number, conversation_id, kind, at`` after a number, in commit order."""
    query = select(desk_changes).where(desk_changes.c.number > after).order_by(desk_changes.c.number).limit(limit)
    return list(connection.execute(query))


def last_desk_change(connection: Connection) -> int:
    """The number of the newest change, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(desk_changes.c.number), 0))).scalar_one())
