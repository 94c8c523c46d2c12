"""Whether the kit is ready, as web says it."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from kit.ports import free_ports
from kit.readiness import Readiness, ask_ready, parts_not_ready

Web = Callable[[int, bytes], str]


@pytest.fixture
def web() -> Iterator[Web]:
    """A server that answers every question with this status and body; gives its address."""
    servers = []

    def serve(status: int, body: bytes) -> str:
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/readyz" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *ignored: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_two_hundred_is_ready(web: Web) -> None:
    """Whatever the body says."""
    assert ask_ready(web(200, b"")) == Readiness(True)


def test_the_parts_that_are_not_ready_are_named(web: Web) -> None:
    """Each with what it says of it."""
    body = {"ready": False, "parts": {"rasa": {"ready": False, "message": "refused"}, "search": {"ready": True, "message": ""}}}
    assert ask_ready(web(503, json.dumps(body).encode())) == Readiness(False, {"rasa": "refused"})


@pytest.mark.parametrize("status", [200, 503])
def test_what_web_says_of_the_companys_files_comes_along(web: Web, status: int) -> None:
    """Whether everything is ready or not; what is no list of notes is none."""
    ready = ask_ready(web(status, b'{"notes": ["brand.yml:3: tone: ...", 7]}'))
    assert ready.notes == ("brand.yml:3: tone: ...", "7")
    assert ask_ready(web(status, b'{"notes": "none"}')).notes == ()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"parts": 3}', b"\xff"])
def test_an_answer_that_names_no_part_is_webs_own(web: Web, body: bytes) -> None:
    """A broken web is what is waited for, not an error of ours."""
    assert ask_ready(web(503, body)) == Readiness(False, {"web": "answers 503"})


def test_nobody_there_is_not_ready() -> None:
    """Before web listens, it is web that is waited for."""
    assert ask_ready(f"http://127.0.0.1:{free_ports(1)[0]}") == Readiness(False, {"web": "does not answer"})


def test_a_part_without_a_verdict_is_not_ready() -> None:
    """Only a plain yes counts."""
    assert parts_not_ready({"parts": {"search": {}, "rasa": {"ready": "yes"}, "web": {"ready": True}}}) == {"search": "", "rasa": ""}
