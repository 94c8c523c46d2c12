"""Tables of conversations and staff, on the ledger's metadata so that one transaction holds both."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
)

from desk.model import EVENT_TYPES, OUTCOMES, OWNERS
from touchpoints.database import UtcTime
from touchpoints.schema import metadata

_ID = String(64)


def _one_of(column: str, values: tuple[str, ...], name: str) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", name=name)


visitors = Table(
    "visitors",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
    Column("demo", Boolean, nullable=False, server_default=false()),
)
"""``demo`` marks who was made up by `make demo`, here as for staff and touchpoints."""

staff = Table(
    "staff",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("away", Boolean, nullable=False, default=False),
    Column("last_seen_at", UtcTime),
    Column("disabled_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("demo", Boolean, nullable=False, server_default=false()),
    Column("password_made_at", UtcTime),
)
"""``password_made_at``: when the kit made the password for its holder, who has to choose their own; null for one that was chosen."""

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("staff_id", _ID, ForeignKey("staff.id"), nullable=False),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("browser", String(40)),
    Column("system", String(40)),
)
"""Server-side sessions of staff: signing out deletes the row, so a copied cookie is dead. Only the token's SHA-256 is kept."""

sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("counted_for", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Index(None, "counted_for", "at"),
)
"""Tries to sign in that have not succeeded, one row for each of address and account, or for the device. Of all three only keyed digests are kept."""

known_customers = Table(
    "known_customers",
    metadata,
    Column("customer", String(64), primary_key=True),
    Column("visitor_id", _ID, ForeignKey("visitors.id"), nullable=False, unique=True),
    Column("name", String(100)),
    Column("email", String(254)),
    Column("signed_at", UtcTime, nullable=False),
)
"""Customers whose site has signed who they are, under the site's own key of them; one visitor each, on every device."""

used_identities = Table(
    "used_identities",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("until", UtcTime, nullable=False),
)
"""Identity tokens that were taken, until they are too old to be taken again anyway."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("visitor_id", _ID, ForeignKey("visitors.id"), nullable=False, index=True),
    Column("owner", String(16), nullable=False),
    Column("agent_id", _ID, ForeignKey("staff.id")),
    Column("reason", String(32)),
    Column("last", Integer, nullable=False, default=0),
    Column("state", JSON, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("page", Text),
    Column("locale", String(35)),
    Column("continues", _ID, ForeignKey("conversations.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("queued_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("resolution", String(16)),
    Column("resolution_article", String(200)),
    _one_of("owner", OWNERS, "owner"),
    CheckConstraint("(owner = 'agent') = (agent_id is not null)", name="agent_holds"),
    Index(None, "owner", "queued_at"),
)

events = Table(
    "events",
    metadata,
    Column("conversation_id", _ID, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("type", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("sender", String(80), nullable=False),
    Column("client_id", String(64)),
    Column("body_hash", String(64)),
    Column("data", JSON, nullable=False),
    _one_of("type", EVENT_TYPES, "type"),
    Index("uq_events_client_id", "conversation_id", "sender", "client_id", unique=True),
    sqlite_with_rowid=False,
)
"""What the customer may see, numbered without gaps. ``sender`` is ``customer``, ``bot``, ``system`` or ``agent:<id>``; a
``client_id`` is unique for its sender in its conversation for ever, and ``body_hash`` tells a repeat from a reuse."""

turns = Table(
    "turns",
    metadata,
    Column("conversation_id", _ID, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), nullable=False),
    Column("claim", Integer, nullable=False),
    Column("lease_until", UtcTime),
    Column("input", Text, nullable=False),
    Column("accepted_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("outcome", String(32)),
    Column("dropped", String(32)),
    Column("via", String(16)),
    Column("intent", String(64)),
    Column("confidence", Float),
    Column("verdict_slug", String(200)),
    Column("verdict_solved", Boolean),
    ForeignKeyConstraint(["conversation_id", "seq"], ["events.conversation_id", "events.seq"], name="fk_turns_event"),
    _one_of("status", ("open", "running", "done"), "status"),
    _one_of("outcome", OUTCOMES, "outcome"),
    CheckConstraint("(status = 'done') = (outcome is not null)", name="one_outcome"),
    Index(None, "status", "lease_until"),
)
"""One row per message of a customer, keyed by its event: the message's one outcome, and who is working on it until then."""

notes = Table(
    "notes",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("conversation_id", _ID, ForeignKey("conversations.id"), nullable=False, index=True),
    Column("author_id", _ID, ForeignKey("staff.id"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("text", Text, nullable=False),
)

survey_answers = Table(
    "survey_answers",
    metadata,
    Column("conversation_id", _ID, ForeignKey("conversations.id"), primary_key=True),
    Column("question", String(32), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("score", Integer),
    Column("choice", String(64)),
    Column("comment", Text),
)

desk_changes = Table(
    "desk_changes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("conversation_id", _ID, ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", UtcTime, nullable=False),
)
"""What the desk's stream is read from: which conversation changed, in commit order over all of them."""
