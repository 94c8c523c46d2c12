"""The action server with an action that does nothing: the yardstick for a turn. Runs on Python 3.10 beside a second Rasa.

``python -m benchmarks.idle_actions CARD.json`` answers every question with the card in that file, without asking anybody.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from actions import server
from actions.search_client import SearchClient
from actions.state import Result, State
from actions.turn import Said, TurnAction


class AnswerNothing(TurnAction):
    """Sets the slots that the real action sets, with values that are there already."""

    def __init__(self, search: SearchClient) -> None:
        super().__init__(search)
        self._card = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))

    def name(self) -> str:
        """Name in the domain."""
        return "action_answer"

    async def take(self, state: State, said: Said) -> Result:
        """The card."""
        return Result("answered", state, self._card)


if __name__ == "__main__":
    server.ACTIONS = (AnswerNothing,)
    server.main()
