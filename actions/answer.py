"""The customer asks."""

from __future__ import annotations

from actions.follow_up import article_in_view, best_confidence, leans_back
from actions.guide import go_to
from actions.search_client import ArticleGone, SearchError
from actions.state import Json, Result, State, answered, asked, chosen, meant, not_sure, option_meant, unsure
from actions.turn import Said, TurnAction


class Answer(TurnAction):
    """Search for what the customer wrote: answer when sure, offer when unsure, else a miss."""

    def name(self) -> str:
        """Name in the domain."""
        return "action_answer"

    async def take(self, state: State, said: Said) -> Result:
        """While a guide is open, the words of an option of its step are that option. What is perhaps an act is one unless search is sure."""
        if state.pending == "guide" and (target := await self._option(state, said.text)):
            return await go_to(self.search, state, target)
        act = said.entities.get("perhaps")
        try:
            question, found = await self._ask(state, said.text)
        except SearchError:
            if act is None:
                raise
            return meant(state, act)
        if act is not None and found["verdict"] != "answer":
            return meant(state, act)
        state = asked(state, question)
        if found["verdict"] == "answer":
            return answered(state, found["hits"][0])
        return unsure(state, found["hits"]) if found["verdict"] == "offer" else not_sure(state)

    async def _ask(self, state: State, text: str) -> tuple[str, Json]:
        """What search says, and to which question: one that leans on what was said before is asked together with that, and then goes first.

        Alone, such a message may sound sure of the wrong thing: "and the outdoor one?" after a question about prices is about a price.
        """
        before = await self._said_before(state) if leans_back(text) else None
        if before is None:
            return text, await self.search.search(text)
        joined = f"{before} {text}"
        together = await self.search.search(joined)
        if together["verdict"] == "answer":
            return joined, together
        return max((text, await self.search.search(text)), (joined, together), key=lambda one: best_confidence(one[1]))

    async def _said_before(self, state: State) -> str | None:
        """The title of the article that is talked about, else the last question, else None."""
        slug = article_in_view(state)
        try:
            return str((await self.search.article(slug))["title"]) if slug else state.question
        except ArticleGone:
            return state.question

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
        return chosen(state, await self.search.article(said.entities["article"]))
