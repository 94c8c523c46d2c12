"""The frame of every action: slots in, `Result` out as slots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.search_client import ArticleGone, SearchClient
from actions.state import Json, Result, State, gone, read_state, write_state


@dataclass(frozen=True)
class Said:
    """What the customer sent: words, or a choice with its entities."""

    text: str
    entities: dict[str, str]


class TurnAction(Action, ABC):
    """An action that turns a state and a message into a `Result`.

    A `SearchError` is left to rise: the turn fails whole, web notices and answers in Rasa's place. A wrong answer would be worse.
    """

    def __init__(self, search: SearchClient) -> None:
        """Keep the client."""
        self.search = search

    @abstractmethod
    async def take(self, state: State, said: Said) -> Result:
        """What comes of this message. May raise `ArticleGone` and `SearchError`."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[Json]:
        """Set the slots of the state, ``result`` and ``card``. An article that has gone meanwhile is the result ``gone``.

        Only what changes is sent: Rasa checks every event against a schema, about a millisecond each.
        """
        state, said = read_state(tracker.slots), _said(tracker)
        try:
            result = await self.take(state, said)
        except ArticleGone as error:
            result = gone(state, error.slug)
        slots = {**write_state(result.state), "result": result.name, "card": result.card}
        return [SlotSet(name, value) for name, value in slots.items() if tracker.slots.get(name) != value]


def _said(tracker: Tracker) -> Said:
    message = tracker.latest_message
    entities = {entity["entity"]: entity["value"] for entity in message.get("entities") or []}
    return Said(message.get("text") or "", entities)
