"""The customer wants a person, waits for one, or no longer does."""

from __future__ import annotations

from dataclasses import replace

from actions.state import Result, State, back_to_bot, hand_over, note
from actions.turn import Said, TurnAction


class HandOver(TurnAction):
    """A person, because the customer asked or the matter is sensitive."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_hand_over"

    async def take(self, state: State, said: Said) -> Result:
        """The conversation waits for a person."""
        return hand_over(state)


class NotSure(TurnAction):
    """A person, because the customer has no other words."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_not_sure"

    async def take(self, state: State, said: Said) -> Result:
        """The conversation waits for a person."""
        return hand_over(state)


class Note(TurnAction):
    """A message for the person who is waited for."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_note"

    async def take(self, state: State, said: Said) -> Result:
        """Said once, silent after that."""
        return note(state)


class SayNoted(TurnAction):
    """The customer asks for a person again: that is never met with silence."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_say_noted"

    async def take(self, state: State, said: Said) -> Result:
        """Said in any case."""
        return note(replace(state, noted=False))


class CancelHandoff(TurnAction):
    """Never mind the person."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_cancel_handoff"

    async def take(self, state: State, said: Said) -> Result:
        """The bot goes on."""
        return back_to_bot(state)
