"""The turns: one row per message of a customer, from acceptance to its one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from desk.model import Turn, TurnResult
from desk.schema import conversations, turns


def add_turn(connection: Connection, turn: Turn, lease_until: datetime | None) -> None:
    """Open a turn: running under claim 1 when a lease is given, else waiting its turn."""
    connection.execute(
        insert(turns).values(
            conversation_id=turn.conversation_id,
            seq=turn.seq,
            status="running" if lease_until else "open",
            claim=turn.claim,
            lease_until=lease_until,
            input=turn.input,
            accepted_at=turn.accepted_at,
        )
    )


def add_done_turn(connection: Connection, turn: Turn, outcome: str, via: str) -> None:
    """Record a message that needs no turn, because a person holds the conversation."""
    connection.execute(
        insert(turns).values(
            conversation_id=turn.conversation_id,
            seq=turn.seq,
            status="done",
            claim=0,
            input=turn.input,
            accepted_at=turn.accepted_at,
            finished_at=turn.accepted_at,
            outcome=outcome,
            via=via,
        )
    )


def has_unfinished(connection: Connection, conversation_id: str) -> bool:
    """Whether an earlier message of this conversation still waits for its outcome."""
    query = select(turns.c.seq).where(turns.c.conversation_id == conversation_id, turns.c.status != "done").limit(1)
    return connection.execute(query).first() is not None


def claim_next(connection: Connection, conversation_id: str, now: datetime, lease_until: datetime) -> Turn | None:
    """Claim a conversation's earliest unfinished turn, unless a living runner has it.

    A lease that ends far later than one given now would is from before the machine's clock was set back, and so is a time of acceptance that
    lies ahead: neither may hold a message up.
    """
    query = (
        select(turns, conversations.c.owner, conversations.c.state)
        .join(conversations, conversations.c.id == turns.c.conversation_id)
        .where(turns.c.conversation_id == conversation_id, turns.c.status != "done")
        .order_by(turns.c.seq)
        .limit(1)
        .with_for_update(of=turns)
    )
    row = connection.execute(query).first()
    if row is None or (row.status == "running" and now < row.lease_until <= lease_until + (lease_until - now)):
        return None
    connection.execute(_this(row.conversation_id, row.seq).values(status="running", claim=row.claim + 1, lease_until=lease_until))
    return Turn(
        conversation_id=row.conversation_id,
        seq=row.seq,
        claim=row.claim + 1,
        input=row.input,
        owner=row.owner,
        state=row.state,
        accepted_at=min(row.accepted_at, now),
    )


def _this(conversation_id: str, seq: int) -> Any:
    return update(turns).where(turns.c.conversation_id == conversation_id, turns.c.seq == seq)


def finish(connection: Connection, turn: Turn, result: TurnResult, finished_at: datetime, dropped: str | None) -> bool:
    """End a turn if it is still under this claim; False when another runner has taken it over or it is done."""
    values = {
        "status": "done",
        "lease_until": None,
        "finished_at": finished_at,
        "outcome": result.outcome,
        "dropped": dropped,
        "via": result.via,
        "intent": result.intent,
        "confidence": result.confidence,
        "verdict_slug": result.verdict_slug,
        "verdict_solved": result.verdict_solved,
    }
    mine = _this(turn.conversation_id, turn.seq).where(turns.c.claim == turn.claim, turns.c.status == "running")
    return bool(connection.execute(mine.values(values)).rowcount == 1)


def finish_unfinished(connection: Connection, conversation_id: str, outcome: str, dropped: str, at: datetime) -> None:
    """End whatever turns of a conversation are open, because a person has it now or it is closed; late replies find them done."""
    statement = update(turns).where(turns.c.conversation_id == conversation_id, turns.c.status != "done")
    connection.execute(statement.values(status="done", lease_until=None, finished_at=at, outcome=outcome, dropped=dropped, via="desk"))


def renew(connection: Connection, running: Sequence[Turn], lease_until: datetime) -> None:
    """Keep the leases of turns that take long."""
    for turn in running:
        connection.execute(
            _this(turn.conversation_id, turn.seq).where(turns.c.claim == turn.claim, turns.c.status == "running").values(lease_until=lease_until)
        )


def claimable(connection: Connection, now: datetime, lease_until: datetime) -> list[str]:
    """Conversations with a turn that nobody works on: left open, or cut off by a crash; ``lease_until`` as for `claim_next`."""
    over = or_(turns.c.lease_until <= now, turns.c.lease_until > lease_until + (lease_until - now))
    idle = or_(turns.c.status == "open", and_(turns.c.status == "running", over))
    return list(connection.execute(select(turns.c.conversation_id).where(idle).distinct()).scalars())


def turns_of(connection: Connection, conversation_id: str) -> list[Row[Any]]:
    """All turns of a conversation, in order."""
    return list(connection.execute(select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.seq)))


def outcome_counts(connection: Connection) -> dict[str, int]:
    """How many messages ended in which outcome; None stands under ``running``."""
    query = select(turns.c.outcome, func.count()).group_by(turns.c.outcome)
    return {row[0] or "running": row[1] for row in connection.execute(query)}
