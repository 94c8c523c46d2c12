"""A var folder with webs of its own and stand-ins for all neighbours: what a round of kills is played on."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from desk.accounts import Accounts
from desk.migrate import migrate
from kit.ports import free_ports
from kit.settings import Settings, with_secrets
from tests.contract.kit_stand_in import build_article
from tests.faults.players import Agent, Customer, Watcher
from tests.faults.record import Record
from tests.faults.snapshot import Snapshot, read_snapshot
from tests.faults.stand_ins import Neighbours, neighbours
from tests.faults.web_forks import Fork, Forks
from touchpoints.clock import system_clock
from touchpoints.database import open_database

PASSWORD = "a-password-for-tests"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SETTLED_WITHIN_S = 30.0
LIMITS = ("_per_minute", "_per_visitor", "_per_address")
NO_LIMIT = 10_000_000
"""Some thousand sends of one address in a minute are what these tests are about."""

ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps the migration that it is at once a process; kits that are made side by side would share it."""


@dataclass
class SmallKit:
    """Webs on one database; the first port is the first web's."""

    settings: Settings
    ports: list[int]
    forks: Forks
    neighbours: Neighbours
    record: Record = field(default_factory=Record)

    @property
    def database(self) -> Path:
        return self.settings.var / "touchdesk.sqlite"

    def web(self, number: int = 0, *, wait: bool = True, **options: Any) -> Fork:
        """Start a web on one of the ports."""
        fork = self.forks.fork(replace(self.settings, port=self.ports[number]), **options)
        if wait:
            self.wait_alive(self.ports[number], fork)
        return fork

    def wait_alive(self, port: int, fork: Fork, timeout_s: float = 60.0) -> None:
        """Until it answers."""
        end_at = time.monotonic() + timeout_s
        while ask(port, "/api/brand")[0] is None:
            assert fork.wait(0) is None, f"web has ended with {fork.code}: {self.log()[-2000:]}"
            assert time.monotonic() < end_at, "web does not answer"
            time.sleep(0.01)

    def customer(self, name: str) -> Customer:
        return Customer(name, self.ports, self.record)

    def agent(self, number: int = 0) -> Agent:
        return Agent(f"agent {number}", self.ports, self.record, email=f"agent{number}@desk.example", password=PASSWORD)

    def watcher(self, name: str, customer: Customer) -> Watcher:
        return Watcher(name, customer, self.record, self.ports)

    def snapshot(self) -> Snapshot:
        return read_snapshot(self.database)

    def settled(self, timeout_s: float = SETTLED_WITHIN_S) -> Snapshot:
        """The database when every turn has ended, or when it should have."""
        end_at = time.monotonic() + timeout_s
        while True:
            snapshot = self.snapshot()
            if all(turn["status"] == "done" for turn in snapshot.turns) or time.monotonic() > end_at:
                return snapshot
            time.sleep(0.1)

    def log(self) -> str:
        path = self.settings.var / "web.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def ask(port: int, path: str, timeout_s: float = 10.0) -> tuple[int | None, bytes]:
    """GET something; the status is None when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()


@contextmanager
def small_kit(folder: Path, *, webs: int = 1, agents: int = 1, **changes: Any) -> Iterator[SmallKit]:
    """A fresh database with so many agents, one article, ports for so many webs; nothing is started but the stand-ins."""
    folder.mkdir(parents=True, exist_ok=True)
    with neighbours() as servers, Forks() as forks:
        ports = free_ports(webs)
        unlimited = {limit.name: NO_LIMIT for limit in fields(Settings) if limit.name.endswith(LIMITS)}
        inner = {"rasa_port": servers.port, "search_port": servers.port}
        settings = with_secrets(replace(Settings(), var=folder.resolve(), **inner, **unlimited, **changes))
        build_article(settings.index)
        _make_database(settings, agents)
        yield SmallKit(settings, ports, forks, servers)


def _make_database(settings: Settings, agents: int) -> None:
    database = open_database(settings.database)
    with ONE_AT_A_TIME:
        migrate(database)
    accounts = Accounts(database, clock=system_clock, session_hours=settings.session_hours, hasher=CHEAP)
    for number in range(agents):
        accounts.add(f"agent{number}@desk.example", f"Agent {number}", PASSWORD)
    database.engine.dispose()
