"""How much one conversation, visitor or address may ask, by the gate before the app."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import gevent
import pytest
from werkzeug.test import Client, TestResponse

from tests.widget.conftest import SITE, Kit
from tests.widget.test_bad_input import check_shape
from widget.gate import HEALTH_PER_MINUTE, MOST_GUESSES, Gate
from widget.limits import Allowance, Buckets, Lines, Places, whole_seconds
from widget.protection import CONTENT_SECURITY_POLICY


class Ticks:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Street:
    """The gate with small limits before the app, and calls from several addresses."""

    def __init__(self, kit: Kit, **limits: int) -> None:
        self.ticks = Ticks()
        self.buckets = Buckets(self.ticks)
        settings = replace(kit.services.settings, **limits)
        self.client = Client(Gate(kit.app.wsgi_app, settings, kit.services.tokens, self.buckets, refusal_s=0))

    def asks(self, method: str, path: str, body: Any = None, *, address: str = "203.0.113.1", token: str = "", **headers: str) -> TestResponse:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        watches = "Accept" in headers
        return self.client.open(path, method=method, json=body, headers=headers, environ_overrides={"REMOTE_ADDR": address}, buffered=not watches)

    def begins(self, **options: Any) -> tuple[str, str]:
        """A conversation: its path and its token."""
        begun = self.asks("POST", "/api/conversations", {}, **options).get_json()
        return f"/api/conversations/{begun['conversation']['id']}", begun["token"]


def says(street: Street, path: str, token: str, n: int, **options: Any) -> int:
    return street.asks("POST", f"{path}/messages", {"client_id": f"m{n}", "text": "hello"}, token=token, **options).status_code


def test_a_conversation_takes_so_many_messages_a_minute(kit: Kit) -> None:
    """All at once if they come so; then one after another as the time passes. Reading goes on, and so do other conversations."""
    street = Street(kit, messages_per_minute=6)
    path, token = street.begins()
    assert [says(street, path, token, n) for n in range(8)] == [202] * 6 + [429] * 2
    assert street.asks("GET", f"{path}/events", token=token).status_code == 200
    other, _ = street.begins(token=token)
    assert says(street, other, token, 1) == 202
    street.ticks.now += 9.9
    assert says(street, path, token, 6) == 429
    street.ticks.now += 0.2
    assert [says(street, path, token, n) for n in (6, 7)] == [202, 429]
    kit.house.settle()


def test_the_refusal_says_when_to_come_back(kit: Kit) -> None:
    """In words, in the one shape, for pages of the allowed sites too; and coming back then is enough."""
    street = Street(kit, messages_per_minute=6)
    path, token = street.begins()
    for n in range(6):
        says(street, path, token, n)
    body = {"client_id": "m6", "text": "hello"}
    refusal = street.asks("POST", f"{path}/messages", body, token=token, Origin=SITE)
    check_shape(refusal)
    assert refusal.get_json()["error"] == {"code": "too_many", "message": "Too many requests; please wait 10 s.", "detail": {"retry_after_s": 10}}
    assert refusal.headers["Retry-After"] == "10"
    assert refusal.headers["Access-Control-Allow-Origin"] == SITE
    assert refusal.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert refusal.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert refusal.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in street.asks("POST", f"{path}/messages", body, token=token, Origin="https://evil.example").headers
    street.ticks.now += 10
    assert street.asks("POST", f"{path}/messages", body, token=token).status_code == 202
    kit.house.settle()


def test_a_visitor_has_so_many_calls_a_minute_from_wherever(kit: Kit) -> None:
    """Other visitors behind the same address are not touched by it, also when the one goes on and on."""
    street = Street(kit, visitor_requests_per_minute=10, address_requests_per_minute=60)
    path, token = street.begins()
    other, its_token = street.begins()
    told = [street.asks("GET", path, token=token, address=f"203.0.113.{n % 3}").status_code for n in range(200)]
    assert told == [200] * 10 + [429] * 190
    assert street.asks("GET", other, token=its_token).status_code == 200


def test_an_address_has_so_many_requests_a_minute(kit: Kit) -> None:
    """With or without tokens, made-up ones too; an IPv6 network counts as one."""
    street = Street(kit, address_requests_per_minute=20)
    told = [street.asks("GET", "/api/conversations", token=f"forged-{n}").status_code for n in range(30)]
    assert told == [401] * 20 + [429] * 10
    assert street.asks("GET", "/help").status_code == 429
    assert street.asks("GET", "/api/openapi.json", address="203.0.113.2").status_code == 200
    told = [street.asks("GET", "/api/openapi.json", address=f"2001:db8:0:1::{n:x}").status_code for n in range(30)]
    assert told.count(429) == 10
    assert street.asks("GET", "/api/openapi.json", address="2001:db8:0:2::1").status_code == 200


def test_an_address_begins_so_many_conversations_a_minute(kit: Kit) -> None:
    """Each would have allowances of its own."""
    street = Street(kit, conversations_per_minute=5)
    told = [street.asks("POST", "/api/conversations", {}).status_code for _ in range(8)]
    assert told == [201] * 5 + [429] * 3


def test_another_cannot_use_up_a_conversation(kit: Kit) -> None:
    """Neither without its token nor with one of one's own."""
    street = Street(kit, messages_per_minute=3)
    path, token = street.begins()
    _, strangers = street.begins()
    for n in range(10):
        says(street, path, strangers, n)
        says(street, path, "forged", n)
    assert says(street, path, token, 1) == 202
    kit.house.settle()


def test_health_is_told_whatever_else_an_address_does(kit: Kit) -> None:
    """A proxy that carries everybody still learns that the kit lives; asked without end it is limited too."""
    street = Street(kit, address_requests_per_minute=5)
    for _ in range(10):
        street.asks("GET", "/api/openapi.json")
    assert street.asks("GET", "/readyz").status_code == 429
    assert street.asks("GET", "/healthz").status_code == 200
    for _ in range(HEALTH_PER_MINUTE):
        street.buckets.take([Allowance(("health", "203.0.113.1"), HEALTH_PER_MINUTE)])
    assert street.asks("GET", "/healthz").status_code == 429


def test_a_visitor_has_so_many_streams_and_polls_open(kit: Kit) -> None:
    """One that ends makes room, however it ends."""
    street = Street(kit, streams_per_visitor=2)
    path, token = street.begins()
    open_ones = [street.asks("GET", f"{path}/events", token=token, Accept="text/event-stream") for _ in range(2)]
    refusal = street.asks("GET", f"{path}/events", token=token, Accept="text/event-stream")
    assert refusal.status_code == 429
    assert int(refusal.headers["Retry-After"]) >= 1
    assert street.asks("GET", path, token=token).status_code == 200
    open_ones[0].close()
    assert street.asks("GET", f"{path}/events", token=token).status_code == 200
    assert street.asks("GET", f"{path}/events?after=x", token=token).status_code == 422
    with street.asks("GET", f"{path}/events", token=token, Accept="text/event-stream") as again:
        assert again.status_code == 200
    open_ones[1].close()


def test_a_body_that_says_it_is_too_large_is_not_read(kit: Kit) -> None:
    """It is refused before anything of it is asked for; so is one that does not say so, at the limit."""
    street = Street(kit)

    class Unreadable:
        def read(self, *arguments: object) -> bytes:
            raise AssertionError("read")

    overrides = {"CONTENT_LENGTH": str(1024**3), "wsgi.input": Unreadable(), "REMOTE_ADDR": "203.0.113.1"}
    refusal = street.client.post("/api/conversations", content_type="application/json", environ_overrides=overrides)
    assert (refusal.status_code, refusal.headers["Connection"]) == (413, "close")
    assert refusal.get_json()["error"]["message"] == "The body is too large: at most 65536 bytes."
    assert refusal.get_json()["error"]["detail"] == {"limit": 65536}
    check_shape(refusal)
    for size, status in ((64 * 1024, 422), (64 * 1024 + 1, 413)):
        body = json.dumps({"page": "x" * (size - 12)})
        assert len(body) == size
        assert street.client.post("/api/conversations", data=body, content_type="application/json").status_code == status


def test_touchpoints_come_in_larger_bodies(kit: Kit) -> None:
    """A megabyte; the door behind it is another matter."""
    street = Street(kit)
    assert street.client.post("/api/touchpoints", data="x" * 1024**2, content_type="application/json").status_code == 401
    assert street.client.post("/api/touchpoints", data="x" * (1024**2 + 1), content_type="application/json").status_code == 413


def test_guesses_wait_among_themselves_and_not_without_end(kit: Kit) -> None:
    """With forty under way the next is sent away; a browser that is known is not one of them."""
    kit.staff()
    device = kit.services.tokens.device("device-1", kit.services.accounts.account("ada@desk.example"))
    seen: list[bool] = []
    gates: list[Gate] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append("touchdesk.guess" in environ)
        if len(seen) <= MOST_GUESSES:  # while this one is under way, another comes
            told.append(Client(gates[0]).post("/api/session", json={}).status_code)
        start_response("200 OK", [])
        return []

    told: list[int] = []
    gates.append(Gate(app, kit.services.settings, kit.services.tokens))
    client = Client(gates[0])
    client.post("/api/session", json={})
    assert told.count(429) == 1
    assert seen == [True] * MOST_GUESSES
    client.set_cookie("touchdesk-device", device)
    client.post("/api/session", json={})
    assert seen[-1] is False
    client.set_cookie("touchdesk-device", "forged")
    client.post("/api/session", json={})
    assert seen[-1] is True


def test_buckets_hold_no_more_than_so_many_keys() -> None:
    """The one unused for longest goes, and would begin full again."""
    buckets = Buckets(Ticks(), most_keys=3)
    for name in ("a", "b", "c", "a", "d"):
        buckets.take([Allowance((name,), 2)])
    assert len(buckets) == 3
    assert buckets.take([Allowance(("a",), 2)]) > 0
    assert buckets.take([Allowance(("b",), 2)]) == 0


def test_a_bucket_never_holds_more_than_a_minute_and_its_clock_never_takes_anything_away() -> None:
    """After a week of nothing as many at once as before; a clock that stands still or goes back refuses nobody for longer."""
    ticks = Ticks()
    buckets = Buckets(ticks)
    allowance = Allowance(("x",), 4)
    ticks.now += 7 * 86400
    assert [buckets.take([allowance]) > 0 for _ in range(5)] == [False] * 4 + [True]
    ticks.now -= 3600
    assert buckets.take([allowance]) == pytest.approx(15)
    assert whole_seconds(0.01) == 1
    assert whole_seconds(14.2) == 15


def test_refusals_come_one_after_another(kit: Kit) -> None:
    """Asked for at once they take their time, to one address; another waits for nobody."""
    settings = replace(kit.services.settings, address_requests_per_minute=1)
    client = Client(Gate(kit.app.wsgi_app, settings, kit.services.tokens, Buckets(Ticks()), refusal_s=0.05))

    def ask(address: str) -> tuple[int, float]:
        began = time.monotonic()
        answer = client.get("/api/openapi.json", environ_overrides={"REMOTE_ADDR": address})
        return answer.status_code, time.monotonic() - began

    assert ask("203.0.113.1")[0] == 200
    asking = [gevent.spawn(ask, "203.0.113.1") for _ in range(6)] + [gevent.spawn(ask, "203.0.113.2")]
    gevent.joinall(asking, raise_error=True)
    told = [one.value for one in asking]
    assert [status for status, _ in told] == [429] * 6 + [200]
    assert max(took_s for _, took_s in told[:6]) >= 0.3


def test_one_visitor_waits_in_a_line_of_their_own() -> None:
    """One of theirs goes on at once, in order and with a pause between; others do not wait for them, and of an empty line nothing is kept."""
    lines, at_work, begun = Lines(0.02), Counter[str](), []
    began = time.monotonic()

    def work(key: str, n: int) -> None:
        with lines.turn(key):
            begun.append((key, n, time.monotonic() - began))
            at_work[key] += 1
            assert at_work[key] == 1
            gevent.sleep(0.01)
            at_work[key] -= 1

    gevent.joinall([gevent.spawn(work, "flooder", n) for n in range(10)] + [gevent.spawn(work, "other", 0)], raise_error=True)
    assert [n for key, n, _ in begun if key == "flooder"] == list(range(10))
    assert [key for key, _, _ in begun].index("other") == 1
    assert begun[-1][2] >= 9 * 0.03
    assert len(lines) == 0
    alone = time.monotonic()
    work("flooder", 10)
    assert time.monotonic() - alone < 0.02  # nobody before, no pause


def test_writing_does_not_wait_for_reading(kit: Kit) -> None:
    """Of one visitor: where the database lets nobody write for a while, they go on reading."""
    gate = Gate(kit.app.wsgi_app, kit.services.settings, kit.services.tokens)
    client, customer = Client(gate), kit.customer()
    headers = {"Authorization": f"Bearer {customer.token}"}
    with gate._lines.turn(f"{kit.services.tokens.visitor(customer.token)} writes"), gevent.Timeout(5):
        assert client.get(f"/api/conversations/{customer.id}", headers=headers).status_code == 200


def test_places_are_given_back() -> None:
    """As many as were taken, and nothing is kept of those who left."""
    places = Places()
    assert [places.enter("x", 2) for _ in range(3)] == [True, True, False]
    places.leave("x")
    assert places.enter("x", 2)
    places.leave("x")
    places.leave("x")
    assert not places._taken
