"""The customer wants a person, waits for one, or no longer does."""

from __future__ import annotations

import logging
from dataclasses import replace

from actions.search_client import SearchError
from actions.state import Result, State, back_to_bot, hand_over, note, while_waiting
from actions.turn import Said, TurnAction

logger = logging.getLogger(__name__)


class GetPerson(TurnAction):
    """A person, because the customer asked."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_get_person"

    async def take(self, state: State, said: Said) -> Result:
        """The conversation waits for a person. If the words have a sure answer, such as when people are there, its source stands beside."""
        if said.text.startswith("/"):  # a button says no more than that
            return hand_over(state)
        try:
            found = await self.search.search(said.text)
        except SearchError as error:  # nothing that a person would have to wait for
            logger.warning("No article while waiting: %s", error)
            return hand_over(state)
        return while_waiting(state, found["hits"][0]) if found["verdict"] == "answer" else hand_over(state)


class HandOver(TurnAction):
    """A person, because the bot can do no more or the matter is sensitive."""

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
