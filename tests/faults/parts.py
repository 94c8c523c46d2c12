"""The whole kit with parts of it away, hanging, answering badly or without a model: customers are answered, the desk and the help centre go on."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kit.processes import RunningKit, copy_prepared, trial_settings
from kit.settings import ROOT, read_settings
from tests.faults.checker import violations
from tests.faults.players import Agent, Customer
from tests.faults.record import Record, Recovery
from tests.faults.rows import Row, row
from tests.faults.silence import MORE_MEMORY_MB, memory_mb
from tests.faults.small_kit import NO_LIMIT, ask
from tests.faults.snapshot import Snapshot, read_snapshot
from tests.faults.stand_ins import Neighbours, neighbours

QUESTIONS = ROOT / "tests" / "knowledge_base" / "questions.jsonl"
EMAIL, PASSWORD = "ada@example.org", "a-password-for-tests"
ENDS_WITHIN_S, FLAGGED_WITHIN_S, BACK_WITHIN_S = 10.0, 10.0, 5.0
LEAST_STILL_RIGHT = 0.95
AT_ONCE = 4
CANARY = "my router has a red light"
DOWN, HANGING = "down", "hanging"
STATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (DOWN, ("rasa",)), (DOWN, ("actions",)), (DOWN, ("search",)), (DOWN, ("rasa", "actions")), (DOWN, ("rasa", "search")),
    (DOWN, ("actions", "search")), (DOWN, ("rasa", "actions", "search")),
    (HANGING, ("rasa",)), (HANGING, ("actions",)), (HANGING, ("search",)), (HANGING, ("rasa", "actions", "search")),
)  # fmt: skip
SHORT_STATES = ((DOWN, ("actions",)), (HANGING, ("rasa",)), (DOWN, ("rasa", "actions", "search")))
ACTIONS_WAYS = ("hang", "drip", "50 MB", "hang up", "200 []", "200 {}", "200 junk", "500", "404")
SEARCH_WAYS = ("hang", "drip", "50 MB", "hang up", "200 []", "200 {}", "200 junk", "500")


@dataclass(frozen=True)
class Answer:
    """What a question came to: the article shown, the outcome (None: silence), and the time it took."""

    article: str | None
    outcome: str | None
    took_s: float


@dataclass(frozen=True)
class State:
    """What one state of the kit came to."""

    name: str
    answers: dict[str, Answer]
    flagged_s: float
    alive: bool
    pages: bool
    desk: bool
    back_s: float


@contextmanager
def whole_kit(folder: Path, only: Sequence[str] | None = None) -> Iterator[RunningKit]:
    """The whole kit on ports of its own, or some programs of it."""
    limits = {"address_requests_per_minute": NO_LIMIT, "conversations_per_minute": NO_LIMIT, "messages_per_minute": NO_LIMIT}
    settings = trial_settings(folder, admin_email=EMAIL, admin_password=PASSWORD, **limits)
    with RunningKit(settings, prepared=read_settings().var, only=only) as kit:
        if only is None:
            kit.wait_ready(300)
        yield kit


class House:
    """A running kit and those who use it."""

    def __init__(self, kit: RunningKit) -> None:
        self.kit = kit
        self.record = Record()
        self.port = kit.settings.port
        self.agent = Agent("agent", [self.port], self.record, email=EMAIL, password=PASSWORD)
        self._asked = 0

    def customer(self) -> Customer:
        self._asked += 1
        return Customer(f"c{self._asked}", [self.port], self.record)

    def asks(self, question: str) -> Answer:
        """A question in a conversation of its own."""
        customer = self.customer()
        began = time.monotonic()
        heard = customer.hears(customer.says(question), 20)
        customer.line.close()
        if heard is None:
            return Answer(None, None, time.monotonic() - began)
        sources = heard.get("sources") or [{}]
        return Answer(sources[0].get("slug"), heard.get("outcome") or heard.get("owner"), time.monotonic() - began)

    def asks_all(self, questions: Sequence[str]) -> dict[str, Answer]:
        """Some at a time."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return dict(zip(questions, threads.map(self.asks, questions), strict=True))

    def desk_works(self) -> bool:
        """A customer wants a person, an agent takes them, both write, both are read."""
        customer = self.customer()
        if customer.asks_for_a_person() != 200:
            return False
        status, _ = self.agent.does(customer.conversation, "accept")
        replied, _ = self.agent.replies(customer.conversation, "hello")
        customer.says("thank you")
        return (status, replied) == (200, 202) and len(customer.events()) == 4

    def pages_work(self) -> bool:
        """The help centre's front, a search in it and an article."""
        return all(ask(self.port, path)[0] == 200 for path in ("/help", "/help?q=router", "/help/router-red-light"))

    def parts(self) -> dict[str, bool]:
        """What readyz says of each part."""
        status, content = ask(self.port, "/readyz")
        return {} if status is None else {name: part["ready"] for name, part in json.loads(content)["parts"].items()}


def right_questions(house: House, wanted: int | None, seed: int) -> dict[str, str]:
    """Questions of the shop that the whole kit answers right, with their articles; tried on a sample where a number is wanted."""
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    known = {line["question"]: line["article"] for line in lines if line["article"]}
    sample = list(known) if wanted is None else random.Random(seed).sample(list(known), wanted)
    return {question: known[question] for question, answer in house.asks_all(sample).items() if answer.article == known[question]}


def parts_away(folder: Path, states: Sequence[tuple[str, tuple[str, ...]]], sample: int | None, *, say: Callable[[str], None] = print) -> list[Row]:
    """Each state in turn: what is asked, who is told, and how soon all is as before."""
    with whole_kit(folder) as kit:
        house = House(kit)
        right = right_questions(house, sample, seed=1)
        seen = [_in_state(house, how, names, right) for how, names in states]
        snapshot = settled(kit)
        for one in seen:
            house.record.add(Recovery(one.name, one.back_s, BACK_WITHIN_S))
        found = violations(house.record, snapshot)
    for violation in found[:10]:
        say(f"  {violation}")
    for one in seen:
        slowest = max(answer.took_s for answer in one.answers.values())
        say(f"  {one.name}: flagged after {one.flagged_s:.1f} s, slowest answer {slowest:.1f} s, back after {one.back_s:.1f} s")
    return [*_answered_rows(seen, right), *_rows(seen, [violation for violation in found if violation.invariant != "I7"])]


def _answered_rows(seen: Sequence[State], right: dict[str, str]) -> Iterator[Row]:
    """How many of the questions that are normally answered right still are, where search is there."""
    for one in seen:
        if "search" in one.name:
            continue
        still = sum(answer.article == right[question] for question, answer in one.answers.items())
        share = still / len(one.answers)
        over = f"{len(one.answers)} questions that are normally answered right"
        yield row(f"{one.name}: still answered right", "≥ 95 %", f"{share:.1%}", over, met=share >= LEAST_STILL_RIGHT)


def _rows(seen: Sequence[State], found: Sequence[object]) -> list[Row]:
    answers = [answer for one in seen for answer in one.answers.values()]
    silent = sum(answer.outcome is None for answer in answers)
    slowest, flagged = max(answer.took_s for answer in answers), max(one.flagged_s for one in seen)
    back = max(one.back_s for one in seen)
    alive, kept = sum(one.alive for one in seen), sum(one.pages and one.desk for one in seen)
    states = f"{len(seen)} states of parts down or hanging"
    over = f"{len(answers)} messages in {states}"
    return [
        row("parts away: messages that ended in silence", "0", str(silent), over, met=not silent),
        row("parts away: slowest end of a message", "≤ 10 s", f"{slowest:.1f} s", over, met=slowest <= ENDS_WITHIN_S),
        row("parts away: named by readyz", "≤ 10 s", f"{flagged:.1f} s", states, met=flagged <= FLAGGED_WITHIN_S),
        row("parts away: healthz stays 200", f"{len(seen)}", f"{alive}", states, met=alive == len(seen)),
        row("parts away: help centre and desk go on", f"{len(seen)}", f"{kept}", states, met=kept == len(seen)),
        row("parts away: normal again after their return", "≤ 5 s", f"{back:.1f} s", states, met=back <= BACK_WITHIN_S),
        row("parts away: invariants broken", "0", str(len(found)), over, met=not found),
    ]


def _in_state(house: House, how: str, names: tuple[str, ...], right: dict[str, str]) -> State:
    kit = house.kit
    for name in names:
        kit.control.stop(name) if how == DOWN else kit.kill(name, signal.SIGSTOP)
    began, flagged_s = time.monotonic(), float("inf")
    questions = list(right) if how == DOWN and "search" not in names else list(right)[:12]
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(house.asks_all, questions)
        alive = True
        while not asked.done() or (flagged_s == float("inf") and time.monotonic() - began < 15):
            parts = house.parts()
            if flagged_s == float("inf") and parts and all(not parts[name] for name in names):
                flagged_s = time.monotonic() - began
            alive = alive and ask(house.port, "/healthz")[0] == 200
            time.sleep(0.25)
    desk, pages = house.desk_works(), house.pages_work()
    back_s = _bring_back(house, how, names)
    return State(f"{' + '.join(names)} {how}", asked.result(), flagged_s, alive, pages, desk, back_s)


def _bring_back(house: House, how: str, names: tuple[str, ...]) -> float:
    """From the return of the last part (it listens again) until readyz is 200 and a question has its usual answer."""
    kit = house.kit
    for name in names:
        kit.control.start(name) if how == DOWN else kit.kill(name, signal.SIGCONT)
    give_up = time.monotonic() + 90
    while not all(kit.listening()[name] for name in names) and time.monotonic() < give_up:
        time.sleep(0.05)
    returned = time.monotonic()
    while time.monotonic() < give_up:
        if all(house.parts().values()) and house.asks(CANARY).outcome == "answered":
            return time.monotonic() - returned
        time.sleep(0.1)
    return float("inf")


def settled(kit: RunningKit) -> Snapshot:
    """The database when every turn has ended, or when it should have."""
    database = kit.var / "touchdesk.sqlite"
    give_up = time.monotonic() + 30
    while True:
        snapshot = read_snapshot(database)
        if all(turn["status"] == "done" for turn in snapshot.turns) or time.monotonic() > give_up:
            return snapshot
        time.sleep(0.2)


def answers_badly(folder: Path, *, say: Callable[[str], None] = print) -> list[Row]:
    """The action server, then search, replaced by one that hangs, drips, answers junk or 50 MB, beside the real others."""
    rows = []
    for part, others, ways in (("actions", ("search", "rasa", "web"), ACTIONS_WAYS), ("search", ("actions", "rasa", "web"), SEARCH_WAYS)):
        with whole_kit(folder / part, only=others) as kit:
            port = kit.settings.actions_port if part == "actions" else kit.settings.search_port
            with neighbours(port) as server:
                _wait_listening(kit)
                rows += _bad_rows(part, kit, server, ways, say)
    return rows


def _wait_listening(kit: RunningKit) -> None:
    give_up = time.monotonic() + 90
    while not all(kit.listening().values()):
        assert time.monotonic() < give_up, kit.listening()
        time.sleep(0.2)


def _bad_rows(part: str, kit: RunningKit, server: Neighbours, ways: Sequence[str], say: Callable[[str], None]) -> list[Row]:
    house, answers = House(kit), []
    questions = [CANARY, "where is my parcel", "hello", "I want to talk to a person", "how do I send something back", "thanks"]
    server.search = "500"
    house.asks_all(questions)
    before, most = _memory_mb(kit), 0.0
    for way in ways:
        server.search = way
        got = list(house.asks_all(questions).values())
        answers += got
        most = max(most, _memory_mb(kit) - before)
        say(f"  {part} {way}: {max(answer.took_s for answer in got):.1f} s, {sorted({str(answer.outcome) for answer in got})}")
    slowest, silent = max(answer.took_s for answer in answers), sum(answer.outcome is None for answer in answers)
    over = f"{len(answers)} messages under {len(ways)} ways of {part} to misbehave"
    return [
        row(f"{part} answers badly: silent messages", "0", str(silent), over, met=not silent),
        row(f"{part} answers badly: slowest end of a message", "≤ 10 s", f"{slowest:.1f} s", over, met=slowest <= ENDS_WITHIN_S),
        row(f"{part} answers badly: memory of all processes", "≤ +32 MiB", f"{most:+.0f} MiB", over, met=most <= MORE_MEMORY_MB),
    ]


def _memory_mb(kit: RunningKit) -> float:
    return sum(memory_mb(pid) for program in kit.programs if (pid := kit.pid(program.name)) is not None)


def without_model(folder: Path) -> list[Row]:
    """Rasa runs and has no model: readyz says so, and search answers in its place."""
    settings = trial_settings(folder, admin_email=EMAIL, admin_password=PASSWORD)
    copy_prepared(read_settings().var, settings.var)
    shutil.rmtree(settings.var / "rasa" / "models")
    (settings.var / "rasa" / "models").mkdir()
    with RunningKit(settings, prepared=read_settings().var) as kit:
        give_up = time.monotonic() + 60
        while not (kit.listening()["web"] and kit.listening()["search"]) and time.monotonic() < give_up:
            time.sleep(0.2)
        house = House(kit)
        answers = house.asks_all([CANARY, "where is my parcel", "xyzzy plugh", "I forgot my password"])
        time.sleep(6)
        parts, alive = house.parts(), ask(house.port, "/healthz")[0]
    silent, slowest = sum(answer.outcome is None for answer in answers.values()), max(answer.took_s for answer in answers.values())
    told = f"{silent} silent, slowest {slowest:.1f} s, rasa {'ready' if parts.get('rasa') else 'not ready'}, healthz {alive}"
    met = not silent and slowest <= ENDS_WITHIN_S and parts.get("rasa") is False and parts.get("search") is True and alive == 200
    wanted = "0 silent, ≤ 10 s, rasa not ready, healthz 200"
    return [row("Rasa without a model", wanted, told, f"{len(answers)} messages", met=met)]
