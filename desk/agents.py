"""What agents do: see who waits, take a conversation, write, note, hand back, close. One agent holds a conversation at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from desk import customers, messages
from desk.exceptions import AlreadyTaken, ClientIdReused, ConversationClosed, MessageInvalid, NotFound, OwnerConflict
from desk.journal import Journal
from desk.model import OWNERS, RESOLUTIONS, Accepted, Conversation, Event, Note, Notice, ShownArticle, Staff
from desk.shown_articles import shown_articles
from desk.store import conversations as rows
from desk.store import staff as staff_rows
from desk.store import turns as turn_rows
from desk.turns import Notify
from kit.failpoints import reach
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.model import new_id
from touchpoints.store import read_ledger


@dataclass(frozen=True)
class Opened:
    """All an agent needs to see of one conversation."""

    conversation: Conversation
    shown_articles: list[ShownArticle]
    transcript: list[Event]
    notes: list[Note]


class Agents:
    """The desk's side of conversations. Raises `NotFound`, `AlreadyTaken` (who is in its detail) and `ConversationClosed`."""

    def __init__(self, database: Database, journal: Journal, *, clock: Clock, notify: Notify, gone_s: float, silence_s: float) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._notify = notify
        self._gone = timedelta(seconds=gone_s)
        self._silence = timedelta(seconds=silence_s)

    def conversations(self, owner: str, agent: Staff | None = None) -> list[tuple[Conversation, Event | None]]:
        """Conversations that ``owner`` holds, each with its newest message; only those of ``agent`` where one is given."""
        if owner not in OWNERS:
            raise MessageInvalid(f"owner must be one of {', '.join(OWNERS)}.", field="owner")
        with self._database.reading() as connection:
            found = rows.conversations_of_owner(connection, owner, agent.id if agent else None)
            newest = rows.last_messages(connection, [conversation.id for conversation in found])
        return [(conversation, newest.get(conversation.id)) for conversation in found]

    def last_words(self, conversations: Sequence[Conversation]) -> dict[str, Event]:
        """By conversation, the newest message of its customer: what an agent wants to know before opening one."""
        with self._database.reading() as connection:
            return rows.last_messages(connection, [conversation.id for conversation in conversations], author="customer")

    def open(self, conversation_id: str) -> Opened:
        """One conversation whole: transcript, notes, and what the customer was shown."""
        with self._database.reading() as connection:
            conversation = _found(connection, conversation_id)
            transcript = rows.all_events(connection, conversation_id)
            opened = {
                entry.touchpoint.article
                for entry in read_ledger(connection, conversation_id=conversation_id)
                if entry.touchpoint.kind == "article_view"
            }
            verdicts = {row.verdict_slug: row.verdict_solved for row in turn_rows.turns_of(connection, conversation_id) if row.verdict_slug}
            notes = staff_rows.notes_of(connection, conversation_id)
        return Opened(conversation, shown_articles(transcript, opened, verdicts), transcript, notes)

    def accept(self, agent: Staff, conversation_id: str) -> Conversation:
        """Take a conversation that nobody holds; of several agents at once one wins. The winner may repeat it."""
        with self._database.writing() as connection:
            self._take(connection, agent, _found(connection, conversation_id), "agent_accepted")
        return self._changed(conversation_id)

    def say(self, agent: Staff, conversation_id: str, client_id: Any, text: Any) -> Accepted:
        """Store an agent's message; that alone takes a conversation that nobody holds."""
        sender, client_id, text = _sender(agent), messages.check_client_id(client_id), messages.check_text(text)
        digest = messages.body_hash({"text": text})
        with self._database.writing() as connection:
            conversation = _found(connection, conversation_id)
            if known := rows.find_by_client_id(connection, conversation_id, sender, client_id):
                if known[1] != digest:
                    raise ClientIdReused()
                return Accepted(seq=known[0], repeated=True)
            self._take(connection, agent, conversation, "agent_wrote_first")
            staff_rows.seen(connection, agent.id, self._clock())
            data = {"author": "agent", "name": agent.name, "text": text}
            event = Event(conversation_id=conversation_id, seq=0, type="message", at=self._clock(), data=data, sender=sender, client_id=client_id)
            event = self._journal.append(connection, conversation, event, body_hash=digest)
        self._notify(Notice(conversation_id=conversation_id))
        return Accepted(seq=event.seq)

    def _take(self, connection: Connection, agent: Staff, conversation: Conversation, reason: str) -> None:
        if conversation.owner == "closed":
            raise ConversationClosed()
        if conversation.owner == "agent":
            if conversation.agent_id != agent.id:
                raise AlreadyTaken(agent={"id": conversation.agent_id, "name": conversation.agent_name})
            return
        if agent.away:
            raise OwnerConflict("You are away; nothing is given to you until you are back.", owner=conversation.owner)
        self._journal.change_owner(connection, conversation, "agent", reason, _sender(agent), agent=(agent.id, agent.name))
        staff_rows.seen(connection, agent.id, self._clock())

    def note(self, agent: Staff, conversation_id: str, text: Any) -> Note:
        """Store a private note."""
        text = messages.check_text(text)
        note = Note(id=new_id(), author_id=agent.id, author_name=agent.name, text=text, at=self._clock())
        with self._database.writing() as connection:
            _found(connection, conversation_id)
            staff_rows.add_note(connection, note, conversation_id)
            rows.add_desk_change(connection, conversation_id, "note", note.at)
        self._notify(Notice(conversation_id=conversation_id))
        return note

    def transfer(self, agent: Staff, conversation_id: str, note: Any = None) -> Conversation:
        """Give a conversation back to the queue, with a note for whoever takes it."""
        note = None if note is None else messages.check_text(note, "note")
        with self._database.writing() as connection:
            conversation = _held(connection, agent, conversation_id)
            self._journal.change_owner(connection, conversation, "queued", "transferred", _sender(agent))
            if note:
                entry = Note(id=new_id(), author_id=agent.id, author_name=agent.name, text=note, at=self._clock())
                staff_rows.add_note(connection, entry, conversation_id)
        return self._changed(conversation_id)

    def give_back(self, agent: Staff, conversation_id: str) -> Conversation:
        """Return a conversation to the bot, which starts with an empty state."""
        with self._database.writing() as connection:
            conversation = _held(connection, agent, conversation_id)
            self._journal.change_owner(connection, conversation, "bot", "returned_to_bot", _sender(agent), values={"state": {}, "reason": None})
        return self._changed(conversation_id)

    def close(self, agent: Staff, conversation_id: str, resolution: Any, article: Any = None) -> Conversation:
        """End a conversation with what came of it, and the article that helped or should have."""
        if resolution not in RESOLUTIONS:
            raise MessageInvalid(f"resolution must be one of {', '.join(RESOLUTIONS)}.", field="resolution")
        article = None if article is None else messages.check_text(article, "article", 200)
        with self._database.writing() as connection:
            conversation = _found(connection, conversation_id)
            if conversation.owner == "closed":
                raise ConversationClosed()
            if conversation.owner == "agent" and conversation.agent_id != agent.id:
                raise AlreadyTaken(agent={"id": conversation.agent_id, "name": conversation.agent_name})
            customers.close(
                connection,
                self._journal,
                conversation,
                "closed_by_agent",
                _sender(agent),
                self._clock(),
                resolution=resolution,
                resolution_article=article,
            )
        return self._changed(conversation_id)

    def typing(self, agent: Staff, conversation_id: str) -> None:
        """Show the customer that the agent who holds the conversation is writing."""
        with self._database.reading() as connection:
            _held(connection, agent, conversation_id)
        self._notify(Notice(conversation_id=conversation_id, kind="typing", data={"author": "agent", "name": agent.name}))

    def seen(self, agent: Staff) -> None:
        """The agent's desk is open: they keep what they hold."""
        with self._database.writing() as connection:
            staff_rows.seen(connection, agent.id, self._clock())

    def set_away(self, agent: Staff, away: Any) -> None:
        """Away gives all that the agent holds back to the queue."""
        if not isinstance(away, bool):
            raise MessageInvalid("away must be true or false.", field="away")
        with self._database.writing() as connection:
            staff_rows.set_away(connection, agent.id, away)
        self.relieve()

    def expect_back(self) -> None:
        """Give everybody who holds a conversation their whole time from now on: while web was away nobody could be seen.

        It also forgets what a clock that was ahead has noted; such an agent would count as there until the time is reached.
        """
        with self._database.writing() as connection:
            staff_rows.holders_seen(connection, self._clock())

    def relieve(self) -> int:
        """Give back to the queue what agents hold who are away, or whose desk has been gone for too long; returns how many."""
        now = self._clock()
        with self._database.reading() as connection:
            absent = rows.held_by_absent_agents(connection, now - self._gone)
        return sum(self._relieve(conversation, "agent_away" if away else "agent_gone") for conversation, away in absent)

    def _relieve(self, held: Conversation, reason: str) -> bool:
        with self._database.writing() as connection:
            conversation = _found(connection, held.id)
            still = [found for found, _ in rows.held_by_absent_agents(connection, self._clock() - self._gone) if found.id == held.id]
            if not still:
                return False
            self._journal.change_owner(connection, conversation, "queued", reason, "system")
        self._notify(Notice(conversation_id=held.id))
        return True

    def close_silent(self) -> int:
        """Close conversations with the bot that have been silent for long; returns how many."""
        before = self._clock() - self._silence
        with self._database.reading() as connection:
            silent = rows.silent_since(connection, before)
        for conversation in silent:
            with self._database.writing() as connection:
                fresh = _found(connection, conversation.id)
                if fresh.owner != "bot" or fresh.updated_at >= before:
                    continue
                customers.close(connection, self._journal, fresh, "silence", "system", self._clock())
            self._notify(Notice(conversation_id=conversation.id))
        return len(silent)

    def changes_after(self, after: int | None) -> tuple[list[dict[str, Any]], int]:
        """What changed at the desk after a cursor, and the new cursor; None begins with what happens from now on."""
        with self._database.reading() as connection:
            if after is None:
                return [], rows.last_desk_change(connection)
            found = rows.desk_changes_after(connection, after)
        changes = [{"number": row.number, "conversation_id": row.conversation_id, "kind": row.kind, "at": row.at} for row in found]
        return changes, changes[-1]["number"] if changes else after

    def _changed(self, conversation_id: str) -> Conversation:
        reach("owner.committed")
        self._notify(Notice(conversation_id=conversation_id))
        with self._database.reading() as connection:
            return _found(connection, conversation_id)


def _sender(agent: Staff) -> str:
    return f"agent:{agent.id}"


def _found(connection: Connection, conversation_id: str) -> Conversation:
    conversation = rows.find_conversation(connection, conversation_id)
    if conversation is None:
        raise NotFound()
    return conversation


def _held(connection: Connection, agent: Staff, conversation_id: str) -> Conversation:
    conversation = _found(connection, conversation_id)
    if conversation.owner == "closed":
        raise ConversationClosed()
    if conversation.owner != "agent":
        raise OwnerConflict("Nobody holds this conversation yet.", owner=conversation.owner)
    if conversation.agent_id != agent.id:
        raise AlreadyTaken(agent={"id": conversation.agent_id, "name": conversation.agent_name})
    return conversation
