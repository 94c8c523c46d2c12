"""The rows of `make demo`: taken over from the database they were played in, told apart by their marks, and deleted again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, exists, insert, literal, select, update

from desk.schema import conversations, desk_changes, events, notes, sessions, staff, survey_answers, turns, visitors
from touchpoints.schema import api_keys, identities, touchpoints
from touchpoints.store import next_number

_TAKEN_OVER = (visitors, staff, conversations, events, turns, notes, survey_answers, desk_changes, touchpoints)
"""In an order in which every row finds those that it names."""
_NUMBERED = {touchpoints: ("seq", "touchpoint"), desk_changes: ("number", "desk")}
_ORDER = {conversations: "created_at", touchpoints: "seq", desk_changes: "number"}
_OF_A_CONVERSATION = (desk_changes, survey_answers, notes, turns, events)


def has_demo(connection: Connection) -> bool:
    """Whether there is anything that `remove_demo` would take away."""
    there = (exists().where(visitors.c.demo), exists().where(touchpoints.c.demo), exists().where(staff.c.demo, staff.c.disabled_at.is_(None)))
    return any(connection.execute(select(one)).scalar_one() for one in there)


def take_over(source: Connection, target: Connection) -> dict[str, int]:
    """Copy all that was played, marked, with new numbers in recorded order; how many rows of each table.

    Sessions and API keys are not taken over, nor administrators: nobody needs them once the play is over.
    """
    return {table.name: _copy(source, target, table) for table in _TAKEN_OVER}


def _copy(source: Connection, target: Connection, table: Table) -> int:
    query: Select[Any] = select(table).where(staff.c.role != "administrator") if table is staff else select(table)
    rows = [dict(row._mapping) for row in source.execute(query.order_by(table.c[_ORDER[table]]) if table in _ORDER else query)]
    if not rows:
        return 0
    if table in _NUMBERED:
        column, counter = _NUMBERED[table]
        for number, row in enumerate(rows, next_number(target, counter, len(rows))):
            row[column] = number
    target.execute(insert(table), [_marked(table, row) for row in rows])
    return len(rows)


def _marked(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = {"demo": True} if "demo" in table.c else {}
    if table is touchpoints:
        marks["data"] = {**row["data"], "demo": True}
    return {**row, **marks}


def remove_demo(connection: Connection, at: datetime) -> dict[str, int]:
    """Delete all that is marked and all that hangs on it; how many rows of each table. Numbers given out are not given out again.

    A made-up agent who did something in a real conversation cannot go without it: that account stays and is disabled.
    """
    made_up = select(visitors.c.id).where(visitors.c.demo)
    talks = select(conversations.c.id).where(conversations.c.visitor_id.in_(made_up))
    gone = {}
    for table in _OF_A_CONVERSATION:
        gone[table.name] = connection.execute(delete(table).where(table.c.conversation_id.in_(talks))).rowcount
    of_demo = touchpoints.c.demo | touchpoints.c.visitor_id.in_(made_up) | touchpoints.c.conversation_id.in_(talks)
    gone["touchpoints"] = connection.execute(delete(touchpoints).where(of_demo)).rowcount
    gone["identities"] = connection.execute(delete(identities).where(identities.c.visitor.in_(made_up))).rowcount
    gone["conversations"] = connection.execute(delete(conversations).where(conversations.c.visitor_id.in_(made_up))).rowcount
    gone["visitors"] = connection.execute(delete(visitors).where(visitors.c.demo)).rowcount
    gone["staff"] = _remove_staff(connection, at)
    return gone


def _remove_staff(connection: Connection, at: datetime) -> int:
    connection.execute(delete(sessions).where(sessions.c.staff_id.in_(select(staff.c.id).where(staff.c.demo))))
    needed = (
        exists().where(conversations.c.agent_id == staff.c.id)
        | exists().where(notes.c.author_id == staff.c.id)
        | exists().where(api_keys.c.created_by == staff.c.id)
        | exists().where(events.c.sender == literal("agent:") + staff.c.id)
    )
    gone = connection.execute(delete(staff).where(staff.c.demo, ~needed)).rowcount
    left = update(staff).where(staff.c.demo, staff.c.disabled_at.is_(None))
    connection.execute(left.values(disabled_at=at, email=staff.c.id + "@removed.invalid"))
    return gone
