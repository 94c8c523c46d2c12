"""schemathesis over the description of the API: calls that fit it and calls that do not, with every check, against the running app."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis import openapi as described
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from tests.security.people import People
from widget.operations import OPENAPI

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
LONGEST_WAIT_S = 30
ROLE_OF_TAG = {"chat": "this customer", "desk": "agent", "session": "agent", "account": "editor", "journey": "administrator"}
LEFT_OUT = frozenset({"ensure_resource_availability", "use_after_free"})
"""Checks of sequences of calls, which single calls do not have."""


MEANT = {
    ("POST /api/conversations/{conversation_id}/messages", 422),
    ("POST /api/conversations/{conversation_id}/survey", 422),
    ("PUT /api/account/password", 422),
}


@dataclass
class Conformance:
    """How many calls were made, to how many operations, and what was wrong with the answers."""

    calls: int = 0
    operations: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def document() -> dict[str, Any]:
    """The description without its answers for anything unforeseen: a status that is not named counts as undocumented."""
    whole: dict[str, Any] = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))
    for operation in _operations(whole):
        operation["responses"].pop("default", None)
    return whole


def _operations(whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for item in whole["paths"].values():
        yield from (operation for operation in item.values() if isinstance(operation, dict))


def _for_generating(description: Mapping[str, Any], mode: GenerationMode) -> dict[str, Any]:
    """Credentials are ours to give. Calls that fit have only the fields that are named; in others there could be what no body may hold."""
    whole = copy.deepcopy(dict(description))
    for operation in _operations(whole):
        operation.pop("security", None)
    if mode is GenerationMode.POSITIVE:
        for name, schema in whole["components"]["schemas"].items():
            if name.endswith("Request") and "properties" in schema:
                schema["additionalProperties"] = False
    return whole


def called(people: People, examples: int, seeded: int = 1, description: Mapping[str, Any] | None = None) -> Conformance:
    """Make so many calls of each kind to each operation, and one without credentials to each that asks for some."""
    done, whole = Conformance(), description or document()
    checks = [CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in LEFT_OUT]
    for mode in MODES:
        for found in described.from_dict(_for_generating(whole, mode)).get_all_operations():
            operation = found.ok()
            done.operations += mode is GenerationMode.POSITIVE
            for number, case in enumerate(_cases(operation, mode, examples, seeded)):
                _call(people, case, mode, checks, done)
                if mode is GenerationMode.POSITIVE and number == 0:
                    _call_as_nobody(people, case, whole, done)
    return done


def _call_as_nobody(people: People, case: Case, whole: Mapping[str, Any], done: Conformance) -> None:
    security = whole["paths"][case.operation.path][case.method.lower()].get("security", [])
    if security and {} not in security:
        done.calls += 1
        answer = case.call(base_url=people.served.url, timeout=60)
        if answer.status_code not in (401, 403):
            done.faults[f"{case.operation.label} without credentials"] = f"answered {answer.status_code}"


def _cases(operation: Any, mode: GenerationMode, examples: int, seeded: int) -> Iterator[Case]:
    """Cases made up front, so that a fault in one does not set hypothesis off to shrink it over the network."""
    cases: list[Case] = []

    @seed(seeded)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def gather(case: Case) -> None:
        cases.append(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a generator thinks of its own strategies
        try:
            gather()
        except Unsatisfiable:
            return iter(())  # a call without any input cannot be made wrongly
    return iter(cases)


def _call(people: People, case: Case, mode: GenerationMode, checks: list[Any], done: Conformance) -> None:
    tag = case.operation.tags[0] if case.operation.tags else ""
    headers = people.headers[ROLE_OF_TAG.get(tag, "nobody")]
    _stay_here(people, case, mode)
    done.calls += 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = case.call(base_url=people.served.url, headers=dict(headers), timeout=60)
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return  # cannot be sent at all
        done.statuses[answer.status_code] = done.statuses.get(answer.status_code, 0) + 1
        try:
            case.validate_response(answer, checks=checks, headers=dict(headers))
        except FailureGroup as group:
            for failure in group.exceptions:
                if _is_meant(case, type(failure).__name__, answer):
                    continue
                key = f"{case.operation.label} {type(failure).__name__} {answer.status_code}"
                done.faults.setdefault(key, f"{failure} · {_sent(case)} · {answer.text[:200]}")


def _is_meant(case: Case, kind: str, answer: Any) -> bool:
    """What a schema cannot say: choices offered, surveys asked, breached passwords, who signed; too long is 413; entries are refused one by one."""
    label, status = case.operation.label, answer.status_code
    if kind == "RejectedPositiveData":
        signed = label == "POST /api/conversations" and isinstance(case.body, dict) and case.body.get("identity") is not None
        return (label, status) in MEANT or (signed and status == 422)
    if kind == "AcceptedNegativeData":
        return status == 413 or (label == "POST /api/touchpoints" and status == 200 and bool(answer.json()["refused"]))
    return False


def _stay_here(people: People, case: Case, mode: GenerationMode) -> None:
    """Fitting calls go to a conversation that is there; nobody waits for half a minute; nobody signs out."""
    if "conversation_id" in (case.path_parameters or {}) and mode is GenerationMode.POSITIVE:
        desk = case.operation.path.startswith("/api/desk")
        case.path_parameters["conversation_id"] = people.conversation("this customer", "agent" if desk else None)
    if isinstance(case.query, dict) and isinstance(case.query.get("wait"), int) and 0 < case.query["wait"] <= LONGEST_WAIT_S:
        case.query["wait"] = 0
    if case.method == "DELETE" and case.operation.path == "/api/session":
        people.headers["agent"] = people.another_session("agent")


def _sent(case: Case) -> str:
    return json.dumps([case.method, case.formatted_path, case.query, case.body], default=repr)[:400]
