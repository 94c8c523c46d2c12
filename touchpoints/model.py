"""What a touchpoint is: one interaction between a customer and the business, as one row of the ledger.

Times are aware and UTC. A touchpoint is never changed once recorded, with one exception: on erasure the visitor's key is
replaced and the content dropped, so that the count stays.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from knowledge_base.model import STAGES

__all__ = ["ACTORS", "CHANNELS", "EMOTIONS", "KINDS", "STAGES", "Recorded", "Touchpoint", "new_id"]
CHANNELS = ("widget", "help_centre", "email", "phone", "store", "social", "web", "event", "other")
ACTORS = ("customer", "bot", "agent", "system")
EMOTIONS = ("negative", "neutral", "positive")
KINDS = (
    "visit",
    "search",
    "suggestion",
    "question",
    "answer",
    "article_view",
    "article_feedback",
    "guide_step",
    "handoff",
    "queue_wait",
    "agent_reply",
    "transfer",
    "return_to_bot",
    "close",
    "survey",
    "follow_up",
    "call_back",
    "advertisement",
    "social_post",
    "referral",
    "review",
    "representative",
    "store_visit",
    "event",
    "webinar",
    "initial_contact",
    "demo",
    "order_confirmation",
    "checkout",
    "checkout_abandoned",
    "purchase",
    "delivery",
    "thank_you",
    "upsell",
    "newsletter",
    "loyalty_offer",
    "renewal",
    "success_check_in",
    "onboarding",
    "phone_call",
)


def new_id() -> str:
    """Make an id of 128 random bits, 22 characters of ``[A-Za-z0-9_-]``."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, kw_only=True)
class Touchpoint:
    """One interaction. ``confidence`` is a probability, ``latency_ms`` the time the other side waited for it."""

    at: datetime
    kind: str
    stage: str
    channel: str
    actor: str
    id: str = field(default_factory=new_id)
    visitor_id: str | None = None
    conversation_id: str | None = None
    article: str | None = None
    outcome: str | None = None
    confidence: float | None = None
    emotion: str | None = None
    latency_ms: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A touchpoint as the ledger holds it: ``seq`` is recorded order, without gaps."""

    seq: int
    recorded_at: datetime
    touchpoint: Touchpoint
