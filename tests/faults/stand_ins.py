"""Rasa and search as one small server in this process: quick, and as bad as a test wants them."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from desk.readiness import PERSON_WANTED

MEGABYTE = 1 << 20
SLUG = "router-red-light"
STATE = {"misses": 0, "pending": None, "article": None, "shown": [], "guide": None, "step": None, "noted": False, "question": None}


class Neighbours(ThreadingHTTPServer):
    """Rasa at ``/turns``, search at ``/search`` and ``/health``. ``rasa`` and ``search`` name how each behaves: a key of `MODES`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.rasa = self.search = "well"
        self.slow_s = 0.0
        self.turns = Counter[str]()
        self.leaving = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def turn(self, text: str) -> dict[str, Any]:
        """A reply that quotes its message."""
        self.turns[text] += 1
        if self.slow_s:
            self.leaving.wait(self.slow_s)
        intent = "request_person" if text == PERSON_WANTED else "question"
        choices = [{"title": SLUG, "payload": json.dumps({"article": SLUG})}]
        reply = {"text": f"Reply to {text}", "body": None, "choices": choices, "sources": [], "outcome": "answered"}
        whole = {"intent": {"name": intent, "confidence": 0.9}, "outcome": "answered", "replies": [reply]}
        return {**whole, "handoff": None, "verdict": None, "state": STATE}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is what these tests are about."""

    def found(self) -> dict[str, Any]:
        """A search that is sure of nothing."""
        return {"generation": "20261121T190000Z-3f9c2a", "verdict": "none", "cutoffs": {"answer": 0.6, "offer": 0.3}, "hits": []}


class _Answer(BaseHTTPRequestHandler):
    server: Neighbours
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        mode = self.server.rasa if self.path == "/turns" else self.server.search
        MODES[mode](self, lambda: self._well(body))

    def _well(self, body: bytes) -> Any:
        if self.path == "/turns":
            return self.server.turn(json.loads(body)["text"])
        if self.path == "/search":
            return self.server.found()
        return {"generation": "20261121T190000Z-3f9c2a", "articles": 1, "problems": []}

    def send(self, content: bytes, status: int = 200, kind: str = "application/json") -> None:
        """A whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


Mode = Callable[[_Answer, Callable[[], Any]], None]


def _well(answer: _Answer, make: Callable[[], Any]) -> None:
    answer.send(json.dumps(make()).encode())


def _hang(answer: _Answer, make: Callable[[], Any]) -> None:
    """Take the question and never answer."""
    answer.server.leaving.wait(120)
    answer.close_connection = True


def _drip(answer: _Answer, make: Callable[[], Any]) -> None:
    """A byte now and then, for ever."""
    answer.send_response(200)
    answer.send_header("Content-Type", "application/json")
    answer.send_header("Content-Length", "100000")
    answer.end_headers()
    end_at = time.monotonic() + 60
    while time.monotonic() < end_at and not answer.server.leaving.wait(0.2):
        answer.wfile.write(b" ")
        answer.wfile.flush()
    answer.close_connection = True


def _fifty_megabytes(answer: _Answer, make: Callable[[], Any]) -> None:
    answer.send_response(200)
    answer.send_header("Content-Type", "application/json")
    answer.send_header("Content-Length", str(50 * MEGABYTE + 2))
    answer.end_headers()
    answer.wfile.write(b'"')
    for _ in range(50):
        answer.wfile.write(b"x" * MEGABYTE)
    answer.wfile.write(b'"')


def _reset(answer: _Answer, make: Callable[[], Any]) -> None:
    answer.close_connection = True


def _fixed(content: bytes, status: int = 200, kind: str = "application/json") -> Mode:
    return lambda answer, make: answer.send(content, status, kind)


MODES: dict[str, Mode] = {
    "well": _well,
    "hang": _hang,
    "drip": _drip,
    "50 MB": _fifty_megabytes,
    "hang up": _reset,
    "200 []": _fixed(b"[]"),
    "200 {}": _fixed(b"{}"),
    "200 empty": _fixed(b""),
    "200 junk": _fixed(b"\x00\xff<html>not json", kind="text/html"),
    "200 null": _fixed(b"null"),
    "200 NaN": _fixed(b'{"outcome": NaN}'),
    "200 deep": _fixed(b"[" * 100_000),
    "500": _fixed(b'{"error": "Traceback ... slot values"}', 500),
    "503": _fixed(b"", 503),
    "404": _fixed(b"not found", 404, "text/plain"),
}
"""Ways to behave, by name."""


@contextmanager
def neighbours(port: int = 0) -> Iterator[Neighbours]:
    """Both neighbours on one port, a free one if none is named, for as long as they are needed."""
    with Neighbours(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.leaving.set()
            server.shutdown()
            thread.join()
