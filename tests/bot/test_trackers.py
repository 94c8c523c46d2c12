"""A tracker lives as long as its turn."""

from __future__ import annotations

import asyncio
import gc

from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from bot.trackers import TurnTrackers


def test_a_running_turn_finds_its_own_tracker() -> None:
    """The very object: nothing is copied on the way."""
    trackers = TurnTrackers(Domain.empty())
    tracker = DialogueStateTracker("turn", [])
    asyncio.run(trackers.save(tracker))
    assert asyncio.run(trackers.retrieve("turn")) is tracker
    assert asyncio.run(trackers.retrieve("another")) is None


def test_with_the_turn_its_tracker_is_gone() -> None:
    """Nothing grows."""
    trackers = TurnTrackers(Domain.empty())
    asyncio.run(trackers.save(DialogueStateTracker("turn", [])))
    gc.collect()
    assert asyncio.run(trackers.retrieve("turn")) is None
