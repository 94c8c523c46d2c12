"""Where the play takes place: a kit of its own beside the real one, with the same articles and model, an empty database and the play's clock.

What was played is then taken over into the real database in one transaction. So nothing real is touched by the play's time, and a play
that is broken off leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.calendar import chosen, first_day
from demo.clock import PlayClock
from demo.errors import AlreadyThere
from demo.people import Agent, Shop
from demo.play import Play, Tally
from demo.scripts import Script
from desk.migrate import migrate
from desk.store.demo import has_demo, remove_demo, take_over
from kit.leftovers import end as end_processes
from kit.leftovers import leftovers
from kit.ports import free_ports
from kit.processes import RunningKit, copy_prepared, initialise_desk
from kit.programs import WEB_PYTHON, Program, program_table
from kit.settings import Settings, with_secrets
from touchpoints.database import open_database

Say = Callable[[str], None]

READY_WITHIN_S = 90.0
FOLDER = "demo"
NEVER_S = 10.0 * 365 * 86400
ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Account:
    """A made-up member of the staff, as `desk.accounts.Accounts.add` wants one."""

    email: str
    name: str
    password: str
    role: str


@dataclass(frozen=True)
class Played:
    """What a play came to: the two agents' accounts, how many rows of each table were taken over, and what came about."""

    accounts: tuple[Account, ...]
    rows: dict[str, int]
    tally: Tally


def make_cast() -> tuple[Account, ...]:
    """Two agents, and an administrator for the shop's API key; their passwords are made anew for each play."""
    people = (("ada", "Ada (demo)", "agent"), ("ben", "Ben (demo)", "agent"), ("shop", "Shop (demo)", ADMINISTRATOR))
    return tuple(Account(f"{name}@demo.invalid", shown, secrets.token_urlsafe(12), role) for name, shown, role in people)


def play(settings: Settings, scripts: list[Script], count: int | None, say: Say) -> Played:
    """Play ``count`` scripts (all by default) and take over what came of it. Raises `AlreadyThere`, `PlayFailed` and `KitError`.

    The kit of ``settings`` must be set up and must not be running.
    """
    settings = with_secrets(settings)
    with _held(settings):
        if made := initialise_desk(settings):
            say(f"  First staff account: {made['email']} with the password {made['password']} (shown this once)")
        target = open_database(settings.database)
        with target.reading() as connection:
            if has_demo(connection):
                raise AlreadyThere()
        cast = make_cast()
        with _folder(settings) as folder:
            tally = _perform(settings, folder, cast, chosen(scripts, count), say)
            source = open_database(f"sqlite:///{folder / 'touchdesk.sqlite'}")
            with source.reading() as played, target.writing() as connection:
                rows = take_over(played, connection)
            source.engine.dispose()
        target.engine.dispose()
    return Played(tuple(person for person in cast if person.role != ADMINISTRATOR), rows, tally)


def remove(settings: Settings) -> dict[str, int] | None:
    """Take the demo's data away; how many rows of each table, or None when there are none. Raises `AlreadyRunning`."""
    with _held(settings):
        database = open_database(settings.database)
        migrate(database)
        with database.writing() as connection:
            gone = remove_demo(connection, datetime.now(UTC)) if has_demo(connection) else None
        database.engine.dispose()
    return gone


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """The real var folder is ours for the time: nothing runs from it, and nothing is started."""
    kit = RunningKit(settings)
    kit.lock()
    try:
        kit.end_leftovers()
        yield
    finally:
        kit.stop()


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """An empty var folder for the play, gone afterwards. What an earlier play left, killed as it was, is ended and cleared first."""
    folder = settings.var / FOLDER
    end_processes(leftovers(folder))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _perform(settings: Settings, folder: Path, cast: tuple[Account, ...], scripts: list[Script], say: Say) -> Tally:
    clock, end = PlayClock(folder / "clock"), datetime.now(UTC)
    clock.begin(first_day(end))
    copy_prepared(settings.var, folder)
    trial = _settings(settings, folder)
    try:
        with RunningKit(trial, programs=_programs(trial, folder / "clock", _write_cast(folder, cast))) as kit:
            say("  Starting a kit for the play ...")
            kit.wait_ready(READY_WITHIN_S)
            say(f"  Playing {len(scripts)} customers over fourteen days ...")
            accounts = {person.email.partition("@")[0]: person for person in cast}
            performance = Play(
                kit.url,
                clock,
                agents={name: Agent(kit.url, person.email, person.password) for name, person in accounts.items() if person.role == "agent"},
                shop=Shop(kit.url, accounts["shop"].email, accounts["shop"].password),
                name=f"demo-{secrets.token_hex(3)}",
                without=lambda name, act: _without(kit, name, act),
            )
            return performance.run(scripts, end)
    finally:
        clock.close()


def _settings(settings: Settings, folder: Path) -> Settings:
    """As the real kit's, but for the place; agents are not taken for gone while hours pass in a moment."""
    port, rasa, actions, search = free_ports(4)
    elsewhere: dict[str, Any] = {"var": folder, "database_url": "", "host": "127.0.0.1", "sites": (), "agent_gone_s": NEVER_S}
    return replace(settings, port=port, rasa_port=rasa, actions_port=actions, search_port=search, **elsewhere)


def _programs(settings: Settings, clock: Path, cast: Path) -> tuple[Program, ...]:
    command = (str(WEB_PYTHON), "-m", "demo.web", str(clock), str(cast))
    return tuple(replace(program, command=command) if program.name == "web" else program for program in program_table(settings))


def _write_cast(folder: Path, cast: tuple[Account, ...]) -> Path:
    path = folder / "cast.json"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump([vars(person) for person in cast], out)
    return path


def _without(kit: RunningKit, name: str, act: Callable[[], None]) -> None:
    kit.control.stop(name)
    try:
        act()
    finally:
        kit.control.start(name)
        kit.wait_ready(READY_WITHIN_S)
