"""The JSON of the contract, made from the dataclasses of `desk`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from desk.model import Conversation, Event, Note, QueuePlace, ShownArticle, Staff


def time_json(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and Z."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_json(event: Event) -> dict[str, Any]:
    """An event as everyone sees it."""
    return {"seq": event.seq, "type": event.type, "at": time_json(event.at), "data": dict(event.data)}


def queue_json(place: QueuePlace | None) -> dict[str, Any] | None:
    """A place in the queue."""
    return None if place is None else {"position": place.position, "wait_low_s": place.wait_low_s, "wait_high_s": place.wait_high_s}


def conversation_json(conversation: Conversation, place: QueuePlace | None = None) -> dict[str, Any]:
    """A conversation as its customer sees it."""
    agent = {"name": conversation.agent_name} if conversation.agent_name else None
    return {"id": conversation.id, "owner": conversation.owner, "queue": queue_json(place), "agent": agent, "last": conversation.last}


def desk_conversation_json(conversation: Conversation, newest: Event | None = None, words: Event | None = None) -> dict[str, Any]:
    """A conversation as the desk sees it, with its newest message and the newest of its customer."""
    agent = {"id": conversation.agent_id, "name": conversation.agent_name} if conversation.agent_id else None
    return {
        "id": conversation.id,
        "owner": conversation.owner,
        "reason": conversation.reason,
        "agent": agent,
        "customer": dict(vars(conversation.customer)) if conversation.customer else None,
        "created_at": time_json(conversation.created_at),
        "queued_at": time_json(conversation.queued_at),
        "updated_at": time_json(conversation.updated_at),
        "closed_at": time_json(conversation.closed_at),
        "page": conversation.page,
        "locale": conversation.locale,
        "continues": conversation.continues,
        "resolution": conversation.resolution,
        "last": conversation.last,
        "last_message": _message_json(newest),
        "last_customer_message": _message_json(words),
    }


def _message_json(event: Event | None) -> dict[str, Any] | None:
    return {"author": event.data["author"], "text": event.data["text"], "at": time_json(event.at)} if event else None


def shown_article_json(shown: ShownArticle) -> dict[str, Any]:
    """An article that the customer was shown."""
    return dict(vars(shown))


def note_json(note: Note) -> dict[str, Any]:
    """A private note."""
    return {"id": note.id, "author": {"id": note.author_id, "name": note.author_name}, "text": note.text, "at": time_json(note.at)}


def staff_json(person: Staff) -> dict[str, Any]:
    """Who is signed in."""
    return {"id": person.id, "name": person.name, "email": person.email, "role": person.role, "away": person.away}


def change_json(change: Mapping[str, Any]) -> dict[str, Any]:
    """A change as the desk's stream sends it."""
    return {"conversation_id": change["conversation_id"], "kind": change["kind"], "at": time_json(change["at"])}
