"""The one place where an event is written: with it, in the same transaction, its touchpoint and the desk's notice of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from desk import lifecycle
from desk.exceptions import OwnerConflict
from desk.ledger_rules import StageOf, touchpoint_of
from desk.model import Conversation, Event
from desk.store import conversations as rows
from desk.store import turns as turn_rows
from kit.failpoints import reach
from touchpoints.clock import Clock
from touchpoints.store import record


class Journal:
    """Appends to conversations. Every method works inside the caller's write transaction."""

    def __init__(self, clock: Clock, stage_of: StageOf) -> None:
        self._clock = clock
        self._stage_of = stage_of

    def append(
        self,
        connection: Connection,
        conversation: Conversation,
        event: Event,
        *,
        body_hash: str | None = None,
        latency_ms: int | None = None,
    ) -> Event:
        """Store an event under the conversation's next number, its touchpoint, and the desk's notice."""
        stored = rows.add_event(connection, event, body_hash)
        record(connection, [touchpoint_of(stored, conversation, self._stage_of, latency_ms)], self._clock())
        rows.add_desk_change(connection, conversation.id, "event", stored.at)
        return stored

    def message(
        self, connection: Connection, conversation: Conversation, data: Mapping[str, Any], sender: str, *, latency_ms: int | None = None
    ) -> Event:
        """Append a message without a ``client_id``: one of the bot or of the system."""
        event = Event(conversation_id=conversation.id, seq=0, type="message", at=self._clock(), data=data, sender=sender)
        return self.append(connection, conversation, event, latency_ms=latency_ms)

    def change_owner(
        self,
        connection: Connection,
        conversation: Conversation,
        owner: str,
        reason: str,
        sender: str,
        *,
        agent: tuple[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Let ``owner`` hold the conversation from now on. ``agent`` is id and name. Raises `OwnerConflict` for the loser of a race."""
        lifecycle.check_change(conversation.owner, owner, reason)
        now = at or self._clock()
        changed = {
            "owner": owner,
            "reason": reason if owner == "queued" and reason not in ("transferred", "agent_gone", "agent_away") else conversation.reason,
            "agent_id": agent[0] if agent else None,
            "queued_at": now if owner == "queued" else None,
            **(values or {}),
        }
        if not rows.change_conversation(connection, conversation, conversation.owner, changed):
            raise OwnerConflict(owner=conversation.owner)
        data: dict[str, Any] = {"owner": owner, "reason": reason}
        if agent:
            data["agent"] = {"name": agent[1]}
        waited_ms = int((now - conversation.queued_at).total_seconds() * 1000) if agent and conversation.queued_at else None
        event = Event(conversation_id=conversation.id, seq=0, type="owner", at=now, data=data, sender=sender)
        self.append(connection, conversation, event, latency_ms=waited_ms)
        reach("owner.stored")
        if owner in ("agent", "closed"):
            turn_rows.finish_unfinished(connection, conversation.id, lifecycle.outcome_of_dropped(owner), f"owner_{owner}", now)
