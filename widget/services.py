"""Everything the app is made of, built once from the settings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from desk.accounts import Accounts
from desk.agents import Agents
from desk.answering import Answering
from desk.bot_client import BotClient
from desk.customers import Customers, Identities
from desk.guessing import Guessing
from desk.journal import Journal
from desk.own_sessions import OwnSessions
from desk.passwords import words_of_kit
from desk.phrases import Phrases
from desk.readiness import Readiness
from desk.reading import Reading
from desk.tokens import Tokens
from desk.turns import TurnRunner
from kit.settings import ROOT, Settings
from knowledge_base.exceptions import LibraryUnavailable
from knowledge_base.library import Library
from knowledge_base.search_client import SearchClient
from touchpoints.clock import Clock, system_clock
from touchpoints.database import Database, open_database
from touchpoints.exceptions import StoreError
from touchpoints.ledger import Ledger
from widget.streams import Offload, Streams
from widget.wakeups import Wakeups

log = logging.getLogger(__name__)

RELIEVE_EVERY_S = 2.0
LOOK_AT_SESSIONS_EVERY_S = 1.0


@dataclass(frozen=True)
class Services:
    """The parts that the routes use; a test builds them with its own clock and neighbours."""

    settings: Settings
    database: Database
    library: Library
    search: SearchClient
    ledger: Ledger
    accounts: Accounts
    own_sessions: OwnSessions
    customers: Customers
    agents: Agents
    tokens: Tokens
    reading: Reading
    readiness: Readiness
    streams: Streams
    wakeups: Wakeups
    runner: TurnRunner


def build_services(settings: Settings, *, clock: Clock = system_clock, offload: Offload | None = None) -> Services:
    """Build everything; nothing is started and nobody is called yet. ``settings`` must have its secrets."""
    database = open_database(settings.database)
    library = Library(settings.index, settings.articles)
    search = SearchClient(settings.search_url, settings.inner_secret)
    bot = BotClient(settings.rasa_url, settings.inner_secret)
    tokens = Tokens(settings.signing_key, settings.token_days)
    wakeups = Wakeups()
    stage_of = partial(_stage, library)
    journal = Journal(clock, stage_of)
    ledger = Ledger(database, clock, stage_of)
    phrases = Phrases.read(ROOT / "domain.yml")
    answering = Answering(bot, search, lambda: phrases, clock=clock, budget_s=settings.turn_budget_s)
    runner = TurnRunner(database, answering, journal, tokens=tokens, clock=clock, notify=wakeups.notify)
    identities = _identities(settings.identity_secret, clock)
    customers = Customers(database, journal, runner, tokens=tokens, clock=clock, notify=wakeups.notify, identities=identities)
    guessing = Guessing(database, key=settings.signing_key, clock=clock)
    agents = Agents(database, journal, clock=clock, notify=wakeups.notify, gone_s=settings.agent_gone_s, silence_s=settings.silence_close_s)
    return Services(
        settings=settings,
        database=database,
        library=library,
        search=search,
        ledger=ledger,
        accounts=Accounts(
            database, clock=clock, session_hours=settings.session_hours, guessing=guessing, own_words=partial(words_of_kit, settings.brand)
        ),
        own_sessions=OwnSessions(database, clock=clock, session_hours=settings.session_hours),
        customers=customers,
        agents=agents,
        tokens=tokens,
        reading=Reading(database, ledger, tokens=tokens, clock=clock, notify=wakeups.notify),
        readiness=Readiness(database, bot, search, library),
        streams=Streams(wakeups, offload or _at_once, customers, agents),
        wakeups=wakeups,
        runner=runner,
    )


def _identities(secret: str, clock: Clock) -> Identities | None:
    """What reads signed identities; None where the site signs none, and then its library is not loaded either."""
    if not secret:
        return None
    from desk.identity import SignedIdentities

    return SignedIdentities(secret, clock=clock)


def _at_once(function: Callable[..., object], *arguments: object) -> object:
    return function(*arguments)


def _stage(library: Library, slug: str) -> str | None:
    try:
        article = library.article(slug)
    except LibraryUnavailable:
        return None
    return article.stage if article else None


class Housekeeping:
    """What goes on behind the requests: turns, readiness, agents who are gone, conversations that fell silent."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=services.readiness.keep_asking, args=(self._stop,), name="readiness", daemon=True),
            threading.Thread(target=self._relieve, name="relieve", daemon=True),
            threading.Thread(target=self._end_sessions, name="sessions", daemon=True),
        ]

    def start(self) -> None:
        """Start the threads."""
        self._services.runner.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> bool:
        """Finish the turns at work, hand back those that take too long, and stop. True if a thread still hangs on one of these."""
        self._stop.set()
        return self._services.runner.stop()

    def _end_sessions(self) -> None:
        """Wake what ended sessions have open: they may have been ended by another process, or by somebody at the command line."""
        while not self._stop.wait(LOOK_AT_SESSIONS_EVERY_S):
            try:
                watched = self._services.wakeups.sessions()
                ended = self._services.accounts.ended(watched) if watched else set()
            except StoreError as failure:
                log.warning("sessions cannot be looked after: %s", failure)
                continue
            if ended:
                self._services.wakeups.wake_sessions(ended)

    def _relieve(self) -> None:
        expected = False
        while not self._stop.is_set():
            try:
                if not expected:
                    self._services.agents.expect_back()
                    expected = True
                self._services.agents.relieve()
                self._services.agents.close_silent()
            except StoreError as failure:
                log.warning("conversations cannot be looked after: %s", failure)
            self._stop.wait(RELIEVE_EVERY_S)
