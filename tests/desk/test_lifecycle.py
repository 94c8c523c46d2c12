"""Who may hold a conversation next, for every pair of owners and every reason there is."""

from __future__ import annotations

from itertools import product

import pytest

from desk.exceptions import ConversationClosed, OwnerConflict
from desk.lifecycle import bot_may_speak, check_change, outcome_of_dropped
from desk.model import HANDOFF_REASONS, OUTCOMES, OWNERS

ENDS = {"closed_by_customer", "closed_by_agent", "silence"}
ALLOWED = {
    ("bot", "queued"): {"customer_asked", "not_sure_twice", "not_solved", "sensitive_topic", "error"},
    ("queued", "agent"): {"agent_accepted", "agent_wrote_first"},
    ("queued", "bot"): {"customer_cancelled", "solved_meanwhile"},
    ("bot", "agent"): {"agent_accepted", "agent_wrote_first"},
    ("agent", "queued"): {"transferred", "agent_gone", "agent_away"},
    ("agent", "bot"): {"returned_to_bot"},
    ("bot", "closed"): ENDS,
    ("queued", "closed"): ENDS,
    ("agent", "closed"): ENDS,
}
REASONS = sorted(set().union(*ALLOWED.values()) | {"", "made_up"})


@pytest.mark.parametrize(("owner", "to"), list(product(OWNERS, OWNERS)))
def test_only_the_changes_of_the_table_may_happen(owner: str, to: str) -> None:
    """Each reason belongs to its own pairs of owners; nothing leaves a closed conversation."""
    for reason in REASONS:
        if owner == "closed":
            with pytest.raises(ConversationClosed):
                check_change(owner, to, reason)
        elif reason in ALLOWED.get((owner, to), ()):
            check_change(owner, to, reason)
        else:
            with pytest.raises(OwnerConflict):
                check_change(owner, to, reason)


def test_every_reason_for_a_hand_off_leads_to_the_queue() -> None:
    """The seam with Rasa and the table name the same reasons."""
    assert set(HANDOFF_REASONS) == ALLOWED["bot", "queued"]


def test_the_bot_says_only_what_it_is_sure_of_while_a_person_is_awaited() -> None:
    """And everything while it owns, and nothing after."""
    assert all(bot_may_speak("bot", outcome) for outcome in OUTCOMES)
    assert [outcome for outcome in OUTCOMES if bot_may_speak("queued", outcome)] == ["answered", "guide_step", "small_talk", "noted"]
    assert not any(bot_may_speak(owner, outcome) for owner in ("agent", "closed") for outcome in OUTCOMES)


def test_a_dropped_reply_leaves_the_message_with_a_person_or_noted() -> None:
    """A person who holds the conversation has the message; otherwise it is noted."""
    assert outcome_of_dropped("agent") == "handed_off"
    assert outcome_of_dropped("queued") == outcome_of_dropped("closed") == "noted"
