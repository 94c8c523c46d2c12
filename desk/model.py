"""The data of a conversation. Everything here is plain and frozen; times are aware and UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

OWNERS = ("bot", "queued", "agent", "closed")
EVENT_TYPES = ("message", "owner", "survey")
OUTCOMES = ("answered", "offered_choices", "guide_step", "asked_again", "small_talk", "noted", "handed_off", "failed")
HANDOFF_REASONS = ("customer_asked", "not_sure_twice", "not_solved", "sensitive_topic", "error")
RESOLUTIONS = ("solved", "not_solved", "spam")
SURVEY_QUESTIONS = ("csat",)
STAFF_ROLES = ("agent", "editor", "administrator")
TEXT_LIMIT = 8_000
"""Characters of one message."""


@dataclass(frozen=True, kw_only=True)
class KnownCustomer:
    """A customer as their site has signed who they are; ``id`` is the site's own key of them."""

    id: str
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A signed identity that was checked. ``digest`` stands for its one use, which is remembered ``until``."""

    customer: str
    digest: str
    until: datetime
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """One row of ``conversations``. ``last`` is the highest event number given out; ``state`` what the bot's last turn gave back."""

    id: str
    visitor_id: str
    owner: str
    last: int
    state: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    channel: str = "widget"
    agent_id: str | None = None
    agent_name: str | None = None
    customer: KnownCustomer | None = None
    reason: str | None = None
    page: str | None = None
    locale: str | None = None
    continues: str | None = None
    queued_at: datetime | None = None
    closed_at: datetime | None = None
    resolution: str | None = None
    resolution_article: str | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One numbered thing that everyone who watches the conversation sees. ``client_id`` and ``sender`` name a message for its sender alone."""

    conversation_id: str
    seq: int
    type: str
    at: datetime
    data: Mapping[str, Any]
    sender: str = "system"
    client_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One message of the bot, as `docs/architecture.md` gives it under *The seams*."""

    text: str
    outcome: str
    body: Sequence[Mapping[str, Any]] | None = None
    choices: Sequence[Mapping[str, str]] = ()
    sources: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class TurnResult:
    """What a turn comes to: replies in order, the new state, and whether a person is needed."""

    outcome: str
    replies: Sequence[Reply]
    state: Mapping[str, Any]
    handoff: str | None = None
    intent: str | None = None
    confidence: float | None = None
    verdict_slug: str | None = None
    verdict_solved: bool | None = None
    via: str = "rasa"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A claimed turn: the customer's message and what its runner needs. ``claim`` is what makes a stale runner's result void."""

    conversation_id: str
    seq: int
    claim: int
    input: str
    owner: str
    state: Mapping[str, Any]
    accepted_at: datetime


@dataclass(frozen=True, kw_only=True)
class Staff:
    """A person who signs in at the desk."""

    id: str
    email: str
    name: str
    role: str
    away: bool = False


@dataclass(frozen=True, kw_only=True)
class Note:
    """A private note of an agent; the customer never sees it."""

    id: str
    author_id: str
    author_name: str
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ShownArticle:
    """An article that the customer was shown in the conversation, and what came of it."""

    slug: str
    title: str
    section: str
    confidence: float | None
    opened: bool = False
    verdict: str | None = None


@dataclass(frozen=True, kw_only=True)
class QueuePlace:
    """A waiting conversation's place, 1 for the next, and an honest range of waiting, in seconds, or None while nothing is known."""

    position: int
    wait_low_s: int | None = None
    wait_high_s: int | None = None


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The answer to a stored message: its number, and whether it had been stored before."""

    seq: int
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something changed in a conversation, told to its listeners and to the desk after the commit."""

    conversation_id: str
    kind: str = "event"
    data: Mapping[str, Any] = field(default_factory=dict)
