"""A whole desk on a real SQLite file, with a Rasa and a search that say what they are told, and people who use it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import text

from desk.accounts import Accounts
from desk.agents import Agents, Opened
from desk.answering import Answering
from desk.customers import Customers
from desk.exceptions import BotFailed
from desk.journal import Journal
from desk.model import Accepted, Conversation, Event, Notice, Reply, Staff, Turn, TurnResult
from desk.own_sessions import OwnSessions
from desk.phrases import Phrases
from desk.reading import Reading
from desk.store import conversations as conversation_rows
from desk.store import staff as staff_rows
from desk.store import turns as turn_rows
from desk.tokens import Tokens
from desk.turns import Notify, TurnRunner
from kit.settings import ROOT
from knowledge_base.exceptions import SearchUnavailable
from knowledge_base.model import Cutoffs, Hit, SearchAnswer
from touchpoints.database import Database, open_database
from touchpoints.ledger import Ledger
from touchpoints.model import Recorded, new_id
from touchpoints.store import read_ledger

STAGES = {"router-red-light": "service", "choose-a-camera": "consideration"}
PATIENCE_S = 30.0
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Argon2 as always, but not made to be slow: most tests sign in only to be signed in."""


@cache
def phrases() -> Phrases:
    return Phrases.read(ROOT / "domain.yml")


class FixedClock:
    """Stands still until told that time passes."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def source(slug: str = "router-red-light", confidence: float = 0.9) -> dict[str, Any]:
    return {"slug": slug, "section": "Step 1", "title": "Router shows a red light", "url": f"/help/{slug}#step-1", "confidence": confidence}


def answered(text: str = "Restart it.", **changes: Any) -> TurnResult:
    """An answer with a source, as Rasa gives it."""
    choices = ({"title": "Yes, thanks", "payload": "/affirm"}, {"title": "No", "payload": "/deny"})
    reply = Reply(text=text, outcome="answered", choices=choices, sources=(source(),))
    state = {"misses": 0, "pending": "solved", "article": "router-red-light", "shown": ["router-red-light"]}
    return TurnResult(**{"outcome": "answered", "replies": (reply,), "state": state, "intent": "question", "confidence": 0.4} | changes)


def said(outcome: str, text: str = "Hello.", **changes: Any) -> TurnResult:
    """One reply without a source."""
    return TurnResult(**{"outcome": outcome, "replies": (Reply(text=text, outcome=outcome),), "state": {"misses": 0}} | changes)


class FakeRasa:
    """Gives each text its result, in the way of `desk.bot_client.BotClient`; anything else is small talk."""

    def __init__(self) -> None:
        self.results: dict[str, TurnResult | Exception | Callable[[], TurnResult]] = {}
        self.asked: list[tuple[str, Mapping[str, Any], str]] = []
        self.budgets: list[float] = []
        self.turn_ids: list[str] = []
        self.away = False
        self.at_work = 0
        self.most_at_work = 0
        self._gates: dict[str, tuple[threading.Event, threading.Event]] = {}
        self._lock = threading.Lock()

    def turn(self, turn_id: str, text: str, state: Mapping[str, Any], *, owner: str, budget_s: float) -> TurnResult:
        with self._lock:
            self.asked.append((text, dict(state), owner))
            self.budgets.append(budget_s)
            self.turn_ids.append(turn_id)
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return self._result(text)
        finally:
            with self._lock:
                self.at_work -= 1

    def _result(self, text: str) -> TurnResult:
        if text in self._gates:
            reached, opened = self._gates[text]
            reached.set()
            assert opened.wait(PATIENCE_S), f"nobody let {text!r} go on"
        if self.away:
            raise BotFailed("Rasa did not answer: ConnectionRefusedError.")
        result = self.results.get(text, said("small_talk", f"You said: {text}"))
        if isinstance(result, Exception):
            raise result
        return result() if callable(result) else result

    @contextmanager
    def thinking(self, text: str) -> Iterator[threading.Event]:
        """While the block runs, Rasa has been asked ``text`` and does not answer yet; the event given tells that it was asked."""
        reached, opened = threading.Event(), threading.Event()
        self._gates[text] = (reached, opened)
        try:
            yield reached
        finally:
            del self._gates[text]
            opened.set()


class FakeSearch:
    """Search as told: away, sure, or not sure."""

    def __init__(self) -> None:
        self.verdict: str | None = None
        self.asked: list[str] = []
        self.kind = "faq"

    def search(self, text: str, limit: int = 3, timeout_s: float = 2.0) -> SearchAnswer:
        self.asked.append(text)
        if self.verdict is None:
            raise SearchUnavailable("search cannot be reached")
        body = ({"el": "p", "children": [{"el": "text", "text": "Restart it."}]},)
        slug, section = "router-red-light", "Step 1"
        hit = Hit(slug, "Router", self.kind, "network", "service", section, "step-1", f"/help/{slug}#step-1", "Restart it.", "Unplug it.", body, 0.9)
        return SearchAnswer("g", self.verdict, Cutoffs(0.6, 0.3), (hit,))


class House:
    """Everything of `desk` on one database. The ticker of turns runs only when asked for with `tick`."""

    def __init__(self, path: Path, notify: Notify | None = None) -> None:
        self.clock = FixedClock()
        self.rasa, self.search = FakeRasa(), FakeSearch()
        self.notices: list[Notice] = []
        self.notify = notify or self.notices.append
        self.database: Database = open_database(f"sqlite:///{path}")
        self.tokens = Tokens("a signing key of the tests", days=30, clock=self.clock)
        self.journal = Journal(self.clock, STAGES.get)
        self.ledger = Ledger(self.database, self.clock, STAGES.get)
        self.reading = Reading(self.database, self.ledger, tokens=self.tokens, clock=self.clock, notify=self.notify)
        self.accounts = Accounts(self.database, clock=self.clock, session_hours=12, hasher=CHEAP)
        self.own_sessions = OwnSessions(self.database, clock=self.clock, session_hours=12)
        self.runners: list[TurnRunner] = []
        self.runner = self.another_runner()
        self.customers = Customers(self.database, self.journal, self.runner, tokens=self.tokens, clock=self.clock, notify=self.notify)
        self.agents = Agents(self.database, self.journal, clock=self.clock, notify=self.notify, gone_s=45, silence_s=86400)

    def another_runner(self) -> TurnRunner:
        """A runner as another process would have it: on the same database, knowing nothing of the first."""
        answering = Answering(self.rasa, self.search, phrases, clock=self.clock, budget_s=8.0)
        runner = TurnRunner(self.database, answering, self.journal, tokens=self.tokens, clock=self.clock, notify=self.notify)
        self.runners.append(runner)
        return runner

    def close(self) -> None:
        for runner in self.runners:
            runner.stop()
        self.database.engine.dispose()

    def visitor(self) -> Visitor:
        """A new visitor with a conversation begun."""
        return Visitor(self)

    def agent(self, name: str = "Ada") -> Agent:
        """A member of staff, whose desk is open. Nobody signs in as them, so they have no password to hash."""
        person = Staff(id=new_id(), email=f"{name.lower()}@desk.example", name=name, role="agent")
        with self.database.writing() as connection:
            staff_rows.add_staff(connection, person, "!", self.clock())
        return Agent(self, person)

    def settle(self, wait_for: Callable[[], bool] | None = None) -> None:
        """Wait until every turn has ended, or until what is given is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not (wait_for() if wait_for else self._all_done()):
            assert time.monotonic() < deadline, self.rows("SELECT conversation_id, seq, status, claim, input FROM turns")
            time.sleep(0.005)

    def _all_done(self) -> bool:
        return not self.rows("SELECT 1 FROM turns WHERE status <> 'done'")

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What the database holds."""
        with self.database.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(text(query), values)]

    def execute(self, statement: str, **values: Any) -> None:
        """Change the database behind everyone's back."""
        with self.database.writing() as connection:
            connection.execute(text(statement), values)

    def cut_off(self, visitor: Visitor, message: str) -> Turn:
        """A message to a process that was killed right after the commit: acknowledged, claimed, and nobody works on it."""
        dead = DeadRunner()
        customers = Customers(self.database, self.journal, dead, tokens=self.tokens, clock=self.clock, notify=self.notify)
        customers.say(visitor.token, visitor.id, visitor.next_id(), {"text": message})
        (turn,) = dead.given
        return turn


class DeadRunner:
    """What becomes of turns that a killed process had taken: nothing."""

    def __init__(self) -> None:
        self.given: list[Turn] = []

    def run(self, turn: Turn, attempt: int = 0) -> None:
        self.given.append(turn)


class Visitor:
    """A customer in one conversation."""

    def __init__(self, house: House) -> None:
        self.house = house
        conversation, self.token = house.customers.start(None)
        self.id = conversation.id
        self._messages = 0

    def says(self, text: str, client_id: str | None = None) -> Accepted:
        return self._sends(client_id, {"text": text})

    def presses(self, payload: str, client_id: str | None = None) -> Accepted:
        return self._sends(client_id, {"payload": payload})

    def _sends(self, client_id: str | None, body: Mapping[str, Any]) -> Accepted:
        return self.house.customers.say(self.token, self.id, client_id or self.next_id(), body)

    def next_id(self) -> str:
        self._messages += 1
        return f"m{self._messages}"

    def is_answered(self, text: str) -> list[Event]:
        """Say something and wait for all that comes of it."""
        after = self.says(text).seq
        self.house.settle()
        return [event for event in self.sees() if event.seq > after]

    def asks_for_a_person(self) -> Conversation:
        return self.house.customers.ask_for_person(self.token, self.id)

    def changes_their_mind(self) -> Conversation:
        return self.house.customers.cancel_handoff(self.token, self.id)

    def closes(self) -> Conversation:
        return self.house.customers.close(self.token, self.id)

    def rates(self, score: Any, **more: Any) -> None:
        self.house.customers.rate(self.token, self.id, {"question": "csat", "score": score, **more})

    def sees(self) -> list[Event]:
        with self.house.database.reading() as connection:
            return conversation_rows.all_events(connection, self.id)

    def hears(self, *authors: str) -> list[str]:
        """The texts of messages, of these authors or of all."""
        events = [event for event in self.sees() if event.type == "message"]
        return [event.data["text"] for event in events if not authors or event.data["author"] in authors]

    def outcomes(self) -> list[str | None]:
        """The outcome of each message, in order."""
        return [turn.outcome for turn in self.turns()]

    def turns(self) -> list[Any]:
        with self.house.database.reading() as connection:
            return turn_rows.turns_of(connection, self.id)

    def owner(self) -> str:
        return self.house.customers.conversation(self.token, self.id)[0].owner

    def changes_of_owner(self) -> list[tuple[str, str]]:
        return [(event.data["owner"], event.data["reason"]) for event in self.sees() if event.type == "owner"]

    def touchpoints(self) -> list[Recorded]:
        with self.house.database.reading() as connection:
            return read_ledger(connection, conversation_id=self.id)


class Agent:
    """A person at the desk."""

    def __init__(self, house: House, person: Staff) -> None:
        self.house = house
        self.person = person
        self._messages = 0
        house.agents.seen(person)

    def is_away(self, away: bool) -> None:
        self.house.agents.set_away(self.person, away)
        with self.house.database.reading() as connection:
            self.person = staff_rows.find_staff(connection, self.person.id) or self.person

    def accepts(self, visitor: Visitor) -> Conversation:
        return self.house.agents.accept(self.person, visitor.id)

    def says(self, visitor: Visitor, text: str, client_id: str | None = None) -> Accepted:
        self._messages += 1
        return self.house.agents.say(self.person, visitor.id, client_id or f"a{self._messages}", text)

    def opens(self, visitor: Visitor) -> Opened:
        return self.house.agents.open(visitor.id)

    def transfers(self, visitor: Visitor, note: str | None = None) -> Conversation:
        return self.house.agents.transfer(self.person, visitor.id, note)

    def returns_to_bot(self, visitor: Visitor) -> Conversation:
        return self.house.agents.give_back(self.person, visitor.id)

    def closes(self, visitor: Visitor, resolution: str = "solved", article: str | None = None) -> Conversation:
        return self.house.agents.close(self.person, visitor.id, resolution, article)
