"""The action server as a process of its own: who may call, and what it says when something is wrong."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from actions.search_client import ActionsError
from actions.server import ServerSettings, read_settings
from tests.bot.fake_search import CONTRACT, SECRET, FakeSearch, faq

Json = dict[str, Any]
ROOT = CONTRACT.parents[1]


@pytest.fixture(scope="module")
def server(search_service: FakeSearch) -> Iterator[str]:
    """The server's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"TOUCHDESK_SEARCH_URL": search_service.url, "TOUCHDESK_INNER_SECRET": SECRET, "TOUCHDESK_ACTIONS_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "actions.server"], cwd=ROOT, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while not is_up(url):
            assert process.poll() is None, "the action server ended"
            assert time.monotonic() < deadline, "the action server did not start"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def is_up(url: str) -> bool:
    """Whether the server answers."""
    try:
        return requests.get(f"{url}/health", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def call(url: str, action: str = "action_answer", secret: str = SECRET, body: object = None) -> requests.Response:
    """A call as Rasa makes it."""
    tracker = {"sender_id": "s", "slots": {"owner": "bot"}, "latest_message": {"text": "private words"}, "events": [], "active_loop": {}}
    asked = {"next_action": action, "sender_id": "s", "tracker": {**tracker, "paused": False, "followup_action": None, "latest_action_name": None}}
    return requests.post(f"{url}/webhook", json=asked if body is None else body, headers={"Authorization": f"Bearer {secret}"}, timeout=10)


def assert_error(answer: requests.Response, status: int, code: str) -> None:
    """The one error shape, and nothing of what the customer wrote."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()["error"]) == {"code", "message", "detail"}
    assert "private words" not in answer.text


def test_rasa_gets_slots(server: str, search: FakeSearch) -> None:
    """Events and no words."""
    search.answers(faq())
    answer = call(server)
    assert answer.status_code == 200
    assert answer.json()["responses"] == []
    assert {"event": "slot", "timestamp": None, "name": "result", "value": "answered"} in answer.json()["events"]


def test_a_wrong_secret_is_refused(server: str) -> None:
    """Loopback alone is no reason to trust a caller."""
    assert_error(call(server, secret="wrong"), 401, "unauthorized")


def test_a_failing_search_is_told_without_the_tracker(server: str, search: FakeSearch) -> None:
    """rasa-sdk's own server would echo all of it."""
    search.status = 500
    assert_error(call(server), 502, "search_failed")


def test_an_unknown_action(server: str) -> None:
    """Named, not guessed."""
    assert_error(call(server, action="action_sing"), 404, "not_found")


@pytest.mark.parametrize("body", [[], "x", {"tracker": []}])
def test_a_call_of_another_shape(server: str, body: object) -> None:
    """Not a 500."""
    assert_error(call(server, body=body), 422, "bad_call")


def test_a_body_that_is_not_json(server: str) -> None:
    """Not a 500."""
    answer = requests.post(f"{server}/webhook", data=b"{", headers={"Authorization": f"Bearer {SECRET}"}, timeout=5)
    assert_error(answer, 400, "bad_request")


def test_an_unknown_path(server: str) -> None:
    """In the same shape."""
    assert_error(requests.get(f"{server}/actions", timeout=5), 404, "bad_request")


def test_no_origin_is_allowed(server: str) -> None:
    """A web page has no business here."""
    answer = requests.get(f"{server}/health", headers={"Origin": "https://example.org"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_settings_are_read_from_the_environment() -> None:
    """With the default port."""
    environ = {"TOUCHDESK_SEARCH_URL": "http://127.0.0.1:1", "TOUCHDESK_INNER_SECRET": "s"}
    assert read_settings(environ) == ServerSettings("http://127.0.0.1:1", "s", 5055)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "TOUCHDESK_SEARCH_URL, TOUCHDESK_INNER_SECRET"),
        ({"TOUCHDESK_SEARCH_URL": "u", "TOUCHDESK_INNER_SECRET": ""}, "TOUCHDESK_INNER_SECRET"),
        ({"TOUCHDESK_SEARCH_URL": "u", "TOUCHDESK_INNER_SECRET": "s", "TOUCHDESK_ACTIONS_PORT": "high"}, "TOUCHDESK_ACTIONS_PORT"),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], named: str) -> None:
    """At the start, not at the first message."""
    with pytest.raises(ActionsError, match=named):
        read_settings(environ)
