"""Every route × seven roles × own, other's, absent: what each is answered, and whether it is what they may have."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask

from tests.security.people import CANARIES, Answer, People, nobodys_id
from tests.security.routes import DESK, ROLES, ROUTES, TARGETS, Route, allowed, refusals

UNSPOKEN = frozenset({"date", "content-length", "server"})
FILES = {
    "/help/media/<path:name>": ("router.png", "../general/secret.png", "nothing.png"),
    "/desk/static/<path:filename>": ("desk.css", "../api.py", "nothing.css"),
    "/help/static/<path:filename>": ("help.css", "../pages.py", "nothing.css"),
    "/static/<path:filename>": ("tokens.css", "../app.py", "nothing.css"),
    "/widget/<path:name>": ("support-chat.js", "../api.py", "nothing.js"),
    "/shop/<path:name>": ("shop.css", "../pages.py", "nothing.css"),
}
SLUGS = ("router-red-light", "only-for-agents", "no-such-article")


@dataclass(frozen=True)
class Cell:
    """One question to the app."""

    method: str
    rule: str
    route: Route
    role: str
    target: str

    def __str__(self) -> str:
        stream = " as a stream" if self.route.accept != "*/*" else ""
        return f"{self.method} {self.rule}{self.route.query}{stream}, {self.role}, {self.target}"


@dataclass
class Matrix:
    """The answers to all cells and what is wrong with them."""

    cells: int = 0
    faults: list[str] | None = None

    def __post_init__(self) -> None:
        self.faults = self.faults if self.faults is not None else []

    def add(self, cells: int, faults: list[str]) -> None:
        self.cells += cells
        assert self.faults is not None
        self.faults += faults


def rules_of(app: Flask) -> set[tuple[str, str]]:
    """Every method of every rule; HEAD and OPTIONS come with GET."""
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or ()) - {"HEAD", "OPTIONS"}}


def unlisted(app: Flask) -> list[str]:
    """Routes that the table does not know, and lines of the table that are no route."""
    found, listed = rules_of(app), set(ROUTES)
    return [f"{method} {rule} is not in the matrix" for method, rule in sorted(found - listed)] + [
        f"{method} {rule} is no route" for method, rule in sorted(listed - found)
    ]


def asked(people: People, only: tuple[str, str] | None = None) -> Matrix:
    """Ask every cell, or those of one route."""
    matrix = Matrix()
    for (method, rule), routes in ROUTES.items():
        if only in (None, (method, rule)):
            for route in routes:
                matrix.add(len(ROLES) * len(TARGETS), list(_faults_of(people, method, rule, route)))
    return matrix


def _faults_of(people: People, method: str, rule: str, route: Route) -> Iterator[str]:
    shared = _targets(people, rule, "nobody", route)
    for role in sorted(ROLES, key=lambda role: allowed(route, role)):  # those who may change something come last
        targets = _targets(people, rule, role, route) if allowed(route, role) else shared
        answers: dict[str, Answer] = {}
        for target in reversed(TARGETS):
            cell = Cell(method, rule, route, role, target)
            if route.door == "guess":
                people.forget_tries()  # after ten all are refused alike, whoever they guess at
            before = people.stored(list(shared.values())) if _has_conversation(rule) else None
            answers[target] = _ask(people, cell, targets[target])
            yield from _wrong_answer(people, cell, answers[target])
            if before is not None and targets is shared and people.stored(list(shared.values())) != before:
                yield f"{cell}: changed what is stored"
        others, absent = (_expected(Cell(method, rule, route, role, target)) for target in ("other's", "absent"))
        if others == absent and others[0] >= 400:
            yield from _told_apart(Cell(method, rule, route, role, "other's"), answers, targets)


def _has_conversation(rule: str) -> bool:
    return "<conversation_id>" in rule


def _expected(cell: Cell) -> tuple[int, ...]:
    if not allowed(cell.route, cell.role):
        return refusals(cell.route, cell.role, cell.target)
    return cell.route.done.get(cell.target, cell.route.done["own"])


def _wrong_answer(people: People, cell: Cell, answer: Answer) -> Iterator[str]:
    if answer.status not in _expected(cell):
        yield f"{cell}: answered {answer.status}, not {_expected(cell)}"
    spoken = answer.body.decode("utf-8", "replace") + repr(answer.headers)
    for canary in set(CANARIES) - set(people.may_read(cell.role)):
        if canary in spoken:
            yield f"{cell}: told {canary}"
    if "Traceback" in spoken:
        yield f"{cell}: answered with a traceback"


def _told_apart(cell: Cell, answers: dict[str, Answer], targets: dict[str, str]) -> Iterator[str]:
    others, absent = (_blurred(answers[target], targets[target]) for target in ("other's", "absent"))
    if others != absent:
        yield f"{cell}: can be told from what is absent: {others} and {absent}"


def told_apart(people: People, role: str, there: str, absent: str) -> list[str]:
    """What two refused addresses differ in for somebody of this role."""
    answers = [_blurred(people.wire.ask("GET", path, None, people.headers[role]), path) for path in (there, absent)]
    return [] if answers[0] == answers[1] else [f"{answers[0]} and {answers[1]}"]


def _blurred(answer: Answer, target: str) -> tuple[Any, ...]:
    """An answer without what differs by nature: the time, and the address that was asked for."""
    headers = sorted((name.lower(), value.replace(target, "…")) for name, value in answer.headers if name.lower() not in UNSPOKEN)
    return answer.status, headers, answer.body.replace(target.encode(), "…".encode())


def _targets(people: People, rule: str, role: str, route: Route) -> dict[str, str]:
    """What own, other's and absent are in a route's address, for somebody of this role."""
    if rule in FILES:
        return dict(zip(TARGETS, FILES[rule], strict=True))
    if "<slug>" in rule:
        return dict(zip(TARGETS, SLUGS, strict=True))
    if "{words}" in route.query:
        return dict(zip(TARGETS, ("router", "the key under the mat", "pigeons"), strict=True))
    if route.door == "guess":
        return {"own": f"{role}@desk.example", "other's": "editor@desk.example", "absent": "nobody@desk.example"}
    if "<key_id>" in rule:
        return {"own": people.api_key("administrator"), "other's": people.api_key("another administrator"), "absent": nobodys_id()}
    if "<session_id>" in rule:
        own = role if role in people.staff else "agent"
        return {"own": people.another_session_id(own), "other's": people.another_session_id("another agent"), "absent": nobodys_id()}
    if not _has_conversation(rule) and "{id}" not in route.query and route.door != "continuing":
        return dict.fromkeys(TARGETS, "")
    return {**_conversations(people, rule, role), "absent": nobodys_id()}


def _conversations(people: People, rule: str, role: str) -> dict[str, str]:
    if "/desk/" in rule:
        mine = role if role in DESK else "another agent"
        own = people.conversation("this customer", queued=True) if rule.endswith("/accept") else people.conversation("this customer", mine)
        return {"own": own, "other's": people.conversation("this customer", "another agent")}
    mine, others = ("another customer", "this customer") if role == "another customer" else ("this customer", "another customer")
    if role != "this customer":
        others = "this customer"
    return {"own": people.conversation(mine), "other's": people.conversation(others)}


def _ask(people: People, cell: Cell, target: str) -> Answer:
    path = cell.rule + cell.route.query.replace("{id}", target).replace("{words}", quote(target))
    for name in ("<conversation_id>", "<key_id>", "<session_id>", "<slug>", "<path:name>", "<path:filename>"):
        path = path.replace(name, target)
    headers = {**_headers(people, cell), "Accept": cell.route.accept}
    body = None
    if cell.route.body is not None:
        body = json.dumps(cell.route.body).replace("{id}", target).replace("{email}", target).encode()
        headers["Content-Type"] = "application/json"
    return people.wire.ask(cell.method, path, body, headers)


def _headers(people: People, cell: Cell) -> dict[str, str]:
    """A session that is about to be ended is a new one, since the others are still needed."""
    if (cell.method, cell.rule) == ("DELETE", "/api/session") and cell.role in people.staff:
        return people.another_session(cell.role)
    return people.headers[cell.role]


def timing(people: People, method: str, rule: str, role: str, rounds: int) -> float:
    """How far the times of other's and absent lie apart, as a share of the longer; the two are asked by turns.

    Compared are the lower quartiles: what else the machine does only ever adds to a time, and adds to both.
    """
    route = ROUTES[(method, rule)][0]
    targets = _targets(people, rule, role, route)
    took: dict[str, list[float]] = {"other's": [], "absent": []}
    for number in range(rounds + 10):
        for target in ("other's", "absent") if number % 2 else ("absent", "other's"):
            answer = _ask(people, Cell(method, rule, route, role, target), targets[target])
            if number >= 10:
                took[target].append(answer.took_s)
    others, absent = (statistics.quantiles(took[target], n=4)[0] for target in ("other's", "absent"))
    return abs(others - absent) / max(others, absent)
