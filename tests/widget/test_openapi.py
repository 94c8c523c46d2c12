"""The description of the API says what the app does: every call, every closed list and limit, and real answers held against it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from desk import exceptions as desk
from desk.lifecycle import CHANGES
from desk.model import EVENT_TYPES, OUTCOMES, OWNERS, RESOLUTIONS, STAFF_ROLES, SURVEY_QUESTIONS, TEXT_LIMIT
from desk.store.conversations import EVENTS_PAGE
from tests.widget.described import Caller, Description, frames, template
from tests.widget.kit_stand_in import ADMINISTRATOR, EDITOR, SHOP, Neighbours, neighbours, web_services
from touchpoints.intake import MOST
from touchpoints.model import ACTORS, CHANNELS, KINDS, STAGES
from widget import errors
from widget.app import create_app
from widget.chat.api import LONGEST_WAIT_S
from widget.help.api import MOST_HITS
from widget.services import Services, build_services

API = ("/api/", "/healthz", "/readyz", "/metrics")
QUESTION = "my router has a red light"


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbours]:
    with neighbours() as server:
        yield server


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, around: Neighbours) -> Iterator[Services]:
    """One app for all, since its accounts take time to make; every test has conversations of its own."""
    with web_services(tmp_path_factory.mktemp("var"), around) as built:
        yield built


@pytest.fixture(scope="module")
def app(services: Services) -> Flask:
    return create_app(services.settings, services)


@pytest.fixture
def caller(app: Flask, description: Description) -> Callable[[], Caller]:
    """Makes clients; each has its own cookies, and holds every answer it gets against the description."""
    return lambda: Caller(app.test_client(), app.url_map, description)


@pytest.fixture
def anyone(caller: Callable[[], Caller]) -> Caller:
    return caller()


class Customer:
    """A visitor with a conversation."""

    def __init__(self, calls: Caller, **start: Any) -> None:
        begun = calls.call("POST", "/api/conversations", start)
        self.calls = calls
        self.id: str = begun.json["conversation"]["id"]  # type: ignore[index]
        calls.headers = {"Authorization": f"Bearer {begun.json['token']}"}  # type: ignore[index]

    def call(self, method: str, path: str = "", body: Any = None, **arguments: Any) -> Any:
        return self.calls.call(method, f"/api/conversations/{self.id}{path}", body, **arguments)

    def says(self, text: str) -> int:
        """Say something and wait for the answer; the number of the answer."""
        seq: int = self.call("POST", "/messages", {"client_id": secrets.token_urlsafe(8), "text": text}).json["seq"]
        events = self.call("GET", f"/events?after={seq}&wait=10").json["events"]
        assert events, "no answer came"
        return int(events[-1]["seq"])


@pytest.fixture
def customer(caller: Callable[[], Caller]) -> Customer:
    return Customer(caller(), page=f"{SHOP}/routers", locale="en-GB")


def signed_in(calls: Caller, account: dict[str, str]) -> Caller:
    session = calls.call("POST", "/api/session", account)
    calls.headers = {"X-CSRF-Token": session.json["csrf_token"]}  # type: ignore[index]
    return calls


@pytest.fixture
def agent(caller: Callable[[], Caller]) -> Caller:
    return signed_in(caller(), ADMINISTRATOR)


@pytest.fixture
def editor(caller: Callable[[], Caller]) -> Caller:
    return signed_in(caller(), EDITOR)


def desk_path(customer: Customer, path: str = "") -> str:
    return f"/api/desk/conversations/{customer.id}{path}"


# The document against the code


def test_every_call_is_described_and_every_description_is_a_call(app: Flask, description: Description) -> None:
    """Neither an undescribed route nor a description of nothing."""
    calls = {
        (method, template(rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(description.calls) == calls


def test_the_kit_serves_the_document(anyone: Caller, description: Description) -> None:
    """Whole and unchanged."""
    assert anyone.call("GET", "/api/openapi.json").json == description.document


def test_every_call_is_described_whole(description: Description) -> None:
    """A name of its own, a known group, a sentence, an answer for everything unforeseen, and each part of its path."""
    named = [said["operationId"] for said in description.calls.values()]
    assert len(named) == len(set(named))
    groups = {tag["name"] for tag in description.document["tags"]}
    for (method, path), said in description.calls.items():
        assert set(said["tags"]) < groups, path
        assert said["summary"], path
        assert "default" in said["responses"], (method, path)
        in_path = [description.found(one)["name"] for one in said["in_path"]]
        assert [f"{{{name}}}" for name in in_path] == [part for part in path.split("/") if part.startswith("{")], path


def test_every_reference_leads_somewhere_and_nothing_is_left_over(description: Description) -> None:
    """What is named is there, and what is there is named."""
    used: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                used.add(node["$ref"])
                assert description.found(node)
            for entry in node.values():
                walk(entry)
        elif isinstance(node, list):
            for entry in node:
                walk(entry)

    walk(description.document)
    components = description.document["components"]
    there = {f"#/components/{group}/{name}" for group in ("schemas", "responses", "parameters") for name in components[group]}
    assert there - used == {"#/components/schemas/TypingFrame"}  # frames of a stream have no place of their own in OpenAPI


def test_who_may_call_is_said_of_every_call(description: Description) -> None:
    """Customers show their token, staff their cookie, and every write of staff its second token too."""
    for (method, path), said in description.calls.items():
        ways = said["security"]
        if path.startswith("/api/conversations/"):
            assert ways == [{"visitorToken": []}], path
        if path.startswith(("/api/desk", "/api/keys")) or (path, method) == ("/api/session", "DELETE"):
            assert ways == [{"session": []} if method == "GET" else {"session": [], "csrfToken": []}], path
        if path.startswith("/api/touchpoints"):
            assert ways == [{"apiKey": []}, {"session": []} if method == "GET" else {"session": [], "csrfToken": []}], path


def test_every_error_code_is_described(description: Description) -> None:
    """All that the table of errors can give, and nothing else."""
    given = {code for _, _, code in errors.STATUSES} | set(errors._HTTP_CODES.values()) | {"refused"}
    described = description.schema("Error")["properties"]["error"]["properties"]["code"]["enum"]
    assert described == sorted(given)
    raised = {kind.code for kind in vars(desk).values() if isinstance(kind, type) and issubclass(kind, desk.DeskError)}
    assert raised - given == {"bot_failed"}  # search answers in the bot's place; no caller ever reads it


def test_closed_lists_are_those_of_the_code(description: Description) -> None:
    """Owners, outcomes, reasons, roles and the ledger's own."""
    owner_data, survey = description.schema("OwnerData")["properties"], description.schema("SurveyData")["properties"]
    assert description.schema("Owner")["enum"] == list(OWNERS)
    assert description.schema("Outcome")["enum"] == list(OUTCOMES)
    assert description.schema("Resolution")["enum"] == list(RESOLUTIONS)
    assert set(owner_data["reason"]["enum"]) == {reason for reasons in CHANGES.values() for reason in reasons}
    assert [one["properties"]["type"]["const"] for one in description.schema("Event")["oneOf"]] == list(EVENT_TYPES)
    assert survey["question"]["enum"] == description.schema("SurveyRequest")["properties"]["question"]["enum"] == list(SURVEY_QUESTIONS)
    assert description.schema("Staff")["properties"]["role"]["enum"] == list(STAFF_ROLES)
    for name, values in {"Kind": KINDS, "Stage": STAGES, "Channel": CHANNELS, "Actor": ACTORS}.items():
        assert description.schema(name)["enum"] == list(values)


def test_limits_are_those_of_the_code(description: Description) -> None:
    """Lengths, waits and pages."""
    events = description.calls["GET", "/api/conversations/{conversation_id}/events"]
    wait = next(one for one in events["parameters"] if one.get("name") == "wait")
    limit = next(one for one in description.calls["GET", "/api/search"]["parameters"] if one["name"] == "limit")
    page = events["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["events"]
    sent = description.calls["POST", "/api/touchpoints"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["touchpoints"]
    assert description.schema("Text")["maxLength"] == TEXT_LIMIT
    assert (wait["schema"]["maximum"], limit["schema"]["maximum"], page["maxItems"], sent["maxItems"]) == (
        LONGEST_WAIT_S,
        MOST_HITS,
        EVENTS_PAGE,
        MOST,
    )


def test_the_check_can_fail(description: Description) -> None:
    """A description that everything fits would prove nothing."""
    good = {"id": "c", "owner": "bot", "queue": None, "agent": None, "last": 0}
    shape = description.schema("Conversation")
    assert description.faults(shape, good) == []
    bad: Any
    for bad in (
        {key: value for key, value in good.items() if key != "last"},
        {**good, "owner": "nobody"},
        {**good, "last": -1},
        {**good, "last": True},
        {**good, "last": "0"},
        {**good, "queue": {"position": 0, "wait_low_s": None, "wait_high_s": None}},
        {**good, "agent": {"name": "Ada", "email": "ada@shop.example"}},
        {**good, "state": {}},
        [good],
    ):
        assert description.faults(shape, bad), bad


# Real answers against the document: each call of a `Caller` checks its answer's status, media type, body and error code


def test_the_whole_way_of_a_customer(customer: Customer, agent: Caller) -> None:
    """Question, answer, a person, the reply, the end and the rating, as customer and agent see them."""
    customer.says(QUESTION)
    assert customer.call("POST", "/messages", {"client_id": "pressed", "payload": "/deny"}).status_code == 202
    assert customer.call("POST", "/messages", {"client_id": "pressed", "payload": "/deny"}).status_code == 200
    customer.call("GET", "/events?after=3&wait=10")
    assert customer.call("POST", "/handoff", {"reason": "hurry"}).json["owner"] == "queued"
    assert customer.call("GET").json["queue"]["position"] >= 1
    assert customer.call("POST", "/cancel-handoff").json["owner"] == "bot"
    customer.call("POST", "/handoff")
    assert customer.calls.call("GET", "/api/conversations").json["conversations"][0]["id"] == customer.id  # type: ignore[index]
    assert customer.call("POST", "/typing").status_code == 204
    _serve(agent, customer)
    assert customer.call("POST", "/survey", {"question": "csat", "score": 5, "comment": "Quick!"}).json == {}
    events = customer.call("GET", "/events").json["events"]
    assert {event["type"] for event in events} == set(EVENT_TYPES)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    again = customer.calls.call("POST", "/api/conversations", {"continues": customer.id})
    assert again.status_code == 201


def _serve(agent: Caller, customer: Customer) -> None:
    """What an agent does with a customer in the queue."""
    before = agent.call("GET", "/api/desk/events").json["cursor"]  # type: ignore[index]
    queue = agent.call("GET", "/api/desk/conversations?owner=queued").json["conversations"]  # type: ignore[index]
    assert next(one for one in queue if one["id"] == customer.id)["last_message"]["author"] == "bot"
    agent.call("POST", desk_path(customer, "/accept"))
    agent.call("POST", desk_path(customer, "/notes"), {"text": "Asked for a photo."})
    agent.call("POST", desk_path(customer, "/transfer"), {"note": "Knows about cables."})
    hello = {"client_id": "hello", "text": "Hello, this is Ada."}
    assert [agent.call("POST", desk_path(customer, "/messages"), hello).status_code for _ in range(2)] == [202, 200]
    assert agent.call("POST", desk_path(customer, "/typing")).status_code == 204
    opened = agent.call("GET", desk_path(customer)).json
    assert opened
    assert [note["text"] for note in opened["notes"]] == ["Asked for a photo.", "Knows about cables."]
    assert [shown["slug"] for shown in opened["shown_articles"]] == ["router-red-light"]
    agent.call("POST", desk_path(customer, "/return"))
    agent.call("POST", desk_path(customer, "/accept"))
    agent.call("POST", desk_path(customer, "/close"), {"resolution": "solved", "article": "router-red-light"})
    assert {change["kind"] for change in agent.call("GET", f"/api/desk/events?after={before}").json["events"]} == {"event", "note"}  # type: ignore[index]


def test_frames_of_a_customers_stream(customer: Customer, description: Description) -> None:
    """Events with their numbers, then the place in the queue without one."""
    last = customer.says(QUESTION)
    customer.call("POST", "/handoff")
    stream = customer.calls._client.get(
        f"/api/conversations/{customer.id}/events?after={last - 1}", headers={**customer.calls.headers, "Accept": "text/event-stream"}
    )
    assert stream.mimetype == "text/event-stream"
    read = frames(stream.iter_encoded())
    for expected in (last, last + 1):
        kind, number, event = next(read)
        assert (kind, number, event["seq"]) == ("event", str(expected), expected)
        assert description.faults(description.schema("Event"), event) == []
    kind, number, place = next(read)
    assert (kind, number) == ("queue", None)
    assert description.faults(description.schema("QueuePlace"), place) == []
    stream.close()


def test_frames_of_the_desks_stream(customer: Customer, agent: Caller, description: Description) -> None:
    """Each change under its cursor."""
    before = int(agent.call("GET", "/api/desk/events").json["cursor"])  # type: ignore[index]
    customer.call("POST", "/handoff")
    stream = agent._client.get(f"/api/desk/events?after={before}", headers={"Accept": "text/event-stream"})
    kind, cursor, change = next(frames(stream.iter_encoded()))
    assert (kind, cursor, change["conversation_id"]) == ("change", str(before + 1), customer.id)
    assert description.faults(description.schema("DeskChange"), change) == []
    stream.close()


def test_search_and_its_absence(anyone: Caller, around: Neighbours) -> None:
    """By meaning with a confidence; by words without one."""
    assert anyone.call("GET", f"/api/search?q={QUESTION}&limit=3").json["hits"][0]["confidence"] == 0.93  # type: ignore[index]
    around.search_is_away = True
    found = anyone.call("GET", "/api/search?q=router").json
    around.search_is_away = False
    assert found
    assert (found["answerable"], [hit["confidence"] for hit in found["hits"]]) == (False, [None])
    assert anyone.call("POST", "/api/articles/router-red-light/feedback", {"helpful": True, "reason": "Clear."}).status_code == 204


def test_the_journey(agent: Caller, caller: Callable[[], Caller]) -> None:
    """A key is made, used and revoked."""
    made = agent.call("POST", "/api/keys", {"name": "shop"}).json
    assert made
    shop = caller()
    shop.headers = {"Authorization": f"Bearer {made['key']}"}
    bought = {"id": "order-1", "customer": "crm:1", "kind": "purchase", "stage": "purchase", "channel": "web", "at": "2026-11-21T19:00:00Z"}
    told = {"touchpoints": [bought, bought, {**bought, "id": "order-2", "kind": "pigeon"}]}
    assert shop.call("POST", "/api/touchpoints", told).json["accepted"] == 1  # type: ignore[index]
    page = shop.call("GET", "/api/touchpoints?customer=crm:1&limit=1").json
    assert page
    assert shop.call("GET", f"/api/touchpoints?since={page['next']}&conversation=none").json == {"touchpoints": [], "next": None}
    for form in ("csv", "jsonl", "xes"):
        assert "crm:1" in shop.call("GET", f"/api/touchpoints/export?format={form}").text
    assert agent.call("GET", "/api/touchpoints").json["touchpoints"]  # type: ignore[index]
    assert agent.call("DELETE", f"/api/keys/{made['id']}").status_code == 204
    assert agent.call("DELETE", f"/api/keys/{made['id']}").status_code == 404
    assert shop.call("GET", "/api/touchpoints").status_code == 401


@pytest.mark.filterwarnings("ignore:The Result.tuples:sqlalchemy.exc.SADeprecationWarning")
def test_what_operators_ask(anyone: Caller, customer: Customer, services: Services) -> None:
    """Alive, not ready, ready, and the figures."""
    customer.says(QUESTION)
    assert anyone.call("GET", "/healthz").json == {"alive": True}
    assert anyone.call("GET", "/readyz").status_code == 503  # nobody has asked the parts yet
    services.readiness.ask()
    assert anyone.call("GET", "/readyz").status_code == 200
    figures = anyone.call("GET", "/metrics").text
    for name in ('touchdesk_messages{outcome="answered"} ', 'touchdesk_part_ready{part="search"} 1.0', "touchdesk_streams "):
        assert name in figures


def test_a_session_from_sign_in_to_sign_out(agent: Caller) -> None:
    """Who it is, being away and back, and nothing afterwards."""
    assert agent.call("GET", "/api/session").json["staff"]["role"] == "administrator"  # type: ignore[index]
    assert [agent.call("PUT", "/api/desk/presence", {"away": away}).json["staff"]["away"] for away in (True, False)] == [True, False]  # type: ignore[index]
    assert agent.call("DELETE", "/api/session").status_code == 204
    assert agent.call("GET", "/api/session").status_code == 401


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


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
    assert refusal(customer.call("POST", "/cancel-handoff")) == (409, "conflict")
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
    time.sleep(1.1)
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
        assert answer.json["error"]["detail"]["agent"]["name"] == "Ada"  # type: ignore[index]


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
