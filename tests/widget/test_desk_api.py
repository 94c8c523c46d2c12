"""The agents' API by its contract, and the door before it."""

from __future__ import annotations

from itertools import product

import pytest

from tests.desk.house import answered, said
from tests.widget.conftest import PASSWORD, Customer, Kit
from tests.widget.test_customer_api import code


def test_the_way_of_an_agent(kit: Kit, customer: Customer) -> None:
    """Queue, conversation with reason and shown articles, accept, reply, note, transfer, take again, close."""
    kit.house.rasa.results |= {"red": answered(), "no": said("handed_off", "A person comes.", handoff="not_solved")}
    customer.says("red")
    customer.says("no")
    ada = kit.staff()
    (waiting,) = ada.get("/api/desk/conversations?owner=queued").get_json()["conversations"]
    assert (waiting["id"], waiting["reason"], waiting["last_message"]["text"]) == (customer.id, "not_solved", "A person comes.")
    assert waiting["last_customer_message"]["text"] == "no"
    at = f"/api/desk/conversations/{customer.id}"
    opened = ada.get(at).get_json()
    assert (opened["reason"], [event["seq"] for event in opened["transcript"]]) == ("not_solved", [1, 2, 3, 4, 5])
    assert [set(shown) for shown in opened["shown_articles"]] == [{"slug", "title", "section", "confidence", "opened", "verdict"}]
    assert ada.post(f"{at}/accept").get_json()["conversation"]["agent"]["name"] == "Ada"
    said_once, said_twice = (ada.post(f"{at}/messages", {"client_id": "x", "text": "Hello"}) for _ in range(2))
    assert (said_once.status_code, said_twice.status_code) == (202, 200)
    assert said_once.get_json() == said_twice.get_json()
    assert ada.post(f"{at}/notes", {"text": "kind"}).get_json()["author"]["name"] == "Ada"
    assert ada.post(f"{at}/typing").status_code == 204
    kit.house.clock.passes(1)
    assert ada.post(f"{at}/transfer", {"note": "for Bob"}).get_json()["conversation"]["owner"] == "queued"
    assert ada.post(f"{at}/accept").status_code == 200
    assert ada.post(f"{at}/return").get_json()["conversation"]["owner"] == "bot"
    closed = ada.post(f"{at}/close", {"resolution": "solved", "article": "router-red-light"}).get_json()["conversation"]
    assert (closed["owner"], closed["resolution"]) == ("closed", "solved")
    assert [note["text"] for note in ada.get(at).get_json()["notes"]] == ["kind", "for Bob"]
    assert customer.events()[-1]["type"] == "survey"


def test_the_loser_of_a_race_is_told_who_won(kit: Kit, customer: Customer) -> None:
    """409 with the name; absent conversations are 404, closed ones another 409."""
    ada, bob = kit.staff("Ada"), kit.staff("Bob")
    at = f"/api/desk/conversations/{customer.id}"
    ada.post(f"{at}/accept")
    refusal = bob.post(f"{at}/accept")
    assert code(refusal) == (409, "already_taken")
    assert refusal.get_json()["error"]["detail"]["agent"]["name"] == "Ada"
    assert code(bob.post("/api/desk/conversations/nowhere/accept")) == (404, "not_found")
    ada.post(f"{at}/close", {"resolution": "spam"})
    assert code(bob.post(f"{at}/accept")) == (409, "conversation_closed")


DESK = [
    ("GET", "/api/session"),
    ("DELETE", "/api/session"),
    ("GET", "/api/desk/conversations"),
    ("GET", "/api/desk/conversations/{id}"),
    *(("POST", f"/api/desk/conversations/{{id}}/{act}") for act in ("accept", "messages", "notes", "transfer", "return", "close", "typing")),
    ("PUT", "/api/desk/presence"),
    ("GET", "/api/desk/events"),
    ("GET", "/api/touchpoints"),
    ("POST", "/api/touchpoints"),
    ("GET", "/api/touchpoints/export"),
    ("POST", "/api/keys"),
    ("DELETE", "/api/keys/x"),
]


def test_nobody_comes_in_without_a_session(customer: Customer) -> None:
    """Neither with nothing, nor with a made-up cookie, nor with a customer's token."""
    for (method, path), headers in product(DESK, ({}, {"Cookie": "touchdesk=forged"}, {"Cookie": 'touchdesk="\xe9"'}, customer.headers)):
        where = path.format(id=customer.id)
        answer = customer.client.open(where, method=method, json={} if method != "GET" else None, headers=headers)
        assert code(answer) == (401, "unauthorized"), where


def test_no_write_without_the_csrf_token(kit: Kit, customer: Customer) -> None:
    """The cookie alone, which a foreign page could make a browser send, changes nothing."""
    boss = kit.staff("Boss", "administrator")
    writes = [(method, path) for method, path in DESK if method != "GET"]
    for (method, path), sent in product(writes, ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "guess"})):
        answer = boss.client.open(path.format(id=customer.id), method=method, json={}, headers=sent)
        assert code(answer) == (403, "forbidden"), path
    assert boss.get("/api/session").status_code == 200


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("agent", ["/api/desk/conversations", "/api/desk/events"]),
        ("editor", []),
        ("administrator", ["/api/desk/conversations", "/api/desk/events", "/api/touchpoints"]),
    ],
)
def test_each_role_sees_its_own(kit: Kit, role: str, allowed: list[str]) -> None:
    """Agents no ledger, editors no customers."""
    person = kit.staff("Ada", role)
    for path in ("/api/desk/conversations", "/api/desk/events", "/api/touchpoints"):
        assert person.get(path).status_code == (200 if path in allowed else 403)


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(kit: Kit) -> None:
    """Plain on loopback http; over https bound to the host and never sent without encryption."""
    plain = kit.staff().signed_in.headers["Set-Cookie"]
    assert plain.startswith("touchdesk=")
    assert "HttpOnly" in plain
    assert "SameSite=Strict" in plain
    secure = kit.app.test_client().post("/api/session", json={"email": "ada@desk.example", "password": PASSWORD}, base_url="https://desk.example")
    cookie = secure.headers["Set-Cookie"]
    assert cookie.startswith("__Host-touchdesk=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_signed_out_a_copied_cookie_is_dead(kit: Kit) -> None:
    """Everything it opened before is closed, the desk's stream too."""
    ada = kit.staff()
    copied = ada.signed_in.headers["Set-Cookie"].partition(";")[0]
    assert ada.write("DELETE", "/api/session").status_code == 204
    thief = kit.app.test_client()
    for path in ("/api/session", "/api/desk/conversations", "/api/desk/events"):
        assert code(thief.get(path, headers={"Cookie": copied})) == (401, "unauthorized")


def test_a_stream_ends_when_its_session_does(kit: Kit, customer: Customer) -> None:
    """It says nothing more, not even what had happened already."""
    ada = kit.staff()
    stream = ada.get("/api/desk/events?after=0", headers={"Accept": "text/event-stream"})
    pieces = iter(stream.response)
    assert next(pieces) == b": open\n\n"
    customer.says("hello")
    assert b"event: change" in next(pieces)
    customer.says("hello again")
    ada.write("DELETE", "/api/session")
    assert list(pieces) == []
    assert kit.wakeups.count() == 0


def test_the_desk_is_told_of_changes_by_an_opaque_cursor(kit: Kit, customer: Customer) -> None:
    """Without one, from now on; by poll as by stream."""
    ada = kit.staff()
    cursor = ada.get("/api/desk/events").get_json()["cursor"]
    customer.says("hello")
    changes = ada.get(f"/api/desk/events?after={cursor}").get_json()
    assert [change["conversation_id"] for change in changes["events"]] == [customer.id] * 2
    kit.wakeups.close_all()
    stream = ada.get(f"/api/desk/events?after={cursor}", headers={"Accept": "text/event-stream"}).get_data(as_text=True)
    assert f"id: {changes['cursor']}\nevent: change\n" in stream
    assert ada.get(f"/api/desk/events?after={changes['cursor']}").get_json()["events"] == []


def test_an_open_desk_keeps_what_its_agent_holds(kit: Kit, customer: Customer) -> None:
    """By polling as by streaming; an agent who does neither is gone after 45 s."""
    ada = kit.staff()
    ada.post(f"/api/desk/conversations/{customer.id}/accept")
    kit.house.clock.passes(40)
    ada.get("/api/desk/events")
    kit.house.clock.passes(40)
    assert kit.house.agents.relieve() == 0
    kit.house.clock.passes(10)
    assert kit.house.agents.relieve() == 1


def test_presence(kit: Kit, customer: Customer) -> None:
    """Away gives all back and takes nothing."""
    ada, at = kit.staff(), f"/api/desk/conversations/{customer.id}"
    ada.post(f"{at}/accept")
    assert ada.write("PUT", "/api/desk/presence", {"away": True}).get_json()["staff"]["away"] is True
    assert customer.get().get_json()["owner"] == "queued"
    assert code(ada.post(f"{at}/accept")) == (409, "conflict")
    assert ada.write("PUT", "/api/desk/presence", {"away": False}).status_code == 200
    assert ada.post(f"{at}/accept").status_code == 200
    assert code(ada.write("PUT", "/api/desk/presence", {"away": "no"})) == (422, "invalid")
