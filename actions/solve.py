"""The customer says whether it is solved."""

from __future__ import annotations

import logging

from actions.search_client import SearchError
from actions.state import Json, Result, State, another, answered, asked, next_best, not_solved, not_sure, solved
from actions.turn import Said, TurnAction

logger = logging.getLogger(__name__)

LOOKED_AT = 10  # hits among which the next best article is looked for; what was shown before is passed over


class Solved(TurnAction):
    """Yes, the answer helped."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_solved"

    async def take(self, state: State, said: Said) -> Result:
        """Nothing is open any more."""
        return solved(state)


class NotSolved(TurnAction):
    """No, the answer did not help: the next best article if there is one, else a person."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_not_solved"

    async def take(self, state: State, said: Said) -> Result:
        """A person is to be had with search away, too. Who waits for one already is shown only what is sure."""
        if state.question is None or state.queued:
            return not_solved(state)
        try:
            hit = await self._next_best(state, state.question)
        except SearchError as error:
            logger.warning("No next best article: %s", error)
            hit = None
        return another(state, hit) if hit else not_solved(state)

    async def _next_best(self, state: State, question: str) -> Json | None:
        return next_best(await self.search.search(question, LOOKED_AT), state)


class ShowNextBest(NotSolved):
    """Yes to the next best article, typed."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_show_next_best"

    async def take(self, state: State, said: Said) -> Result:
        """That article as an answer, or a person if an edit took it away meanwhile."""
        hit = await self._next_best(state, state.question) if state.question else None
        return answered(asked(state, None), hit) if hit else not_solved(state)


class NoneOfThese(TurnAction):
    """None of the offered titles fits: a miss."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_none_of_these"

    async def take(self, state: State, said: Said) -> Result:
        """Other words at the first miss, a person at the second."""
        return not_sure(state)
