"""The customer says whether it is solved."""

from __future__ import annotations

from actions.state import Result, State, not_solved, not_sure, solved
from actions.turn import Said, TurnAction


class Solved(TurnAction):
    """Yes, the answer helped."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_solved"

    async def take(self, state: State, said: Said) -> Result:
        """Nothing is open any more."""
        return solved(state)


class NotSolved(TurnAction):
    """No, the answer did not help: a person."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_not_solved"

    async def take(self, state: State, said: Said) -> Result:
        """The conversation waits for a person."""
        return not_solved(state)


class NoneOfThese(TurnAction):
    """None of the offered titles fits: a miss."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_none_of_these"

    async def take(self, state: State, said: Said) -> Result:
        """Other words at the first miss, a person at the second."""
        return not_sure(state)
