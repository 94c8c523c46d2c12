"""The customer walks a guide step by step."""

from __future__ import annotations

from actions.search_client import SearchClient
from actions.state import Result, State, at_step, confirm_step, next_step, open_guide, step_of, worked
from actions.turn import Said, TurnAction


class StartGuide(TurnAction):
    """Open a guide at its first step, or go back to where it stands."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_start_guide"

    async def take(self, state: State, said: Said) -> Result:
        """The step to stand at."""
        return open_guide(state, await self.search.article(said.entities["article"]))


class NextStep(TurnAction):
    """The step did not work, or cannot be done: the next one."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_next_step"

    async def take(self, state: State, said: Said) -> Result:
        """The next step, or the end of the guide."""
        return next_step(state, await self.search.article(state.guide or ""))


class GoToStep(TurnAction):
    """An option of a step leads to another step, guide or article."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_go_to_step"

    async def take(self, state: State, said: Said) -> Result:
        """Where the option leads."""
        return await go_to(self.search, state, said.entities["target"])


class ConfirmStep(TurnAction):
    """A yes, typed while a guide is open."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_confirm_step"

    async def take(self, state: State, said: Said) -> Result:
        """Solved, or the options once more."""
        return confirm_step(state, await self.search.article(state.guide or ""))


class GuideWorked(TurnAction):
    """The button "it worked"."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_guide_worked"

    async def take(self, state: State, said: Said) -> Result:
        """The guide is done."""
        return worked(state)


async def go_to(search: SearchClient, state: State, target: str) -> Result:
    """The step of the open guide that ``target`` names, else the guide or article of that slug. Raises `ArticleGone`."""
    if state.guide:
        article = await search.article(state.guide)
        index = step_of(article, target)
        if index is not None:
            return at_step(state, article, index)
    return open_guide(state, await search.article(target))
