"""Which requests leave a line in the log, and what stands in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kit.logs import Lines
from tests.widget.conftest import PASSWORD, Kit


class Kept(logging.Handler):
    """Keeps the lines as the log would have them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Lines("web"))
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(json.loads(self.format(record)))

    @property
    def requests(self) -> list[tuple[str, str | None, int, bool]]:
        """Method, route, status, and whether a person of the staff is named."""
        return [(one["method"], one["route"], one["status"], bool(one["staff"])) for one in self.lines if one["event"] == "request"]


@pytest.fixture
def log() -> Iterator[Kept]:
    """What is logged by the web while a test runs."""
    logger, kept = logging.getLogger("widget.request_log"), Kept()
    logger.addHandler(kept)
    before = logger.level
    logger.setLevel(logging.INFO)
    yield kept
    logger.setLevel(before)
    logger.removeHandler(kept)


def test_who_signs_in_and_who_does_not_is_logged(kit: Kit, log: Kept) -> None:
    """Success with the person's id; a wrong password and a missing session without; no address in either."""
    staff = kit.staff()
    kit.app.test_client().post("/api/session", json={"email": "ada@desk.example", "password": "wrong"})
    kit.app.test_client().get("/api/desk/conversations")
    staff.write("DELETE", "/api/session")
    assert log.requests == [
        ("POST", "/api/session", 200, True),
        ("POST", "/api/session", 401, False),
        ("GET", "/api/desk/conversations", 401, False),
        ("DELETE", "/api/session", 204, True),
    ]
    assert "ada@" not in json.dumps(log.lines)
    assert PASSWORD not in json.dumps(log.lines)


def test_what_staff_may_not_do_and_what_they_write_is_logged(kit: Kit, log: Kept) -> None:
    """A write without its second token, a route for others, and an ordinary write; reading is not."""
    staff, customer = kit.staff(), kit.customer()
    customer.post("/handoff", {})
    log.lines.clear()
    staff.get("/api/desk/conversations")
    staff.client.post(f"/api/desk/conversations/{customer.id}/accept")
    staff.post(f"/api/desk/conversations/{customer.id}/accept")
    assert [(route, status, named) for _, route, status, named in log.requests] == [
        ("/api/desk/conversations/<conversation_id>/accept", 403, True),
        ("/api/desk/conversations/<conversation_id>/accept", 200, True),
    ]
    assert customer.id not in json.dumps(log.lines)


def test_customers_leave_a_line_only_when_they_are_refused(kit: Kit, log: Kept) -> None:
    """Not what they ask and get; a foreign conversation is a 404 like any other; a broken body and a forged token are told by route and status."""
    customer = kit.customer()
    customer.says("hello")
    customer.events()
    kit.app.test_client().get("/nothing-here")
    assert log.requests == []
    customer.client.get(f"/api/conversations/{customer.id}", headers={"Authorization": "Bearer forged"})
    customer.client.open("/api/conversations", method="POST", data="{", headers={"Content-Type": "application/json"})
    assert [(status, named) for _, _, status, named in log.requests] == [(401, False), (400, False)]


def test_trace_echoes_nothing(kit: Kit) -> None:
    """A method that would give headers back is none of the kit's, on any route."""
    for path in ("/", "/help", "/api/session", "/api/conversations", "/healthz"):
        answer = kit.app.test_client().open(path, method="TRACE", headers={"Cookie": "touchdesk=zq7canary"})
        assert answer.status_code == 405
        assert "zq7canary" not in answer.get_data(as_text=True)
