"""Whether every part answers, found out by asking: a canary question goes through Rasa, its action and search, and writes no row."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import text

from desk.bot_client import BotClient
from desk.exceptions import BotFailed
from desk.model import TurnResult
from knowledge_base.exceptions import LibraryUnavailable, SearchRefused, SearchUnavailable
from knowledge_base.library import Library
from knowledge_base.search_client import SearchClient
from touchpoints.database import Database
from touchpoints.exceptions import StoreError

PERSON_WANTED = "I want to talk to a person"
"""Said to see that the classifier is the trained one: Rasa replaces a broken one by an untrained one without a word."""
ANYTHING_ASKED = "Where is my order?"
"""Asked where there are no articles; somewhere the question ends, if not in an answer."""
TITLES_TRIED = 5
TIMEOUT_S = 3.0
FRESH_S = 10.0
EVERY_S = 4.0
EVERY_UNREADY_S = 0.5
LEAST_FREE_BYTES = 256 * 1024
"""Some messages with all that is written beside them, at most 100 KiB each."""


@dataclass(frozen=True)
class PartState:
    """How one part stands; ``message`` says what is wrong."""

    ready: bool
    message: str = ""


class Readiness:
    """Asks all parts every few seconds in a thread of its own, so that an answer about them is at most `FRESH_S` old."""

    def __init__(self, database: Database, bot: BotClient, search: SearchClient, library: Library) -> None:
        self._checks: dict[str, Callable[[], str]] = {
            "database": lambda: can_write(database) or lack_of_room(database.free_bytes()),
            "articles": lambda: _can_be_read(library),
            "search": lambda: self._search_answers(search),
            "rasa": lambda: self._knows_acts(bot),
            "actions": lambda: self._answers_questions(bot, library),
        }
        self._latest: tuple[float, Mapping[str, PartState]] = (float("-inf"), {})

    def parts(self) -> Mapping[str, PartState]:
        """The latest state of each part; not ready when it is older than `FRESH_S`."""
        asked_at, parts = self._latest
        if time.monotonic() - asked_at > FRESH_S:
            return {name: PartState(False, "not asked yet") for name in self._checks}
        return parts

    def ask(self) -> None:
        """Ask every part once, all at the same time: one that hangs must not make the others look old."""
        asked_at = time.monotonic()
        with ThreadPoolExecutor(len(self._checks), thread_name_prefix="readiness") as threads:
            states = {name: threads.submit(_state, check) for name, check in self._checks.items()}
        self._latest = (asked_at, {name: state.result() for name, state in states.items()})

    def keep_asking(self, stop: threading.Event) -> None:
        """Ask until told to stop."""
        while not stop.is_set():
            self.ask()
            stop.wait(EVERY_S if all(part.ready for part in self.parts().values()) else EVERY_UNREADY_S)

    def _search_answers(self, search: SearchClient) -> str:
        search.health(TIMEOUT_S)
        return ""

    def _knows_acts(self, bot: BotClient) -> str:
        result = _canary(bot, PERSON_WANTED)
        return "" if result.intent == "request_person" else f"took a wish for a person for {result.intent}"

    def _answers_questions(self, bot: BotClient, library: Library) -> str:
        """One article that is found by its title is enough: a title may read like an act ("Call centre") or like another article's."""
        articles = library.articles()[:TITLES_TRIED]
        if not articles:
            # No article can be found; that the way there is whole shows in that it answered.
            result = _canary(bot, ANYTHING_ASKED)
            return "" if result.intent == "question" else f"took a question for {result.intent}"
        problem = ""
        for article in articles:
            problem = _problem_of(_canary(bot, article.title), article.slug)
            if not problem:
                break
        return problem


def _problem_of(result: TurnResult, slug: str) -> str:
    if result.intent != "question":
        return f"took a question for {result.intent}"
    shown = [source["slug"] for reply in result.replies for source in reply.sources]
    offered = " ".join(choice["payload"] for reply in result.replies for choice in reply.choices)
    return "" if slug in shown or f'"{slug}"' in offered else "did not find an article by its title"


def _can_be_read(library: Library) -> str:
    """A library without a single article can be read too: the chat then offers a person. Raises `LibraryUnavailable`."""
    library.articles()
    return ""


def can_write(database: Database) -> str:
    """Write and commit without leaving a row. Raises `StoreError`.

    A row is added and taken away again: SQLite writes nothing at all when an update changes nothing, and would not notice a full disk.
    """
    with database.writing() as connection:
        connection.execute(text("INSERT INTO counters (name, value) VALUES ('canary', 0)"))
        connection.execute(text("DELETE FROM counters WHERE name = 'canary'"))
    return ""


def lack_of_room(free_bytes: int | None) -> str:
    """What is wrong with so much room on the disk.

    On a full disk a write as small as the canary may still find a place that a longer one has left, where no message does any more.
    """
    return "the disk is full" if free_bytes is not None and free_bytes < LEAST_FREE_BYTES else ""


def _canary(bot: BotClient, question: str) -> TurnResult:
    return bot.turn("canary", question, {}, owner="bot", budget_s=TIMEOUT_S)


def _state(check: Callable[[], str]) -> PartState:
    try:
        problem = check()
    except (StoreError, BotFailed, SearchUnavailable, SearchRefused, LibraryUnavailable) as failure:
        problem = str(failure)
    return PartState(not problem, problem)
