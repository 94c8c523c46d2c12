"""Who may hold a conversation next, and why: the table of *Who owns a conversation* in `docs/architecture.md`, as data."""

from __future__ import annotations

from desk.exceptions import ConversationClosed, OwnerConflict
from desk.model import HANDOFF_REASONS

CHANGES: dict[tuple[str, str], frozenset[str]] = {
    ("bot", "queued"): frozenset(HANDOFF_REASONS),
    ("queued", "agent"): frozenset({"agent_accepted", "agent_wrote_first"}),
    ("queued", "bot"): frozenset({"customer_cancelled", "solved_meanwhile"}),
    ("bot", "agent"): frozenset({"agent_wrote_first", "agent_accepted"}),
    ("agent", "queued"): frozenset({"transferred", "agent_gone", "agent_away"}),
    ("agent", "bot"): frozenset({"returned_to_bot"}),
    ("bot", "closed"): frozenset({"closed_by_customer", "closed_by_agent", "silence"}),
    ("queued", "closed"): frozenset({"closed_by_customer", "closed_by_agent", "silence"}),
    ("agent", "closed"): frozenset({"closed_by_customer", "closed_by_agent", "silence"}),
}
"""From and to, with the reasons that may bring it about."""


def check_change(owner: str, to: str, reason: str) -> None:
    """Raise `ConversationClosed` or `OwnerConflict` unless this change of owner may happen for this reason."""
    if owner == "closed":
        raise ConversationClosed()
    if reason not in CHANGES.get((owner, to), ()):
        raise OwnerConflict(owner=owner)


def bot_may_speak(owner: str, outcome: str) -> bool:
    """Whether the bot's reply may be shown: always while it owns, only what it is sure of while a person is awaited, never after."""
    return owner == "bot" or (owner == "queued" and outcome in ("answered", "guide_step", "noted", "small_talk"))


def outcome_of_dropped(owner: str) -> str:
    """The outcome of a message whose reply was dropped: a person reads it, or nobody is waiting for it any more."""
    return "handed_off" if owner == "agent" else "noted"
