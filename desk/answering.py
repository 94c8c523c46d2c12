"""How one claimed turn gets its result: Rasa first, search in its place, another try while there is time, and words at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from desk.bot_client import BotClient
from desk.breaker import Breaker
from desk.exceptions import BotFailed
from desk.fallback import from_search, is_choice, plain_sentence, without_search
from desk.model import Turn, TurnResult
from desk.phrases import Phrases
from knowledge_base.exceptions import SearchRefused, SearchUnavailable
from knowledge_base.search_client import SearchClient
from touchpoints.clock import Clock

log = logging.getLogger(__name__)

LONGEST_CALL_S = 6.0
"""Rasa gets at most this of the turn's time, so that a hanging one leaves time for search and words."""
SEARCH_TIMEOUT_S = 1.0
RESERVE_S = 0.4
"""No new try begins with less than this left. A search that hangs then adds a second: still well within the customer's 10 s."""
PAUSES_S = (0.2, 0.3, 0.4)
"""Before the second try, the third and all later ones; a killed action server or search is back in 1 to 2 s, Rasa in 3 to 5."""

MOST_CLAIMS = 4
"""A turn that was taken up so often breaks whatever works on it; its customer is told in words."""


@dataclass(frozen=True)
class TryAgain:
    """No result yet; the turn is to be tried again after ``pause_s``."""

    pause_s: float


class Answering:
    """Works out results; it writes nothing, so trying twice is trying once."""

    def __init__(self, bot: BotClient, search: SearchClient, phrases: Callable[[], Phrases], *, clock: Clock, budget_s: float) -> None:
        self._bot = bot
        self._search = search
        self._phrases = phrases
        self._clock = clock
        self._budget = timedelta(seconds=budget_s)
        self._breaker = Breaker()

    def answer(self, turn: Turn, attempt: int) -> TurnResult | TryAgain:
        """The result of a turn, or the wish to try again; past the time there is always a result."""
        if turn.claim > MOST_CLAIMS:
            return plain_sentence(turn, self._phrases())
        remaining_s = (turn.accepted_at + self._budget - self._clock()).total_seconds()
        result = self._ask_bot(turn, remaining_s - RESERVE_S) or self._in_its_place(turn)
        if result is not None:
            return result
        remaining_s = (turn.accepted_at + self._budget - self._clock()).total_seconds()
        pause_s = PAUSES_S[min(attempt, len(PAUSES_S) - 1)]
        if remaining_s - pause_s > RESERVE_S:
            return TryAgain(pause_s)
        return plain_sentence(turn, self._phrases())

    def _ask_bot(self, turn: Turn, time_s: float) -> TurnResult | None:
        if time_s <= 0 or not self._breaker.allows():
            return None
        try:
            result = self._bot.turn(
                f"{turn.conversation_id}-{turn.seq}-{turn.claim}"[:64], turn.input, turn.state, owner=turn.owner, budget_s=min(time_s, LONGEST_CALL_S)
            )
        except BotFailed as failure:
            self._breaker.failed()
            log.warning("turn %s/%d: %s", turn.conversation_id, turn.seq, failure)
            return None
        self._breaker.succeeded()
        return result

    def _in_its_place(self, turn: Turn) -> TurnResult | None:
        phrases = self._phrases()
        if (result := without_search(turn, phrases)) or is_choice(turn):
            return result
        try:
            return from_search(turn, self._search.search(turn.input, 3, SEARCH_TIMEOUT_S), phrases)
        except (SearchUnavailable, SearchRefused) as failure:
            log.warning("turn %s/%d: %s", turn.conversation_id, turn.seq, failure)
            return None
