"""Every route of the app with who may use it: the table that the matrix is made from. A route that is not here fails the build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PASSWORD = "correct horse battery"
"""Of everybody in the matrix."""
ROLES = ("nobody", "another customer", "this customer", "expired token", "agent", "editor", "administrator")
TARGETS = ("own", "other's", "absent")

CUSTOMERS = ("another customer", "this customer")
DESK = ("agent", "administrator")
ADMINISTRATORS = ("administrator",)
STAFF = ("agent", "editor", "administrator")


@dataclass(frozen=True)
class Route:
    """One method of one rule.

    ``door`` says whose credentials open it; ``done`` are the statuses for whoever may, by target. A ``reads`` route changes nothing.
    """

    door: str
    body: Mapping[str, Any] | None = None
    done: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: {"own": (200,), "other's": (200,), "absent": (200,)})
    query: str = ""
    accept: str = "*/*"


def _one(*own: int, others: int = 404, absent: int = 404) -> dict[str, tuple[int, ...]]:
    return {"own": own, "other's": (others,), "absent": (absent,)}


def _all(*statuses: int) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(TARGETS, statuses)


_MESSAGE = {"client_id": "from-the-matrix", "text": "let me in"}
_C = "/api/conversations/<conversation_id>"
_D = "/api/desk/conversations/<conversation_id>"
_TOUCHPOINT = {"id": "matrix-1", "customer": "c-1", "kind": "purchase", "stage": "purchase", "channel": "web", "at": "2026-11-21T19:00:00Z"}
STREAM = "text/event-stream"

ROUTES: dict[tuple[str, str], tuple[Route, ...]] = {
    # the customers' API: own conversations only
    ("POST", "/api/conversations"): (Route("anyone or customer", {}, {"own": (201,)}), Route("continuing", {"continues": "{id}"}, _one(201))),
    ("GET", "/api/conversations"): (Route("customer", done=_all(200)),),
    ("GET", _C): (Route("customer", done=_one(200)),),
    ("POST", _C + "/messages"): (Route("customer", _MESSAGE, _one(202)),),
    ("GET", _C + "/events"): (
        Route("customer", done=_one(200)),
        Route("customer", done=_one(200), query="?wait=1&after=0"),
        Route("customer", done=_one(200), accept=STREAM),
    ),
    ("POST", _C + "/handoff"): (Route("customer", {}, _one(200)),),
    ("POST", _C + "/cancel-handoff"): (Route("customer", {}, _one(200, 409)),),
    ("POST", _C + "/typing"): (Route("customer", {}, _one(204)),),
    ("POST", _C + "/survey"): (Route("customer", {"question": "csat", "score": 5}, _one(422)),),  # nobody has asked yet
    ("POST", _C + "/close"): (Route("customer", {}, _one(200)),),
    # the desk: every conversation to read, those one holds to write
    ("GET", "/api/desk/conversations"): (Route("desk", done=_all(200)), Route("desk", done=_all(200), query="?owner=agent")),
    ("GET", _D): (Route("desk", done=_one(200, others=200)),),
    ("POST", _D + "/accept"): (Route("desk", {}, _one(200, others=409)),),
    ("POST", _D + "/messages"): (Route("desk", _MESSAGE, _one(202, others=409)),),
    ("POST", _D + "/notes"): (Route("desk", {"text": "seen"}, _one(201, others=201)),),
    ("POST", _D + "/transfer"): (Route("desk", {"note": "yours"}, _one(200, others=409)),),
    ("POST", _D + "/return"): (Route("desk", {}, _one(200, others=409)),),
    ("POST", _D + "/typing"): (Route("desk", {}, _one(204, others=409)),),
    ("POST", _D + "/close"): (Route("desk", {"resolution": "solved"}, _one(200, others=409)),),
    ("PUT", "/api/desk/presence"): (Route("desk", {"away": False}, _all(200)),),
    ("GET", "/api/desk/events"): (
        Route("desk", done=_all(200), query="?after=0"),
        Route("desk", done=_all(200), query="?after=0", accept=STREAM),
    ),
    # staff
    ("GET", "/api/session"): (Route("staff", done=_all(200)),),
    ("POST", "/api/session"): (Route("guess", {"email": "{email}", "password": "a guess"}, _all(401)),),
    ("DELETE", "/api/session"): (Route("staff", done={"own": (204,)}),),
    # staff, about their own account
    ("PUT", "/api/account/password"): (Route("staff", {"current": "a guess", "new": "short"}, _all(422)),),  # refused before it is a try
    ("GET", "/api/account/sessions"): (Route("staff", done=_all(200)),),
    ("POST", "/api/account/sessions/<session_id>/end"): (Route("staff", {"password": PASSWORD}, _one(204)),),
    ("POST", "/api/account/sessions/end-others"): (Route("staff", {"password": PASSWORD}, _all(204)),),
    # the ledger and its keys
    ("POST", "/api/touchpoints"): (Route("administrator", {"touchpoints": [_TOUCHPOINT]}, _all(200)),),
    ("GET", "/api/touchpoints"): (Route("administrator", done=_all(200), query="?conversation={id}"),),
    ("GET", "/api/touchpoints/export"): tuple(Route("administrator", done=_all(200), query=f"?format={form}") for form in ("csv", "jsonl", "xes")),
    ("POST", "/api/keys"): (Route("administrator", {"name": "matrix"}, _all(201)),),
    ("DELETE", "/api/keys/<key_id>"): (Route("administrator", done=_one(204, others=204)),),
    # for anyone; what is not public is as if it were not there
    ("GET", "/api/search"): (Route("anyone", done=_all(200), query="?q={words}"),),
    ("GET", "/help"): (Route("anyone", done=_all(200)), Route("anyone", done=_all(200), query="?q={words}")),
    ("GET", "/help/<slug>"): (Route("anyone", done=_one(200)),),
    ("POST", "/api/articles/<slug>/feedback"): (Route("anyone", {"helpful": True}, _one(204)),),
    ("GET", "/help/media/<path:name>"): (Route("anyone", done=_one(200)),),
    ("GET", "/"): (Route("anyone", done=_all(302)),),
    ("GET", "/favicon.ico"): (Route("anyone", done=_all(200)),),
    ("GET", "/api/brand"): (Route("anyone", done=_all(200)),),
    ("GET", "/api/openapi.json"): (Route("anyone", done=_all(200)),),
    ("GET", "/brand/logo"): (Route("anyone", done=_all(200)),),
    ("GET", "/desk"): (Route("anyone", done=_all(200)),),
    ("GET", "/healthz"): (Route("anyone", done=_all(200)),),
    ("GET", "/readyz"): (Route("anyone", done=_all(200, 503)),),
    ("GET", "/metrics"): (Route("anyone", done=_all(200)),),
    ("GET", "/shop"): (Route("anyone", done=_all(302)),),
    ("GET", "/shop/"): (Route("anyone", done=_all(200)),),
    ("GET", "/static/brand.css"): (Route("anyone", done=_all(200)),),
    ("GET", "/desk/static/<path:filename>"): (Route("anyone", done=_one(200)),),
    ("GET", "/help/static/<path:filename>"): (Route("anyone", done=_one(200)),),
    ("GET", "/static/<path:filename>"): (Route("anyone", done=_one(200)),),
    ("GET", "/widget/<path:name>"): (Route("anyone", done=_one(200)),),
    ("GET", "/shop/<path:name>"): (Route("anyone", done=_one(200)),),
}


def allowed(route: Route, role: str) -> bool:
    """Whether somebody of this role may pass the door at all."""
    doors = {
        "anyone": ROLES,
        "guess": ROLES,
        "anyone or customer": tuple(role for role in ROLES if role != "expired token"),
        "continuing": CUSTOMERS,
        "customer": CUSTOMERS,
        "desk": DESK,
        "staff": STAFF,
        "administrator": ADMINISTRATORS,
    }
    return role in doors[route.door]


def refusals(route: Route, role: str, target: str) -> tuple[int, ...]:
    """How somebody is turned away who may not pass: 401 for want of a credential, 403 for the wrong one of the staff's."""
    if route.door == "continuing":  # without a token a new visitor begins, who owns nothing
        return (401,) if role == "expired token" else (404,)
    if route.door in ("desk", "administrator") and role in STAFF:
        return (403,)
    return (401,)
