"""Signing in over HTTP: guesses are slowed, known browsers come in, and an ended session ends everything that is open."""

from __future__ import annotations

import threading
import time
from typing import Any

from flask.testing import FlaskClient

from desk.accounts import session_digest
from tests.widget.conftest import PASSWORD, Kit
from tests.widget.test_bad_input import check_shape
from tests.widget.test_customer_api import code

EMAIL = "ada@desk.example"


def signs_in(client: FlaskClient, password: str = PASSWORD, address: str = "203.0.113.1", email: str = EMAIL) -> Any:
    return client.post("/api/session", json={"email": email, "password": password}, environ_overrides={"REMOTE_ADDR": address})


def test_the_eleventh_guess_is_told_to_wait(kit: Kit) -> None:
    """429 in words, with the seconds; known and unknown accounts alike, the right password too."""
    kit.staff()
    for email in (EMAIL, "nobody@desk.example"):
        client = kit.app.test_client()
        told = [code(signs_in(client, "wrong", f"203.0.113.{n}", email)) for n in range(11)]
        assert told == [(401, "wrong_credentials")] * 10 + [(429, "too_many")]
    refusal = signs_in(kit.app.test_client(), address="192.0.2.1")
    check_shape(refusal)
    assert refusal.status_code == 429
    assert refusal.headers["Retry-After"] == "901"
    assert refusal.get_json()["error"]["message"] == "Too many tries to sign in; please wait."


def test_the_owners_own_browser_comes_in_under_attack(kit: Kit) -> None:
    """By a cookie of an earlier signing in, also after signing out; it opens nothing by itself, and scripts cannot read it."""
    owner = kit.staff()
    cookies = owner.signed_in.headers.getlist("Set-Cookie")
    (device,) = [cookie for cookie in cookies if cookie.startswith("touchdesk-device=")]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=34560000"} <= set(device.split("; "))
    owner.write("DELETE", "/api/session")
    assert code(owner.get("/api/session")) == (401, "unauthorized")
    for n in range(50):
        signs_in(kit.app.test_client(), "wrong", f"198.51.100.{n}")
    assert signs_in(kit.app.test_client()).status_code == 429
    assert signs_in(owner.client).status_code == 200


def test_a_device_cookie_that_is_forged_helps_nobody(kit: Kit) -> None:
    """Nor does one of another account, nor the customers' kind of token."""
    kit.staff()
    bob = kit.staff("Bob")
    tokens = kit.services.tokens
    for n in range(10):
        signs_in(kit.app.test_client(), "wrong", f"198.51.100.{n}")
    account = kit.services.accounts.account(EMAIL)
    for forged in ("", "forged", tokens.issue(f"device {account}"), tokens.reference(f"device {account}"), f"device {account}"):
        client = kit.app.test_client()
        client.set_cookie("touchdesk-device", forged)
        assert signs_in(client, address="192.0.2.1").status_code == 429
    assert signs_in(bob.client, address="192.0.2.1").status_code == 429


def test_an_ended_session_is_401_and_closes_its_streams(kit: Kit) -> None:
    """Ended by anyone, at the command line too; what other sessions have open goes on."""
    ada, bob = kit.staff(), kit.staff("Bob")
    streams = [iter(person.get("/api/desk/events", headers={"Accept": "text/event-stream"}).response) for person in (ada, bob)]
    assert [next(stream) for stream in streams] == [b": open\n\n"] * 2
    assert len(kit.wakeups.sessions()) == 2
    kit.house.accounts.change_role(EMAIL, "editor")
    assert code(ada.get("/api/session")) == (401, "unauthorized")
    ended = kit.house.accounts.ended(kit.wakeups.sessions())
    assert len(ended) == 1
    kit.wakeups.wake_sessions(ended)
    assert list(streams[0]) == []
    assert kit.wakeups.count() == 1
    kit.wakeups.close_all()


def test_a_poll_of_an_ended_session_ends_with_401(kit: Kit) -> None:
    """It tells nothing that happened meanwhile."""
    ada = kit.staff()
    token = ada.signed_in.headers["Set-Cookie"].partition(";")[0].partition("=")[2]

    def end() -> None:
        deadline = time.monotonic() + 10
        while session_digest(token) not in kit.wakeups.sessions() and time.monotonic() < deadline:
            time.sleep(0.01)
        kit.house.accounts.disable(EMAIL)
        kit.customer()
        kit.wakeups.wake_sessions({session_digest(token)})

    ender = threading.Thread(target=end)
    ender.start()
    before = time.monotonic()
    assert code(ada.get("/api/desk/events?wait=30")) == (401, "unauthorized")
    assert time.monotonic() - before < 10
    ender.join()


def test_what_staff_are_told_is_kept_by_no_cache(kit: Kit) -> None:
    """Every answer behind the cookie, refusals too."""
    ada = kit.staff()
    for path in ("/api/session", "/api/desk/conversations", "/api/desk/events", "/api/touchpoints", "/api/desk/conversations/x"):
        answer = ada.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]
