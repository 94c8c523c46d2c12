"""The ledger's SQL: rows in, frozen dataclasses out. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from touchpoints.model import Recorded, Touchpoint
from touchpoints.schema import counters, identities, touchpoints

_FIELDS = tuple(row.name for row in fields(Touchpoint))


def next_number(connection: Connection, name: str, count: int = 1) -> int:
    """Take ``count`` numbers of a counter and return the first; they are given back if the transaction fails."""
    taken = update(counters).where(counters.c.name == name).values(value=counters.c.value + count).returning(counters.c.value)
    return int(connection.execute(taken).scalar_one()) - count + 1


def record(connection: Connection, entries: Iterable[Touchpoint], recorded_at: datetime) -> None:
    """Append touchpoints to the ledger, in the order given."""
    rows = [{name: getattr(entry, name) for name in _FIELDS} for entry in entries]
    if not rows:
        return
    first = next_number(connection, "touchpoint", len(rows))
    for number, row in enumerate(rows, first):
        row.update(seq=number, recorded_at=recorded_at, data=dict(row["data"]))
    connection.execute(insert(touchpoints), rows)


def known_ids(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of ``ids`` that the ledger has already."""
    return set(connection.execute(select(touchpoints.c.id).where(touchpoints.c.id.in_(list(ids)))).scalars())


def read_ledger(
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 1000,
    conversation_id: str | None = None,
    customer: str | None = None,
) -> list[Recorded]:
    """Touchpoints after a recorded number, in recorded order. ``customer`` may be a customer of `identities` or a visitor."""
    query = select(touchpoints).where(touchpoints.c.seq > after).order_by(touchpoints.c.seq).limit(limit)
    if conversation_id is not None:
        query = query.where(touchpoints.c.conversation_id == conversation_id)
    if customer is not None:
        query = _of_customer(query, customer)
    return [_recorded(row) for row in connection.execute(query)]


def _of_customer(query: Select[Any], customer: str) -> Select[Any]:
    visitors = select(identities.c.visitor).where(identities.c.customer == customer, identities.c.to.is_(None))
    return query.where((touchpoints.c.visitor_id == customer) | touchpoints.c.visitor_id.in_(visitors))


def _recorded(row: Row[Any]) -> Recorded:
    values = row._mapping
    return Recorded(seq=values["seq"], recorded_at=values["recorded_at"], touchpoint=Touchpoint(**{name: values[name] for name in _FIELDS}))


def recent_latencies_ms(connection: Connection, kind: str, limit: int = 50) -> list[int]:
    """The latencies of the newest touchpoints of a kind that have one."""
    query = select(touchpoints.c.latency_ms).where(touchpoints.c.kind == kind, touchpoints.c.latency_ms.is_not(None))
    return [value for value in connection.execute(query.order_by(touchpoints.c.at.desc()).limit(limit)).scalars() if value is not None]
