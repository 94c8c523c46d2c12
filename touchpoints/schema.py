"""Tables of the ledger. `desk.schema` adds the tables of conversations to the same metadata."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, false

from touchpoints.database import UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Numbers given out inside the transaction that uses them: commit order, without gaps, on every database."""

touchpoints = Table(
    "touchpoints",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("at", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("visitor_id", String(64), index=True),
    Column("conversation_id", String(64), index=True),
    Column("stage", String(16), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("actor", String(16), nullable=False),
    Column("article", String(200)),
    Column("outcome", String(32)),
    Column("confidence", Float),
    Column("emotion", String(16)),
    Column("latency_ms", Integer),
    Column("data", JSON, nullable=False),
    Column("demo", Boolean, nullable=False, server_default=false()),
    Index(None, "kind", "at"),
)
"""``demo`` marks rows of `make demo`, which alone may be deleted again; ``data.demo`` says the same to readers of exports."""

identities = Table(
    "identities",
    metadata,
    Column("visitor", String(64), primary_key=True),
    Column("customer", String(200), primary_key=True),
    Column("from", UtcTime, primary_key=True),
    Column("to", UtcTime),
)
"""Which visitors are one customer; a join is undone by setting ``to``."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_by", String(64), ForeignKey("staff.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
)
"""Keys of outside systems that send touchpoints; only the SHA-256 of a key is kept."""
