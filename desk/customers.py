"""What customers do: begin a conversation, write, read, ask for a person, close, rate. Every door leads through `access`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from desk import messages
from desk.exceptions import ClientIdReused, ConversationClosed, IdentityInvalid, MessageInvalid, NotFound, OwnerConflict
from desk.journal import Journal
from desk.model import SURVEY_QUESTIONS, Accepted, Conversation, Event, Identity, Notice, QueuePlace, Turn
from desk.queue_figures import wait_range_s
from desk.schema import survey_answers
from desk.store import conversations as rows
from desk.store import identities as identity_rows
from desk.store import turns as turn_rows
from desk.tokens import Tokens
from desk.turns import LEASE, Notify, TurnRunner
from kit.failpoints import reach
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.model import new_id
from touchpoints.store import recent_latencies_ms

CUSTOMER = "customer"


class Identities(Protocol):
    """What reads signed identities: `desk.identity.SignedIdentities`."""

    def read(self, token: Any) -> Identity:
        """Who a token names. Raises `IdentityInvalid`."""


class Customers:
    """The customers' side of conversations. Raises `NotFound` for a conversation that is another's as for one that is not there."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        runner: TurnRunner,
        *,
        tokens: Tokens,
        clock: Clock,
        notify: Notify,
        identities: Identities | None = None,
    ) -> None:
        self._identities = identities
        self._database = database
        self._journal = journal
        self._runner = runner
        self._tokens = tokens
        self._clock = clock
        self._notify = notify

    def start(
        self, token: str | None, *, page: str | None = None, locale: str | None = None, continues: str | None = None, identity: Any = None
    ) -> tuple[Conversation, str]:
        """Begin a conversation; returns it and a fresh token.

        It is that of the customer whom a signed ``identity`` names, else of the visitor of ``token``, else of a new visitor.
        """
        now = self._clock()
        visitor_id = self._tokens.visitor(token) if token else new_id()
        proven = None if identity is None else self._proven(identity)
        with self._database.writing() as connection:
            if continues is not None:
                continues = self._continued(connection, visitor_id, proven, continues)
            if proven is not None:
                visitor_id = self._known_visitor(connection, proven, visitor_id if token else None, now)
            if not rows.visitor_exists(connection, visitor_id):
                rows.add_visitor(connection, visitor_id, now)
            conversation = Conversation(
                id=new_id(),
                visitor_id=visitor_id,
                owner="bot",
                last=0,
                state={},
                created_at=now,
                updated_at=now,
                page=page,
                locale=locale,
                continues=continues,
            )
            rows.add_conversation(connection, conversation)
        return conversation, self._tokens.issue(visitor_id)

    def _proven(self, identity: Any) -> Identity:
        if self._identities is None:
            raise IdentityInvalid()
        return self._identities.read(identity)

    def _continued(self, connection: Connection, visitor_id: str, proven: Identity | None, continues: str) -> str:
        """The conversation to go on from, which the token opens, or is the known customer's. Raises `NotFound`."""
        known = identity_rows.visitor_of(connection, proven.customer) if proven else None
        found = rows.find_conversation(connection, continues)
        if found is None or found.visitor_id not in (visitor_id, known):
            raise NotFound()
        return found.id

    def _known_visitor(self, connection: Connection, proven: Identity, earlier: str | None, now: datetime) -> str:
        """The one visitor that a known customer is. ``earlier`` is whom this browser's token named before.

        Never that earlier visitor itself: whoever kept a copy of its token could read what the customer writes from now on. The ledger
        counts both as the one customer, unless the earlier visitor is somebody else's already.
        """
        if not identity_rows.use(connection, proven, now):
            raise IdentityInvalid()
        visitor_id = identity_rows.visitor_of(connection, proven.customer)
        if visitor_id is None:
            visitor_id = new_id()
            rows.add_visitor(connection, visitor_id, now)
            identity_rows.add(connection, proven, visitor_id, now)
        else:
            identity_rows.refresh(connection, proven, now)
        if earlier is not None and not identity_rows.is_joined(connection, earlier) and rows.visitor_exists(connection, earlier):
            identity_rows.join(connection, earlier, proven.customer, now)
        return visitor_id

    def conversations(self, token: str) -> list[Conversation]:
        """All conversations of the visitor, newest first."""
        visitor_id = self._tokens.visitor(token)
        with self._database.reading() as connection:
            return rows.conversations_of_visitor(connection, visitor_id)

    def conversation(self, token: str, conversation_id: str) -> tuple[Conversation, QueuePlace | None]:
        """A conversation of the visitor's, and its place in the queue while it waits."""
        visitor_id = self._tokens.visitor(token)
        with self._database.reading() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            return conversation, queue_place(connection, conversation)

    def events(self, token: str, conversation_id: str, after: int) -> tuple[list[Event], int]:
        """The events after a number, at most a page of them, and the conversation's highest number."""
        visitor_id = self._tokens.visitor(token)
        with self._database.reading() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            return rows.events_after(connection, conversation_id, after), conversation.last

    def watch(self, token: str, conversation_id: str, after: int) -> tuple[list[Event], QueuePlace | None]:
        """What a stream sends next: the events after a number, and the place in the queue while the conversation waits."""
        visitor_id = self._tokens.visitor(token)
        with self._database.reading() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            return rows.events_after(connection, conversation_id, after, rows.STREAMED_PAGE), queue_place(connection, conversation)

    def say(self, token: str, conversation_id: str, client_id: Any, body: Mapping[str, Any]) -> Accepted:
        """Store a message (``text``, or the ``payload`` of a choice) with its touchpoint and its turn, in one transaction."""
        visitor_id = self._tokens.visitor(token)
        client_id = messages.check_client_id(client_id)
        if ("text" in body) == ("payload" in body):
            raise MessageInvalid("A message has either text or payload.", field="text")
        text = messages.check_text(body["text"]) if "text" in body else None
        digest = messages.body_hash({"text": text} if text is not None else {"payload": body["payload"]})
        reach("say.received")
        with self._database.writing() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            if known := rows.find_by_client_id(connection, conversation_id, CUSTOMER, client_id):
                return _repeat(known, digest)
            if conversation.owner == "closed":
                raise ConversationClosed()
            said, for_bot = self._words(connection, conversation_id, text, body.get("payload"))
            event = self._stored(connection, conversation, said, client_id, digest)
            turn = self._turn(connection, conversation, event, for_bot)
            reach("say.stored")
        reach("say.committed")
        self._notify(Notice(conversation_id=conversation_id))
        if turn is not None:
            self._runner.run(turn)
        return Accepted(seq=event.seq)

    def _words(self, connection: Connection, conversation_id: str, text: str | None, payload: Any) -> tuple[str, str]:
        """What everyone sees and what Rasa reads."""
        if text is not None:
            return text, messages.turn_input(text)
        return messages.title_of_choice(payload, rows.all_events(connection, conversation_id)), str(payload)

    def _stored(self, connection: Connection, conversation: Conversation, text: str, client_id: str, digest: str) -> Event:
        data = {"author": CUSTOMER, "text": text, "client_id": client_id}
        event = Event(conversation_id=conversation.id, seq=0, type="message", at=self._clock(), data=data, sender=CUSTOMER, client_id=client_id)
        return self._journal.append(connection, conversation, event, body_hash=digest)

    def _turn(self, connection: Connection, conversation: Conversation, event: Event, for_bot: str) -> Turn | None:
        """Open the message's turn, already claimed when nothing is ahead of it; None when it waits or needs none."""
        turn = Turn(
            conversation_id=conversation.id,
            seq=event.seq,
            claim=1,
            input=for_bot,
            owner=conversation.owner,
            state=conversation.state,
            accepted_at=event.at,
        )
        if conversation.owner == "agent":
            turn_rows.add_done_turn(connection, turn, "handed_off", "desk")
            return None
        waits = turn_rows.has_unfinished(connection, conversation.id)
        turn_rows.add_turn(connection, turn, None if waits else event.at + LEASE)
        return None if waits else turn

    def ask_for_person(self, token: str, conversation_id: str) -> Conversation:
        """Put the conversation into the queue; nothing happens where a person is there or awaited already."""
        visitor_id = self._tokens.visitor(token)
        with self._database.writing() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            if conversation.owner == "closed":
                raise ConversationClosed()
            if conversation.owner == "bot":
                self._journal.change_owner(connection, conversation, "queued", "customer_asked", CUSTOMER)
        return self._changed(conversation_id)

    def cancel_handoff(self, token: str, conversation_id: str) -> Conversation:
        """Leave the queue and go on with the bot."""
        visitor_id = self._tokens.visitor(token)
        with self._database.writing() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            if conversation.owner == "closed":
                raise ConversationClosed()
            if conversation.owner == "queued":
                self._journal.change_owner(connection, conversation, "bot", "customer_cancelled", CUSTOMER)
            elif conversation.owner != "bot":
                raise OwnerConflict(owner=conversation.owner)
        return self._changed(conversation_id)

    def close(self, token: str, conversation_id: str) -> Conversation:
        """End the conversation and ask how it was; closing it again changes nothing."""
        visitor_id = self._tokens.visitor(token)
        with self._database.writing() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            if conversation.owner != "closed":
                close(connection, self._journal, conversation, "closed_by_customer", CUSTOMER, self._clock())
        return self._changed(conversation_id)

    def rate(self, token: str, conversation_id: str, answer: Mapping[str, Any]) -> None:
        """Store the answer to the survey, once; the same answer again changes nothing. Raises `OwnerConflict` for another one."""
        visitor_id = self._tokens.visitor(token)
        checked = _survey_answer(answer)
        with self._database.writing() as connection:
            conversation = access(connection, visitor_id, conversation_id)
            events = rows.all_events(connection, conversation_id)
            surveys = [event.data for event in events if event.type == "survey" and event.data["question"] == checked["question"]]
            if not surveys:
                raise MessageInvalid("This conversation has not asked that.", field="question")
            said = {key: value for key, value in checked.items() if value is not None}
            if surveys[-1]["state"] == "answered":
                if surveys[-1] == {"state": "answered", **said}:
                    return
                raise OwnerConflict("This has been answered already.")
            connection.execute(insert(survey_answers).values(conversation_id=conversation_id, at=self._clock(), **checked))
            data = {"state": "answered", **said}
            event = Event(conversation_id=conversation_id, seq=0, type="survey", at=self._clock(), data=data, sender=CUSTOMER)
            self._journal.append(connection, conversation, event)
        self._notify(Notice(conversation_id=conversation_id))

    def typing(self, token: str, conversation_id: str) -> None:
        """Tell the desk that the customer is writing; nothing is stored."""
        self.conversation(token, conversation_id)
        self._notify(Notice(conversation_id=conversation_id, kind="customer_typing"))

    def _changed(self, conversation_id: str) -> Conversation:
        reach("owner.committed")
        self._notify(Notice(conversation_id=conversation_id))
        with self._database.reading() as connection:
            conversation = rows.find_conversation(connection, conversation_id)
        assert conversation is not None
        return conversation


def access(connection: Connection, visitor_id: str, conversation_id: str) -> Conversation:
    """The one door to a customer's data: the conversation if it is this visitor's, else `NotFound`, whether it exists or not."""
    conversation = rows.find_conversation(connection, conversation_id)
    if conversation is None or conversation.visitor_id != visitor_id:
        raise NotFound()
    return conversation


def queue_place(connection: Connection, conversation: Conversation) -> QueuePlace | None:
    """Where a waiting conversation stands; None while it does not wait."""
    if conversation.owner != "queued":
        return None
    position = rows.queue_position(connection, conversation)
    low_s, high_s = wait_range_s(recent_latencies_ms(connection, "queue_wait"), position)
    return QueuePlace(position=position, wait_low_s=low_s, wait_high_s=high_s)


def close(connection: Connection, journal: Journal, conversation: Conversation, reason: str, sender: str, at: datetime, **values: str | None) -> None:
    """End a conversation and ask for a rating, both as events."""
    journal.change_owner(connection, conversation, "closed", reason, sender, values={"closed_at": at, **values}, at=at)
    data = {"state": "asked", "question": "csat"}
    journal.append(connection, conversation, Event(conversation_id=conversation.id, seq=0, type="survey", at=at, data=data, sender="system"))


def _repeat(known: tuple[int, str], digest: str) -> Accepted:
    seq, stored = known
    if stored != digest:
        raise ClientIdReused()
    return Accepted(seq=seq, repeated=True)


def _survey_answer(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("question") not in SURVEY_QUESTIONS:
        raise MessageInvalid("There is no such question.", field="question")
    score, choice, comment = answer.get("score"), answer.get("choice"), answer.get("comment")
    if not isinstance(score, int) or isinstance(score, bool) or not 1 <= score <= 5:
        raise MessageInvalid("score must be a whole number from 1 to 5.", field="score")
    return {
        "question": answer["question"],
        "score": score,
        "choice": None if choice is None else messages.check_text(choice, "choice", 64),
        "comment": None if comment is None else messages.check_text(comment, "comment", 2000),
    }
