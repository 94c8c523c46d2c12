"""One's own account over HTTP: a changed password ends every other session with all it has open, and a made one opens nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from tests.security.routes import ROUTES, STAFF
from tests.widget.conftest import PASSWORD, Customer, Kit, Staff
from tests.widget.test_customer_api import code
from tests.widget.test_sign_in import signs_in
from widget.app import create_app
from widget.wakeups import Wakeups

CHOSEN = "nine red kites over the weir"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"
OPEN_WHILE_CHOOSING = {("GET", "/api/session"), ("DELETE", "/api/session"), ("PUT", "/api/account/password")}


def changes(person: Staff, current: str = PASSWORD, new: Any = CHOSEN) -> Any:
    return person.write("PUT", "/api/account/password", {"current": current, "new": new})


def ends(person: Staff, session_id: str, password: Any = PASSWORD) -> Any:
    return person.post(f"/api/account/sessions/{session_id}/end", {"password": password})


def ends_others(person: Staff, password: Any = PASSWORD) -> Any:
    return person.post("/api/account/sessions/end-others", {"password": password})


def again(kit: Kit, name: str = "Ada") -> Staff:
    """The same person in another browser."""
    return Staff(kit, name)


@pytest.mark.parametrize("role", STAFF)
def test_staff_of_every_role_change_their_password(kit: Kit, role: str) -> None:
    """The browser gets a new cookie and a new second token, and goes on with them; the old ones are dead."""
    ada = kit.staff(role=role)
    copied = ada.signed_in.headers["Set-Cookie"].partition(";")[0]
    answer = changes(ada)
    assert answer.status_code == 200
    assert answer.get_json()["staff"]["role"] == role
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("touchdesk=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert code(kit.app.test_client().get("/api/session", headers={"Cookie": copied})) == (401, "unauthorized")
    assert code(ends_others(ada, CHOSEN)) == (403, "forbidden")
    ada.csrf = answer.get_json()["csrf_token"]
    assert ends_others(ada, CHOSEN).status_code == 204
    assert signs_in(kit.app.test_client()).status_code == 401
    assert signs_in(kit.app.test_client(), CHOSEN).status_code == 200


def test_a_change_closes_what_the_other_sessions_have_open(kit: Kit, customer: Customer) -> None:
    """Their streams say nothing more, not even what had happened already; other people's go on."""
    ada, bob = kit.staff(), kit.staff("Bob")
    streams = [person.get("/api/desk/events?after=0", headers={"Accept": "text/event-stream"}) for person in (ada, again(kit), bob)]
    pieces = [iter(stream.response) for stream in streams]
    assert [next(one) for one in pieces] == [b": open\n\n"] * 3
    assert changes(ada).status_code == 200
    customer.says("hello")
    assert [list(one) for one in pieces[:2]] == [[], []]
    assert b"event: change" in next(pieces[2])
    streams[2].close()


class NotedWakeups(Wakeups):
    """Notes which sessions it is asked to wake."""

    def __init__(self) -> None:
        super().__init__()
        self.woken: list[set[str]] = []

    def wake_sessions(self, sessions: Collection[str]) -> None:
        self.woken.append(set(sessions))


def test_what_ends_is_woken_when_the_browser_has_its_new_cookie(kit: Kit) -> None:
    """Woken before, its own stream could come back with the old cookie and be sent to the sign-in."""
    ada, wakeups = kit.staff(), NotedWakeups()
    app = create_app(kit.services.settings, replace(kit.services, wakeups=wakeups))
    headers = {"X-CSRF-Token": ada.csrf, "Cookie": ada.signed_in.headers["Set-Cookie"].partition(";")[0]}
    client = app.test_client(use_cookies=False)
    answer = client.put("/api/account/password", json={"current": PASSWORD, "new": CHOSEN}, headers=headers, buffered=False)
    assert answer.status_code == 200
    assert wakeups.woken == []
    answer.close()
    assert [len(sessions) for sessions in wakeups.woken] == [1]


def test_a_wrong_current_password_is_told_and_counted(kit: Kit) -> None:
    """Ten, then 429 with the seconds; the session goes on, and the browser's next sign-in has to wait too."""
    ada = kit.staff()
    told = [code(changes(ada, "a guess")) for _ in range(11)]
    assert told == [(401, "wrong_credentials")] * 10 + [(429, "too_many")]
    assert changes(ada).headers["Retry-After"] == "901"
    assert ada.get("/api/session").status_code == 200
    assert signs_in(ada.client).status_code == 429


@pytest.mark.parametrize(
    ("new", "reason"),
    [("seven c", "too_short"), ("y" * 1001, "too_long"), ("password1", "breached"), ("Ada, ada & ada 1", "own_words"), (PASSWORD, "same")],
)
def test_a_password_that_nobody_should_have_is_refused_with_the_reason(kit: Kit, new: str, reason: str) -> None:
    """The page has words for each."""
    answer = changes(kit.staff(), new=new)
    assert code(answer) == (422, "password_refused")
    assert answer.get_json()["error"]["detail"] == {"field": "password", "reason": reason}


def made_for_ada(kit: Kit, role: str = "administrator") -> Staff:
    """Ada, signed in with a password that was made for her."""
    kit.house.accounts.add("ada@desk.example", "Ada", PASSWORD, role, made=True)
    return again(kit)


def test_with_a_made_password_nothing_is_open_but_the_choice_of_another(kit: Kit, customer: Customer) -> None:
    """Every call of staff is asked; each says so by a code of its own, a stream too."""
    ada = made_for_ada(kit)
    assert ada.signed_in.get_json()["must_choose_password"] is True
    asked = 0
    for (method, rule), routes in ROUTES.items():
        if routes[0].door not in ("staff", "desk", "administrator") or (method, rule) in OPEN_WHILE_CHOOSING:
            continue
        path = rule.replace("<conversation_id>", customer.id).replace("<session_id>", "x").replace("<key_id>", "x")
        for route in routes:
            answer = ada.client.open(path + route.query, method=method, json=route.body, headers={"X-CSRF-Token": ada.csrf, "Accept": route.accept})
            assert code(answer) == (403, "password_choice_needed"), (method, path)
            asked += 1
    assert asked > 20


def test_the_choice_opens_the_desk(kit: Kit) -> None:
    """The same password again is none; after another one everything is there, at the next sign-in too."""
    ada = made_for_ada(kit)
    assert ada.get("/api/session").get_json()["must_choose_password"] is True
    assert code(changes(ada, new=PASSWORD)) == (422, "password_refused")
    assert changes(ada).get_json()["must_choose_password"] is False
    assert ada.get("/api/desk/conversations").status_code == 200
    assert signs_in(kit.app.test_client(), CHOSEN).get_json()["must_choose_password"] is False


def test_who_has_to_choose_may_leave(kit: Kit) -> None:
    """Signing out is always open."""
    assert made_for_ada(kit).write("DELETE", "/api/session").status_code == 204


def test_a_made_password_that_was_left_too_long_is_told_as_such(kit: Kit) -> None:
    """Only to who knows it."""
    made_for_ada(kit)
    kit.house.clock.passes(8 * 86400)
    assert code(signs_in(kit.app.test_client())) == (401, "password_expired")
    assert code(signs_in(kit.app.test_client(), "a guess")) == (401, "wrong_credentials")


def test_staff_see_and_end_their_own_sessions(kit: Kit) -> None:
    """By the browser and the time; the ended one is out at once with its stream, and neither another's nor an absent one can be told apart."""
    ada, bob = kit.staff(role="editor"), kit.staff("Bob")
    kit.house.clock.passes(60)
    there = kit.app.test_client()
    body = {"email": "ada@desk.example", "password": PASSWORD}
    assert there.post("/api/session", json=body, headers={"User-Agent": FIREFOX}).status_code == 200
    this, other = ada.get("/api/account/sessions").get_json()["sessions"]
    assert this["this"]
    assert other == {
        "id": other["id"],
        "begun_at": "2026-11-21T19:01:00.000Z",
        "used_at": "2026-11-21T19:01:00.000Z",
        "browser": "Firefox",
        "system": "Windows",
        "this": False,
    }
    (of_bob,) = bob.get("/api/account/sessions").get_json()["sessions"]
    refusals = [ends(ada, one) for one in (of_bob["id"], "nobodys")]
    assert [code(refusal) for refusal in refusals] == [(404, "not_found")] * 2
    assert refusals[0].get_json() == refusals[1].get_json()
    assert ends(ada, other["id"]).status_code == 204
    assert there.get("/api/session").status_code == 401
    assert bob.get("/api/session").status_code == 200


def test_an_ended_session_loses_its_stream(kit: Kit, customer: Customer) -> None:
    """One by one, or all but this one."""
    ada, there, elsewhere = kit.staff(), again(kit), again(kit)
    streams = [person.get("/api/desk/events?after=0", headers={"Accept": "text/event-stream"}) for person in (there, elsewhere, ada)]
    pieces = [iter(stream.response) for stream in streams]
    assert [next(one) for one in pieces] == [b": open\n\n"] * 3
    mine = there.get("/api/account/sessions").get_json()["sessions"][0]["id"]
    ends(ada, mine)
    customer.says("hello")
    assert list(pieces[0]) == []
    assert b"event: change" in next(pieces[1])
    ends_others(ada)
    customer.says("hello again")
    assert list(pieces[1]) == []
    assert b"event: change" in next(pieces[2])
    streams[2].close()


@pytest.mark.parametrize("password", ["a guess", "", None, 5, ["a", "list"], "x" * 1001])
def test_who_ends_sessions_shows_their_password_once_more(kit: Kit, password: Any) -> None:
    """Whoever has carried off a session throws nobody out, and learns nothing of which there are."""
    ada, there = kit.staff(), again(kit)
    other = there.get("/api/account/sessions").get_json()["sessions"][0]["id"]
    for answer in (ends(ada, other, password), ends(ada, "nobodys", password), ends_others(ada, password)):
        assert code(answer) == (401, "wrong_credentials")
    assert there.get("/api/session").status_code == 200


def test_a_wrong_password_is_a_try_there_too(kit: Kit) -> None:
    """Ten for all that asks for a password together; right ones cost none."""
    ada = kit.staff()
    assert [ends_others(ada).status_code for _ in range(12)] == [204] * 12
    told = [code(act(ada, "a guess")) for act in (changes, ends_others) for _ in range(6)]
    assert told == [(401, "wrong_credentials")] * 10 + [(429, "too_many")] * 2
    assert ends_others(ada).status_code == 429
