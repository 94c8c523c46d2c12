"""Rasa's call to the action server: answers as Rasa's own does, and no more of an answer is read than a real one has."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from bot.actions_endpoint import MOST_BYTES, ActionsEndpoint

MEGABYTE = 1_048_576
ANSWERS = {
    "/well": (200, "application/json", b'{"events": []}'),
    "/page": (200, "text/html", b"<p>hello</p>"),
    "/refused": (400, "application/json", b'{"action_name": "action_x"}'),
    "/just": (200, "application/json", b'"' + b"x" * (MOST_BYTES - 2) + b'"'),
}


class Server(ThreadingHTTPServer):
    """An action server that answers by the address asked; ``sent`` counts what it could send of an answer without end."""

    sent = 0
    authorization: str | None = None


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.authorization = self.headers["Authorization"]
        self.rfile.read(int(self.headers["Content-Length"]))
        status, kind, content = ANSWERS.get(self.path, (500 if self.path == "/endless-refusal" else 200, "application/json", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) or 50 * MEGABYTE))
        self.end_headers()
        try:
            self.wfile.write(content)
            while not content and self.server.sent < 50:
                self.wfile.write(b"x" * MEGABYTE)
                self.server.sent += 1
        except OSError:
            self.close_connection = True  # the caller has had enough

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Answer) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def asked(server: Server, path: str) -> Any:
    """What a call comes to."""
    stock = EndpointConfig(f"http://127.0.0.1:{server.server_address[1]}{path}", headers={"Authorization": "Bearer inner"})
    return asyncio.run(ActionsEndpoint.in_place_of(stock).request(json={"next_action": "action_x"}, method="post", timeout=10, compress=False))


def test_an_answer_comes_parsed_and_the_secret_goes_along(server: Server) -> None:
    assert asked(server, "/well") == {"events": []}
    assert server.authorization == "Bearer inner"


def test_an_answer_of_another_type_is_none(server: Server) -> None:
    """As with Rasa's own."""
    assert asked(server, "/page") is None


def test_a_refusal_is_raised_with_its_words(server: Server) -> None:
    """Rasa reads from them which action was refused."""
    with pytest.raises(ClientResponseError) as caught:
        asked(server, "/refused")
    assert (caught.value.status, caught.value.text) == (400, '{"action_name": "action_x"}')


def test_the_longest_answer_is_read(server: Server) -> None:
    assert len(asked(server, "/just")) == MOST_BYTES - 2


@pytest.mark.parametrize("path", ["/endless", "/endless-refusal"])
def test_a_longer_one_is_left_off(server: Server, path: str) -> None:
    """Soon after its limit, whatever its status."""
    with pytest.raises(ClientPayloadError, match="longer"):
        asked(server, path)
    assert server.sent < 25
