"""What nobody should send: answered with the fitting 4xx in the one shape, or stored and shown as plain text; never a 500, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.desk.house import answered
from tests.widget.conftest import SITE, Customer, Kit
from tests.widget.test_customer_api import code
from widget.protection import CONTENT_SECURITY_POLICY

REFUSED: dict[str, tuple[Any, int]] = {
    "empty": ("", 422),
    "blank": (" \n\t\u00a0", 422),
    "no width": ("\u200b\u2060", 422),
    "10,000 characters": ("x" * 10_000, 413),
    "NUL": ("a\0b", 422),
    "half a character": ("a\ud800b", 422),
    "other half": ("\udc00", 422),
    "null": (None, 422),
    "number": (5, 422),
    "float": (0.5, 422),
    "bool": (True, 422),
    "list": (["hi"], 422),
    "object": ({"text": "hi"}, 422),
}
SHOWN = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "**bold** [link](javascript:alert(1)) `code`",
    "{{7*7}} ${7*7} %s {0} ' OR 1=1 --",
    "/restart",
    "/request_person",
    "مرحبا \u202e txet",
    "👩‍👩‍👧‍👦" * 50,
    "e\u0301" * 2000,
    "line\r\nline\u2028line",
    "x" * 8000,
]


@pytest.mark.parametrize(("text", "status"), REFUSED.values(), ids=REFUSED)
def test_a_message_that_is_none_is_refused_and_leaves_nothing(customer: Customer, text: Any, status: int) -> None:
    """And the conversation goes on."""
    answer = customer.post("/messages", {"client_id": "x", "text": text})
    assert code(answer) == (status, "too_large" if status == 413 else "invalid")
    assert customer.events() == []
    assert customer.post("/messages", {"client_id": "x", "text": "hello"}).get_json() == {"seq": 1}


@pytest.mark.parametrize("text", SHOWN, ids=range(len(SHOWN)))
def test_strange_text_is_stored_and_shown_as_it_is(kit: Kit, customer: Customer, text: str) -> None:
    """To the customer and to the agent, as plain text, never with a body of nodes; Rasa never reads a command."""
    assert customer.says(text).status_code == 202
    said = customer.events()[0]["data"]
    assert said == {"author": "customer", "text": text, "client_id": "m1"}
    transcript = kit.staff().get(f"/api/desk/conversations/{customer.id}").get_json()["transcript"]
    assert transcript[0]["data"] == said
    assert not kit.house.rasa.asked[0][0].startswith("/")
    assert kit.house.rows("SELECT outcome FROM turns") == [{"outcome": "small_talk"}]


@pytest.mark.parametrize("payload", ["/restart", "/session_start", "/affirm", "affirm", "", None, 1, [], {}, "\0", "/affirm" * 1000])
def test_an_unknown_payload_is_refused(customer: Customer, payload: Any) -> None:
    """422, whatever it is."""
    assert code(customer.post("/messages", {"client_id": "x", "payload": payload})) == (422, "invalid")
    assert customer.events() == []


def test_the_payload_of_a_choice_that_was_offered_is_taken(kit: Kit, customer: Customer) -> None:
    """The same call that refuses the others."""
    kit.house.rasa.results["red"] = answered()
    customer.says("red")
    assert customer.post("/messages", {"client_id": "x", "payload": "/affirm"}).status_code == 202


BODIES: dict[str, tuple[bytes, str, int]] = {
    "not JSON": (b"hello", "application/json", 400),
    "half a body": (b'{"client_id": "x", "te', "application/json", 400),
    "NaN": (b'{"client_id": "x", "text": NaN}', "application/json", 400),
    "Infinity": (b'{"client_id": "x", "text": "a", "x": -Infinity}', "application/json", 400),
    "beyond floating point": (b'{"client_id": "x", "text": "a", "x": 1e999}', "application/json", 400),
    "beyond integers": (b'{"client_id": "x", "text": "a", "x": 9007199254740993}', "application/json", 400),
    "a very long number": (b'{"x": ' + b"9" * 5000 + b"}", "application/json", 400),
    "not UTF-8": (b'{"client_id": "x", "text": "\xff"}', "application/json", 400),
    "UTF-16": ('{"client_id": "x", "text": "a"}'.encode("utf-16"), "application/json", 400),
    "depth": (b"[" * 30_000, "application/json", 400),
    "depth in an object": (b'{"x": ' * 40 + b"1" + b"}" * 40, "application/json", 422),
    "depth of lists": (b'{"x": ' + b"[" * 16 + b"]" * 16 + b"}", "application/json", 422),
    "65 names": (json.dumps({f"name {n}": n for n in range(65)}).encode(), "application/json", 422),
    "65 names further in": (json.dumps({"x": [{f"name {n}": n for n in range(65)}]}).encode(), "application/json", 422),
    "a name of 65 characters": (json.dumps({"x" * 65: 1}).encode(), "application/json", 422),
    "a name twice": (b'{"client_id": "x", "text": "a", "text": "b"}', "application/json", 400),
    "a name twice further in": (b'{"client_id": "x", "text": "a", "x": [{"a": 1, "a": 1}]}', "application/json", 400),
    "half a character in a name": (b'{"client_id": "x", "text": "a", "\\ud800": 1}', "application/json", 422),
    "half a character further in": (b'{"client_id": "x", "text": "a", "x": [["\\udc00"]]}', "application/json", 422),
    "NUL in a name": (b'{"client_id": "x", "text": "a", "\\u0000": 1}', "application/json", 422),
    "beyond integers, below zero": (b'{"client_id": "x", "text": "a", "x": -9007199254740993}', "application/json", 400),
    "a mark of byte order": (b'\xef\xbb\xbf{"client_id": "x", "text": "a"}', "application/json", 400),
    "half a character not escaped": (b'{"client_id": "x", "text": "\xed\xa0\x80"}', "application/json", 400),
    "a list": (b"[]", "application/json", 422),
    "null": (b"null", "application/json", 422),
    "a text": (b'"hello"', "application/json", 422),
    "a form": (b"client_id=x&text=hi", "application/x-www-form-urlencoded", 415),
    "no type": (b'{"client_id": "x", "text": "a"}', "", 415),
    "plain text": (b'{"client_id": "x", "text": "a"}', "text/plain", 415),
    "nothing": (b"", "application/json", 422),
    "1 MB": (json.dumps({"client_id": "x", "text": "x" * 1_000_000}).encode(), "application/json", 413),
}


@pytest.mark.parametrize(("body", "content_type", "status"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_none_is_refused(customer: Customer, body: bytes, content_type: str, status: int) -> None:
    """The one shape, and nothing stored."""
    answer = customer.client.post(f"/api/conversations/{customer.id}/messages", data=body, content_type=content_type, headers=customer.headers)
    assert answer.status_code == status
    check_shape(answer)
    assert customer.events() == []


def test_what_is_just_within_the_limits_is_taken(customer: Customer) -> None:
    """16 deep, 64 names, names of 64 characters, 2^53: what is unknown is passed over."""
    deep: Any = 1
    for _ in range(14):
        deep = [deep]
    body = {"client_id": "x", "text": "a", "x" * 64: 2**53, "deep": {"deeper": deep}, **{f"name {n}": n for n in range(60)}}
    assert len(body) == 64
    assert customer.post("/messages", body).status_code == 202


JUNK: list[Any] = [None, True, 0, -1, 2**53, 1e300, "", "x", "\u200b", "x" * 9000, [], [None], [[1]], {}, {"a": {"b": []}}, {"question": "csat"}]
FIELDS = ["client_id", "text", "payload", "page", "locale", "continues", "reason", "question", "score", "choice", "comment", "identity"]
FIELDS += ["email", "password", "note", "resolution", "article", "away", "touchpoints", "name", "helpful"]


def rules(kit: Kit) -> list[tuple[str, str]]:
    """Every call the app has, with its method; addresses with something in each place."""
    found = []
    for rule in kit.app.url_map.iter_rules():
        path = str(rule.rule)
        for name in rule.arguments:
            path = path.replace(f"<{name}>", "nothing-here").replace(f"<path:{name}>", "nothing-here")
        found += [(method, path) for method in rule.methods or () if method not in ("OPTIONS",)]
    return sorted(found)


def test_a_naive_client_that_sends_anything_anywhere_never_meets_a_500(kit: Kit, customer: Customer) -> None:
    """Each call with each kind of junk in every field, as customer and as administrator; every refusal has the one shape."""
    boss = kit.staff("Boss", "administrator")
    kept = kit.staff("Kept", "administrator")
    writes = [(method, path) for method, path in rules(kit) if method in ("POST", "PUT", "PATCH", "DELETE")]
    assert len(writes) > 20
    for method, path in writes:
        if (method, path) == ("DELETE", "/api/session"):
            continue
        there = path.replace("nothing-here", customer.id)
        for junk in JUNK:
            body = dict.fromkeys(FIELDS, junk)
            for client, headers in ((customer.client, customer.headers), (boss.client, {"X-CSRF-Token": boss.csrf})):
                for where in {path, there}:
                    answer = client.open(where, method=method, json=body, headers=headers)
                    assert answer.status_code < 500 or answer.status_code == 503, (method, where, junk)
                    if answer.status_code >= 400:
                        check_shape(answer)
    assert kept.get("/api/session").status_code == 200


NUMBERS = ["after=x", "after=-1", "after=1.5", "after=٣", "after=99999999999999999999", "wait=31", "wait=-1", "wait=NaN", "limit=0", "since=-1"]


@pytest.mark.parametrize("query", NUMBERS)
def test_numbers_in_addresses_are_numbers(kit: Kit, customer: Customer, query: str) -> None:
    """422 wherever the number is read; elsewhere it is nobody's."""
    boss = kit.staff("Boss", "administrator")
    for path in (f"/api/conversations/{customer.id}/events", "/api/desk/events", "/api/touchpoints", "/api/touchpoints/export"):
        answer = boss.client.get(f"{path}?{query}", headers=customer.headers)
        assert answer.status_code in (200, 422), path
        if answer.status_code == 422:
            check_shape(answer)
    name = query.partition("=")[0]
    reads = "/api/touchpoints" if name in ("limit", "since") else f"/api/conversations/{customer.id}/events"
    assert boss.client.get(f"{reads}?{query}", headers=customer.headers).status_code == 422


def test_every_call_of_the_app_answers_errors_in_the_one_shape(kit: Kit) -> None:
    """By anyone, without anything, with the wrong method, and where there is no such call."""
    client = kit.app.test_client()
    asked = rules(kit) + [(method, "/api/nothing") for method in ("GET", "POST", "DELETE")] + [("GET", "/nothing"), ("BREW", "/api/search")]
    asked += [("DELETE", path) for path in {path for _, path in rules(kit) if path.startswith("/api/")}]
    asked += [("GET", "/api/conversations/%ff%00/events"), ("GET", "/api/conversations/..%2f..%2fetc"), ("GET", "/api/" + "x" * 5000)]
    seen = set()
    for method, path in asked:
        answer = client.open(path, method=method, headers={"Accept": "application/json"}, buffered=True)
        if method == "HEAD" or answer.status_code < 400 or path.startswith(("/help", "/readyz")):
            continue  # pages, and the report on the parts, which is the same whether all are ready or not
        check_shape(answer)
        seen.add(answer.status_code)
        if answer.status_code == 405:
            assert answer.headers["Allow"]
    assert seen >= {401, 404, 405, 422}


@pytest.mark.parametrize("host", ["a b", "x\x01", "[::1", "x" * 5000, "evil.example/.."])
def test_a_host_header_of_nonsense_is_no_500(kit: Kit, host: str) -> None:
    """Whatever is made of it."""
    assert kit.app.test_client().get("/api/openapi.json", headers={"Host": host}).status_code < 500


def test_a_person_gets_a_page_and_a_program_json(kit: Kit) -> None:
    """Only outside the API, and both say the same."""
    client: FlaskClient = kit.app.test_client()
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    check_shape(client.get("/nothing"))
    check_shape(client.get("/api/nothing", headers={"Accept": "text/html"}))


def check_shape(answer: TestResponse) -> None:
    """``{"error": {"code", "message", "detail"}}``, JSON, told in words, and nothing of our insides."""
    assert answer.mimetype == "application/json", (answer.request.path, answer.status)
    body = answer.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "detail"}
    assert body["error"]["code"].isidentifier()
    assert body["error"]["message"]
    assert not any(word in answer.text for word in ("Traceback", "sqlite", "/desk/", "sqlalchemy"))


ORIGINS = [
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://shop.example:8443",
    "https://shop.example:443",
    "http://shop.example",
    "https://SHOP.example",
    "https://shop.example.",
    "https://shop.example/",
    "https://shop.example, https://evil.example",
    "https://user@shop.example",
    "https://xn--shp-3ra.example",
    "null",
    "*",
    "",
    "file://",
    "http://127.0.0.1",
    "http://localhost:7599",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_other_origin_may_read_anything(kit: Kit, customer: Customer, origin: str) -> None:
    """Only the exact ones of the settings; a name that looks alike is another site."""
    for method in ("GET", "POST", "OPTIONS"):
        answer = customer.client.open("/api/conversations", method=method, headers={"Origin": origin, "X-Forwarded-Host": "shop.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_the_sites_of_the_settings_may_call_what_customers_call(kit: Kit, customer: Customer) -> None:
    """Errors included, with the headers the chat sends, never with cookies."""
    files = ("/widget/support-chat.js", "/static/tokens.css")
    paths = (*files, "/api/conversations", f"/api/conversations/{customer.id}/events", "/api/search?q=x", "/api/articles/x/feedback")
    for path in paths:
        for method in ("GET", "OPTIONS"):
            asking = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
            answer = customer.client.open(path, method=method, headers=asking, buffered=True)
            assert answer.headers["Access-Control-Allow-Origin"] == SITE
            assert "Access-Control-Allow-Credentials" not in answer.headers
    preflight = customer.client.options("/api/conversations/x/messages", headers={"Origin": SITE})
    assert preflight.status_code == 204
    assert {"Authorization", "Content-Type"} <= {name.strip() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}


def test_what_is_for_staff_answers_no_other_origin(kit: Kit) -> None:
    """Not even the sites of the settings."""
    for _, path in rules(kit):
        if path.startswith(("/api/desk", "/api/session", "/api/touchpoints", "/api/keys", "/desk", "/metrics", "/readyz")):
            for method in ("GET", "POST", "OPTIONS"):
                answer = kit.app.test_client().open(path, method=method, headers={"Origin": SITE}, buffered=True)
                assert not any(name.startswith("Access-Control") for name, _ in answer.headers), path


def test_every_answer_carries_the_headers_that_protect(kit: Kit, customer: Customer) -> None:
    """Pages, answers, errors and files; no inline script anywhere, and nothing of the API in a cache."""
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    for path in ("/desk", "/help", "/nothing", "/api/nothing", "/api/conversations", "/widget/support-chat.js", "/healthz"):
        headers = customer.client.get(path, buffered=True).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["X-Content-Type-Options"] == "nosniff"
    answer = customer.get()
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "Authorization"} <= set(answer.vary.as_set(preserve_casing=True))
