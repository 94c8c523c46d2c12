"""Asking Rasa, against a real server that answers well, badly, too much, too slowly or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from desk.bot_client import BotClient, read_result
from desk.exceptions import BotFailed
from desk.model import OUTCOMES
from kit.settings import ROOT
from knowledge_base.bounded_http import ANSWER_LIMIT_BYTES

CONTRACT = ROOT / "tests" / "contract"
GOOD: dict[str, Any] = json.loads((CONTRACT / "turn_response.json").read_text(encoding="utf-8"))
REQUEST: dict[str, Any] = json.loads((CONTRACT / "turn_request.json").read_text(encoding="utf-8"))


class Rasa:
    """A server on loopback that reads each request and lets ``answer`` do what it likes with the connection."""

    def __init__(self) -> None:
        self.answer: Callable[[socket.socket], None] = lambda connection: send(connection, json.dumps(GOOD).encode())
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._open: list[socket.socket] = []
        self.hangs = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader:
            connection.settimeout(10)
            try:
                while head := read_head(reader):
                    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
                    self.requests.append((head, json.loads(reader.read(length))))
                    self.answer(connection)
            except OSError:
                return

    @property
    def connections(self) -> int:
        return len(self._open)

    def close(self) -> None:
        self.hangs.set()
        for connection in self._open:
            if connection.fileno() >= 0:
                hang_up(connection)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


def read_head(reader: Any) -> str:
    lines = []
    while (line := reader.readline()) not in (b"", b"\r\n"):
        lines.append(line.decode())
    return "".join(lines)


def send(connection: socket.socket, body: bytes, status: str = "200 OK") -> None:
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was first
        connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def rasa() -> Iterator[Rasa]:
    server = Rasa()
    yield server
    server.close()


@pytest.fixture
def client(rasa: Rasa) -> BotClient:
    return BotClient(rasa.url, "the inner secret")


def ask(client: BotClient, budget_s: float = 5.0) -> Any:
    return client.turn(REQUEST["turn_id"], REQUEST["text"], REQUEST["state"], owner=REQUEST["owner"], budget_s=budget_s)


def test_the_request_is_the_golden_one_and_the_answer_is_read_whole(rasa: Rasa, client: BotClient) -> None:
    """With the inner secret, the time that remains, and every part of the answer in its place."""
    result = ask(client, 7.9)
    ((head, body),) = rasa.requests
    assert head.startswith("POST /turns HTTP/1.1\r\n")
    assert "Authorization: Bearer the inner secret\r\n" in head
    assert body == REQUEST
    assert (result.outcome, result.intent, result.confidence, result.via) == ("answered", "question", 0.31, "rasa")
    (reply,) = result.replies
    read = {"text": reply.text, "body": reply.body, "choices": list(reply.choices), "sources": list(reply.sources), "outcome": reply.outcome}
    assert read == GOOD["replies"][0]
    assert result.state == GOOD["state"]


def test_a_hand_off_brings_its_reason_and_verdict() -> None:
    """The other golden answer."""
    result = read_result(json.loads((CONTRACT / "turn_response_handoff.json").read_text(encoding="utf-8")))
    assert (result.outcome, result.handoff, result.verdict_slug, result.verdict_solved) == ("handed_off", "not_solved", "router-red-light", False)


def test_the_connection_is_kept_and_a_restart_of_rasa_costs_nothing(rasa: Rasa, client: BotClient) -> None:
    """A kept connection that has ended is opened anew; turns have no effect, so asking twice is asking once."""
    for _ in range(3):
        ask(client)
    assert rasa.connections == 1
    rasa.answer = lambda connection: (send(connection, json.dumps(GOOD).encode()), hang_up(connection))[0]
    ask(client)
    assert ask(client).outcome == "answered"
    assert rasa.connections == 2


def changed(**values: Any) -> bytes:
    return json.dumps(GOOD | values).encode()


def reply_with(**values: Any) -> bytes:
    answer = deepcopy(GOOD)
    answer["replies"][0] |= values
    return json.dumps(answer).encode()


SOURCE = GOOD["replies"][0]["sources"][0]
BAD = {
    "what rasa says when it failed": b"[]",
    "nothing": b"",
    "not json": b"<html>502</html>",
    "not utf-8": b"\xff\xfe{}",
    "null": b"null",
    "another shape": b'{"error": {"code": "x"}}',
    "no replies": changed(replies=[]),
    "no replies on answered": changed(replies=[], outcome="small_talk"),
    "unknown outcome": changed(outcome="perhaps"),
    "outcome of another type": changed(outcome=["answered"]),
    "unknown reason": changed(handoff={"reason": "bored"}),
    "hand-off as a text": changed(handoff="customer_asked"),
    "state as a list": changed(state=[1]),
    "state missing": json.dumps({key: value for key, value in GOOD.items() if key != "state"}).encode(),
    "confidence as a text": changed(intent={"name": "x", "confidence": "high"}),
    "confidence not a number": changed(intent={"name": "x", "confidence": float("nan")}),
    "a number beyond numbers": changed().replace(b"0.31", b"1e999"),
    "intent as a list": changed(intent=[]),
    "verdict of another type": changed(verdict={"slug": "x", "solved": "yes"}),
    "verdict as a text": changed(verdict="solved"),
    "empty text": reply_with(text=" \n"),
    "text missing": reply_with(text=None),
    "text as a number": reply_with(text=5),
    "half a character": reply_with(text="\ud800"),
    "reply with an unknown outcome": reply_with(outcome="maybe"),
    "body as markup": reply_with(body="<p>hi</p>"),
    "choices as null": reply_with(choices=None),
    "payload as an object": reply_with(choices=[{"title": "x", "payload": {}}]),
    "source without an address": reply_with(sources=[{key: value for key, value in SOURCE.items() if key != "url"}]),
    "source without a title": reply_with(sources=[SOURCE | {"title": None}]),
    "source as a text": reply_with(sources=["router-red-light"]),
    "depth": b"[" * 200_000,
    "one byte too much": b" " * ANSWER_LIMIT_BYTES + b"1",
    "50 MB": b"x" * 50_000_000,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_an_answer_that_is_not_whole_and_well_formed_is_a_failure(rasa: Rasa, client: BotClient, content: bytes) -> None:
    """One typed error for all of them, and the client works on afterwards."""
    rasa.answer = lambda connection: send(connection, content)
    with pytest.raises(BotFailed):
        ask(client)
    rasa.answer = lambda connection: send(connection, changed())
    assert ask(client).outcome == "answered"


@pytest.mark.parametrize("status", ["500 Internal Server Error", "401 Unauthorized", "404 Not Found", "204 No Content", "302 Found"])
def test_any_other_status_is_a_failure(rasa: Rasa, client: BotClient, status: str) -> None:
    """Even with a good body; a redirect is not followed."""
    body = b"" if status.startswith("204") else changed()
    rasa.answer = lambda connection: send(connection, body, status)
    with pytest.raises(BotFailed, match=status[:3]):
        ask(client)


def test_silence_without_a_reply_is_allowed_when_noted(rasa: Rasa, client: BotClient) -> None:
    """It was said once already that a person will read it."""
    rasa.answer = lambda connection: send(connection, changed(replies=[], outcome="noted"))
    assert ask(client).replies == ()
    assert "noted" in OUTCOMES


def drip(connection: socket.socket, content: bytes) -> None:
    for byte in content:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


SLOW: dict[str, Callable[[Rasa], Callable[[socket.socket], None]]] = {
    "hangs": lambda rasa: lambda connection: bool(rasa.hangs.wait(10)) and None,
    "drips its head": lambda rasa: lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000),
    "drips its body": lambda rasa: lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000),
    "drips without a length": lambda rasa: lambda connection: drip(connection, b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1000),
}


@pytest.mark.parametrize("slowly", SLOW.values(), ids=SLOW)
def test_the_time_holds_however_the_answer_is_late(rasa: Rasa, client: BotClient, slowly: Callable[[Rasa], Callable[[socket.socket], None]]) -> None:
    """The budget is for the whole answer, not for each piece of it."""
    rasa.answer = slowly(rasa)
    before = time.monotonic()
    with pytest.raises(BotFailed, match="TimeoutError"):
        ask(client, budget_s=0.4)
    assert time.monotonic() - before < 2
    rasa.hangs.set()


def break_off(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
    hang_up(connection)


@pytest.mark.parametrize("answer", [hang_up, lambda connection: connection.sendall(b"SMTP ready\r\n\r\n"), break_off])
def test_a_connection_that_breaks_is_a_failure(rasa: Rasa, client: BotClient, answer: Callable[[socket.socket], None]) -> None:
    """Before a word, in another language, or in the middle of one."""
    rasa.answer = answer
    with pytest.raises(BotFailed):
        ask(client, budget_s=2)


def test_nobody_there_is_a_failure_at_once() -> None:
    """The port is closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    before = time.monotonic()
    with pytest.raises(BotFailed, match="ConnectionRefusedError"):
        ask(BotClient(f"http://127.0.0.1:{port}", "s"))
    assert time.monotonic() - before < 1
