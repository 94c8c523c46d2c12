"""The customer asks."""

from __future__ import annotations

from actions.guide import go_to
from actions.search_client import ArticleGone
from actions.state import Result, State, answered, not_sure, option_meant, unsure
from actions.turn import Said, TurnAction


class Answer(TurnAction):
    """Search for what the customer wrote: answer when sure, offer when unsure, else a miss."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_answer"

    async def take(self, state: State, said: Said) -> Result:
        """While a guide is open, the words of an option of its step are that option."""
        if state.pending == "guide" and (target := await self._option(state, said.text)):
            return await go_to(self.search, state, target)
        found = await self.search.search(said.text)
        if found["verdict"] == "answer":
            return answered(state, found["hits"][0])
        return unsure(state, found["hits"]) if found["verdict"] == "offer" else not_sure(state)

    async def _option(self, state: State, text: str) -> str | None:
        try:
            return option_meant(state, await self.search.article(state.guide or ""), text)
        except ArticleGone:
            return None


class ShowArticle(TurnAction):
    """Show the article that the customer chose, from an offer or a quick topic."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_show_article"

    async def take(self, state: State, said: Said) -> Result:
        """The article as an answer."""
        return answered(state, await self.search.article(said.entities["article"]))
