"""The customer starts again."""

from __future__ import annotations

from actions.state import Result, State, start_again
from actions.turn import Said, TurnAction


class StartAgain(TurnAction):
    """Empty the state."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_start_again"

    async def take(self, state: State, said: Said) -> Result:
        """A new beginning."""
        return start_again(state)
