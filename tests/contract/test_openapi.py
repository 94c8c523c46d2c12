"""The description of the API says what the app does: every call, every closed list and limit, and real answers held against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from desk import exceptions as desk
from desk.lifecycle import CHANGES
from desk.model import EVENT_TYPES, OUTCOMES, OWNERS, RESOLUTIONS, STAFF_ROLES, SURVEY_QUESTIONS, TEXT_LIMIT
from desk.store.conversations import EVENTS_PAGE
from tests.contract.described import Caller, Description, template
from tests.contract.kit_stand_in import Neighbours
from tests.contract.people import Customer, desk_path, refusal, signed_in
from touchpoints.intake import MOST
from touchpoints.model import ACTORS, CHANNELS, KINDS, STAGES
from widget import errors
from widget.chat.api import LONGEST_WAIT_S
from widget.help.api import MOST_HITS
from widget.services import Services

API = ("/api/", "/healthz", "/readyz", "/metrics")
QUESTION = "my router has a red light"


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
        if path.startswith(("/api/desk", "/api/account", "/api/keys")) or (path, method) == ("/api/session", "DELETE"):
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
    assert customer.calls.call("GET", "/api/conversations").json["conversations"][0]["id"] == customer.id
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
    before = agent.call("GET", "/api/desk/events").json["cursor"]
    queue = agent.call("GET", "/api/desk/conversations?owner=queued").json["conversations"]
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
    assert {change["kind"] for change in agent.call("GET", f"/api/desk/events?after={before}").json["events"]} == {"event", "note"}


def test_frames_of_a_customers_stream(customer: Customer, description: Description) -> None:
    """Events with their numbers, then the place in the queue without one."""
    last = customer.says(QUESTION)
    customer.call("POST", "/handoff")
    with customer.calls.stream(f"/api/conversations/{customer.id}/events?after={last - 1}") as read:
        for expected in (last, last + 1):
            kind, number, event = next(read)
            assert (kind, number, event["seq"]) == ("event", str(expected), expected)
            assert description.faults(description.schema("Event"), event) == []
        kind, number, place = next(read)
        assert (kind, number) == ("queue", None)
        assert description.faults(description.schema("QueuePlace"), place) == []


def test_frames_of_the_desks_stream(customer: Customer, agent: Caller, description: Description) -> None:
    """Each change under its cursor."""
    before = int(agent.call("GET", "/api/desk/events").json["cursor"])
    customer.call("POST", "/handoff")
    with agent.stream(f"/api/desk/events?after={before}") as read:
        kind, cursor, change = next(read)
        assert (kind, cursor, change["conversation_id"]) == ("change", str(before + 1), customer.id)
        assert description.faults(description.schema("DeskChange"), change) == []


def test_search_and_its_absence(anyone: Caller, around: Neighbours) -> None:
    """By meaning with a confidence; by words without one."""
    assert anyone.call("GET", f"/api/search?q={QUESTION}&limit=3").json["hits"][0]["confidence"] == 0.93
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
    assert shop.call("POST", "/api/touchpoints", told).json["accepted"] == 1
    page = shop.call("GET", "/api/touchpoints?customer=crm:1&limit=1").json
    assert page
    assert shop.call("GET", f"/api/touchpoints?since={page['next']}&conversation=none").json == {"touchpoints": [], "next": None}
    for form in ("csv", "jsonl", "xes"):
        assert "crm:1" in shop.call("GET", f"/api/touchpoints/export?format={form}").text
    assert agent.call("GET", "/api/touchpoints").json["touchpoints"]
    assert agent.call("DELETE", f"/api/keys/{made['id']}").status_code == 204
    assert agent.call("DELETE", f"/api/keys/{made['id']}").status_code == 404
    assert shop.call("GET", "/api/touchpoints").status_code == 401


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
    assert agent.call("GET", "/api/session").json["staff"]["role"] == "administrator"
    assert [agent.call("PUT", "/api/desk/presence", {"away": away}).json["staff"]["away"] for away in (True, False)] == [True, False]
    assert agent.call("DELETE", "/api/session").status_code == 204
    assert agent.call("GET", "/api/session").status_code == 401


def test_an_own_account(services: Services, caller: Callable[[], Caller]) -> None:
    """From a password that was made, which opens nothing but the choice of another, to the list of sessions and their end."""
    made, chosen = {"email": "carol@shop.example", "password": "bread at dawn"}, "nine red kites over the weir"
    services.accounts.add(made["email"], "Carol", made["password"], made=True)
    carol = signed_in(caller(), made)
    assert refusal(carol.call("GET", "/api/account/sessions")) == (403, "password_choice_needed")
    for wanted, body in (
        ((422, "password_refused"), {"current": made["password"], "new": "password1"}),
        ((422, "password_refused"), {"current": made["password"], "new": "Hearthlink99"}),  # the company's name, from brand.yml
        ((422, "invalid"), {"current": made["password"]}),
        ((401, "wrong_credentials"), {"current": "wrong", "new": chosen}),
    ):
        assert refusal(carol.call("PUT", "/api/account/password", body)) == wanted
    assert carol.call("PUT", "/api/account/password", {"current": made["password"], "new": chosen}).json["must_choose_password"] is False
    shown = {"password": chosen}
    assert carol.call("POST", "/api/account/sessions/end-others", shown).status_code == 403  # with the second token of before
    carol = signed_in(caller(), {**made, "password": chosen})
    this, other = carol.call("GET", "/api/account/sessions").json["sessions"]
    assert (this["this"], other["this"]) == (True, False)
    assert carol.call("POST", f"/api/account/sessions/{other['id']}/end", shown).status_code == 204
    assert carol.call("POST", f"/api/account/sessions/{other['id']}/end", shown).status_code == 404
    assert carol.call("POST", f"/api/account/sessions/{this['id']}/end", {"password": "a guess"}).status_code == 401
    assert carol.call("POST", "/api/account/sessions/end-others", {}).status_code == 401
    assert carol.call("POST", "/api/account/sessions/end-others", shown).status_code == 204
