"""What the API refuses: each refusal has the one shape, with a status and a code that are described."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from desk.model import TEXT_LIMIT
from tests.contract.described import Caller, Description
from tests.contract.kit_stand_in import SHOP
from tests.contract.people import Customer, desk_path, refusal, signed_in
from touchpoints.intake import MOST
from widget.app import create_app
from widget.services import Services, build_services


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/messages", {"client_id": "a b", "text": "hello"}, (422, "invalid")),
        ("/messages", {"client_id": "a", "text": "  "}, (422, "invalid")),
        ("/messages", {"client_id": "a", "text": "a" * (TEXT_LIMIT + 1)}, (413, "too_large")),
        ("/messages", {"client_id": "a", "payload": "/request_person"}, (422, "invalid")),
        ("/messages", {"client_id": "a", "text": "a" * 70_000}, (413, "too_large")),
        ("/messages", [], (422, "invalid")),
        ("/handoff", {"reason": 7}, (422, "invalid")),
        ("/survey", {"question": "csat", "score": 5}, (422, "invalid")),
        ("/survey", {"question": "csat", "score": 5, "comment": "a" * 2001}, (413, "too_large")),
        ("/survey", {"question": "why", "score": 5}, (422, "invalid")),
    ],
)
def test_what_a_customer_may_not_send(customer: Customer, path: str, body: Any, expected: tuple[int, str]) -> None:
    """Each refused in the one shape, with a status and a code that are described."""
    assert refusal(customer.call("POST", path, body)) == expected


@pytest.mark.parametrize("path", ["", "/messages", "/handoff", "/survey"])
def test_bodies_that_cannot_be_read(customer: Customer, path: str) -> None:
    """Broken JSON and another media type."""
    calls, target = customer.calls, f"/api/conversations/{customer.id}{path}" if path else "/api/conversations"
    assert refusal(calls.call("POST", target, data=b"{", content_type="application/json")) == (400, "bad_request")
    assert refusal(calls.call("POST", target, data=b"text=hello", content_type="text/plain")) == (415, "unsupported_media_type")


def test_a_client_id_used_twice_and_a_closed_conversation(customer: Customer) -> None:
    """409 for what does not fit the conversation's state."""
    customer.call("POST", "/messages", {"client_id": "a", "text": "hello"})
    assert refusal(customer.call("POST", "/messages", {"client_id": "a", "text": "goodbye"})) == (409, "client_id_reused")
    assert [customer.call("POST", "/close").json["owner"] for _ in range(2)] == ["closed", "closed"]
    assert refusal(customer.call("POST", "/messages", {"client_id": "b", "text": "hello"})) == (409, "conversation_closed")
    assert refusal(customer.call("POST", "/handoff")) == (409, "conversation_closed")
    assert refusal(customer.call("POST", "/cancel-handoff")) == (409, "conversation_closed")
    customer.call("POST", "/survey", {"question": "csat", "score": 5})
    assert refusal(customer.call("POST", "/survey", {"question": "csat", "score": 1})) == (409, "conflict")


CUSTOMER_CALLS = [
    ("GET", ""),
    ("GET", "/events"),
    *(("POST", path) for path in ("/messages", "/handoff", "/cancel-handoff", "/close", "/typing", "/survey")),
]
GOOD_BODIES = {"/messages": {"client_id": "a", "text": "hello"}, "/survey": {"question": "csat", "score": 5}}


@pytest.mark.parametrize(("method", "path"), CUSTOMER_CALLS)
def test_no_token_and_anothers_conversation(customer: Customer, caller: Callable[[], Caller], method: str, path: str) -> None:
    """401 without a token, 404 with another visitor's."""
    target, body = f"/api/conversations/{customer.id}{path}", GOOD_BODIES.get(path)
    assert refusal(caller().call(method, target, body)) == (401, "unauthorized")
    assert refusal(Customer(caller()).calls.call(method, target, body)) == (404, "not_found")


def test_tokens_that_open_nothing(customer: Customer, services: Services, caller: Callable[[], Caller], description: Description) -> None:
    """An expired one is told apart from a forged one, since the client may say so."""
    for token in ("forged", f"{'a' * 3000}.b.c", "\u00e9"):
        stranger = caller()
        stranger.headers = {"Authorization": f"Bearer {token}"}
        assert refusal(stranger.call("POST", "/api/conversations", {})) == (401, "unauthorized")
        assert refusal(stranger.call("GET", "/api/conversations")) == (401, "unauthorized")
        assert refusal(stranger.call("GET", f"/api/conversations/{customer.id}/events")) == (401, "unauthorized")
    assert refusal(customer.calls.call("POST", "/api/conversations", {"continues": "nobody's"})) == (404, "not_found")


def test_a_token_that_has_expired(services: Services, description: Description) -> None:
    """It opens nothing, and a new conversation begins without it."""
    settings = replace(services.settings, token_days=1e-9)
    app = create_app(settings, replace(build_services(settings), database=services.database))
    customer = Customer(Caller(app.test_client(), app.url_map, description))
    time.sleep(1.1)  # a token is stamped in whole seconds
    assert refusal(customer.call("GET")) == (401, "token_expired")
    assert refusal(customer.calls.call("POST", "/api/conversations", {})) == (401, "token_expired")


@pytest.mark.parametrize("query", ["", "?q=%20", "?q=a&limit=0", "?q=a&limit=21", "?q=a&limit=some", "?q=%00"])
def test_searches_that_cannot_be_made(anyone: Caller, query: str) -> None:
    """Without words, or with a limit that is none."""
    assert refusal(anyone.call("GET", f"/api/search{query}")) == (422, "invalid")


def test_feedback_that_cannot_be_taken(anyone: Caller) -> None:
    """On an article that is not there, or without a verdict."""
    assert refusal(anyone.call("POST", "/api/articles/pigeons/feedback", {"helpful": True})) == (404, "not_found")
    assert refusal(anyone.call("POST", "/api/articles/router-red-light/feedback", {"helpful": "yes"})) == (422, "invalid")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "wait=31", "wait=1.5", "after=99999999999"])
def test_numbers_out_of_range(customer: Customer, agent: Caller, query: str) -> None:
    """Neither stream nor page begins from them."""
    assert refusal(customer.call("GET", f"/events?{query}")) == (422, "invalid")


STAFF_CALLS = [
    (method, path)
    for method, path in [
        ("GET", "/api/desk/conversations"),
        ("GET", "/api/desk/conversations/x"),
        *(("POST", f"/api/desk/conversations/x/{verb}") for verb in ("accept", "messages", "notes", "transfer", "return", "close", "typing")),
        ("PUT", "/api/desk/presence"),
        ("GET", "/api/desk/events"),
        ("POST", "/api/touchpoints"),
        ("GET", "/api/touchpoints"),
        ("GET", "/api/touchpoints/export"),
        ("POST", "/api/keys"),
        ("DELETE", "/api/keys/x"),
    ]
]


def test_what_is_for_staff_is_for_staff(anyone: Caller, editor: Caller, agent: Caller) -> None:
    """401 for anyone, 403 for another role and for a write without the session's second token."""
    for method, path in STAFF_CALLS:
        assert refusal(anyone.call(method, path)) == (401, "unauthorized"), path
        assert refusal(editor.call(method, path)) == (403, "forbidden"), path
    agent.headers = {}
    for method, path in STAFF_CALLS:
        if method != "GET":
            assert refusal(agent.call(method, path)) == (403, "forbidden"), path
    assert refusal(anyone.call("POST", "/api/session", {"email": "ada@shop.example", "password": "a guess"})) == (401, "wrong_credentials")


def test_what_agents_may_not_do(customer: Customer, agent: Caller) -> None:
    """404 for what is not there, 409 for what does not fit, 422 and 413 for what breaks a rule."""
    for method, path in STAFF_CALLS:
        if "/x" in path and (method, path) != ("GET", "/api/desk/conversations/x"):
            body = {"client_id": "a", "text": "hello", "resolution": "solved"}
            assert refusal(agent.call(method, path, body)) == (404, "not_found"), path
    for verb in ("transfer", "return", "typing"):
        assert refusal(agent.call("POST", desk_path(customer, f"/{verb}"))) == (409, "conflict")
    assert refusal(agent.call("POST", desk_path(customer, "/messages"), {"client_id": "a"})) == (422, "invalid")
    assert refusal(agent.call("POST", desk_path(customer, "/notes"), {"text": "a" * 8001})) == (413, "too_large")
    assert refusal(agent.call("POST", desk_path(customer, "/close"), {"resolution": "bored"})) == (422, "invalid")
    assert refusal(agent.call("GET", "/api/desk/conversations?owner=nobody")) == (422, "invalid")
    assert refusal(agent.call("PUT", "/api/desk/presence", {"away": "yes"})) == (422, "invalid")
    agent.call("POST", desk_path(customer, "/close"), {"resolution": "spam"})
    for verb in ("accept", "messages", "transfer", "return", "close", "typing"):
        body = {"client_id": "a", "text": "hello", "resolution": "solved"}
        assert refusal(agent.call("POST", desk_path(customer, f"/{verb}"), body)) == (409, "conversation_closed"), verb


def test_two_agents_at_one_conversation(customer: Customer, agent: Caller, services: Services, caller: Callable[[], Caller]) -> None:
    """The loser is told who has it."""
    account = {"email": f"bob-{customer.id}@shop.example", "password": "bobs password"}
    services.accounts.add(account["email"], "Bob", account["password"])
    bob = signed_in(caller(), account)
    agent.call("POST", desk_path(customer, "/accept"))
    for verb in ("accept", "messages", "transfer", "close"):
        answer = bob.call("POST", desk_path(customer, f"/{verb}"), {"client_id": "a", "text": "hello", "resolution": "solved"})
        assert refusal(answer) == (409, "already_taken")
        assert answer.json["error"]["detail"]["agent"]["name"] == "Ada"


@pytest.mark.parametrize("body", [{}, {"touchpoints": {}}, {"touchpoints": [{}] * (MOST + 1)}])
def test_calls_of_the_ledger_that_are_refused_whole(agent: Caller, body: Any) -> None:
    """What is no list, and a list that is too long."""
    assert refusal(agent.call("POST", "/api/touchpoints", body)) == (422, "invalid")


def test_the_ledgers_other_limits(agent: Caller) -> None:
    """A body above 1 MiB, a form that is none, a name that is too long."""
    assert refusal(agent.call("POST", "/api/touchpoints", {"touchpoints": ["a" * (1024 * 1024)]})) == (413, "too_large")
    assert refusal(agent.call("GET", "/api/touchpoints/export?format=pdf")) == (422, "invalid")
    assert refusal(agent.call("GET", "/api/touchpoints?limit=1001")) == (422, "invalid")
    assert refusal(agent.call("POST", "/api/keys", {"name": "a" * 101})) == (413, "too_large")


def test_a_locked_database_is_said_to_be_busy(customer: Customer, services: Services) -> None:
    """503 with the time to come back, and nothing is lost: the same message is taken later."""
    hello = {"client_id": "hello", "text": "hello"}
    with services.database.writing():
        answer = customer.call("POST", "/messages", hello)
    assert refusal(answer) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    assert customer.call("POST", "/messages", hello).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "expected"), [("GET", "/api/pigeons", (404, "not_found")), ("PATCH", "/api/conversations", (405, "method_not_allowed"))]
)
def test_what_is_no_call_has_the_same_shape(app: Flask, description: Description, method: str, path: str, expected: tuple[int, str]) -> None:
    """So a client needs one way of reading errors."""
    answer = app.test_client().open(path, method=method)
    assert refusal(answer) == expected
    assert description.faults(description.schema("Error"), answer.json) == []
    assert ("Allow" in answer.headers) == (answer.status_code == 405)


def test_other_sites_may_call_what_customers_call(app: Flask) -> None:
    """Listed sites only, the customers' calls only, and never with cookies."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    client = app.test_client()
    allowed = client.options("/api/conversations", headers={"Origin": SHOP, **asked})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert "Authorization" in allowed.headers["Access-Control-Allow-Headers"]
    for path, origin in (("/api/conversations", "https://thief.example"), ("/api/session", SHOP), ("/api/desk/conversations", SHOP)):
        answer = client.options(path, headers={"Origin": origin, **asked})
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in allowed.headers
