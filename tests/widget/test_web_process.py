"""The web process as it is run, on loopback, with neither Rasa nor search: streams, polls, bad clients, and its end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.settings import ROOT

PATIENCE_S = 30.0
PASSWORD = "correct horse battery"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Web:
    """``python -m widget`` and what is asked of it."""

    def __init__(self, folder: Path, **changes: str) -> None:
        self.port = free_port()
        closed = {f"TOUCHDESK_{name}_PORT": str(free_port()) for name in ("RASA", "ACTIONS", "SEARCH")}
        mine = {"TOUCHDESK_VAR": str(folder), "TOUCHDESK_PORT": str(self.port), "TOUCHDESK_ADMIN_EMAIL": "a@b.example", **closed}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
        environment = {**inherited, **mine, "TOUCHDESK_ADMIN_PASSWORD": PASSWORD, **{f"TOUCHDESK_{name}": value for name, value in changes.items()}}
        self.environment = environment
        subprocess.run([sys.executable, "-m", "desk", "init"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)
        self.log = (folder / "web.log").open("wb")
        self.process = subprocess.Popen([sys.executable, "-m", "widget"], cwd=ROOT, env=environment, stderr=self.log)
        self._wait_until_alive()

    def _wait_until_alive(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                assert self.ask("GET", "/healthz")[0] == 200
                return
            except OSError:
                assert self.process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)  # a process tells nobody from when on it listens; it can only be asked again

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        with contextlib.closing(self.connect()) as connection:
            # A refusal may come, and the door close, before a large body is out.
            with contextlib.suppress(BrokenPipeError):
                connection.request(method, path, content, headers)
            with connection.getresponse() as response:
                answer = response.read()
        return response.status, json.loads(answer) if answer else None

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def customer(self) -> Customer:
        return Customer(self)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.log.close()


class Customer:
    def __init__(self, web: Web) -> None:
        self.web = web
        _, started = web.ask("POST", "/api/conversations", {})
        self.token = started["token"]
        self.path = f"/api/conversations/{started['conversation']['id']}"

    def asks(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self.web.ask(method, self.path + path, body, self.token)

    def says(self, text: str) -> int:
        status, answer = self.asks("POST", "/messages", {"client_id": text.replace(" ", "-"), "text": text})
        assert status == 202
        return int(answer["seq"])

    def stream(self, after: int = 0) -> Stream:
        return Stream(self.web.connect(), f"{self.path}/events?after={after}", {"Authorization": f"Bearer {self.token}"})


class Stream:
    """An open event stream, read frame by frame."""

    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> None:
        self._connection = connection
        connection.request("GET", path, headers={**headers, "Accept": "text/event-stream"})
        self._response = connection.getresponse()
        assert self._response.status == 200
        assert self.frame() == ": open"

    def frame(self) -> str:
        """The next frame, empty at the end."""
        lines = []
        while line := self._response.readline().decode().rstrip("\n"):
            lines.append(line)
        return "\n".join(lines)

    def events(self, number: int) -> list[dict[str, Any]]:
        """So many numbered events, whatever else comes between."""
        found: list[dict[str, Any]] = []
        while len(found) < number:
            frame = self.frame()
            assert frame, "the stream ended"
            if frame.startswith("id: "):
                found.append(json.loads(frame.partition("data: ")[2]))
        return found

    def close(self) -> None:
        self._response.close()
        self._connection.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    web = Web(tmp_path_factory.mktemp("var"))
    yield web
    web.close()


@pytest.fixture
def customer(web: Web) -> Customer:
    return web.customer()


def test_everyone_who_watches_sees_the_same_events_in_the_same_order(customer: Customer) -> None:
    """A hundred events to two streams and to whoever asks afterwards, while four write at once."""
    streams = [customer.stream(), customer.stream()]
    writers = [threading.Thread(target=lambda n=n: [customer.says(f"writer {n} message {m}") for m in range(25)]) for n in range(4)]
    for writer in writers:
        writer.start()
    seen = [stream.events(100) for stream in streams]
    for writer in writers:
        writer.join(PATIENCE_S)
    _, asked = customer.asks("GET", "/events")
    for stream in streams:
        stream.close()
    assert seen[0] == seen[1]
    assert seen[0] == asked["events"][:100]
    assert [event["seq"] for event in seen[0]] == list(range(1, 101))
    for n in range(4):
        own = [event["data"]["text"] for event in seen[0] if event["data"].get("text", "").startswith(f"writer {n} ")]
        assert own == [f"writer {n} message {m}" for m in range(25)]


def test_a_lost_connection_is_taken_up_after_the_last_number(customer: Customer) -> None:
    """Nothing twice, nothing missed, and quickly."""
    stream = customer.stream()
    customer.says("one")
    (first,) = stream.events(1)
    stream.close()
    for n in range(5):
        customer.says(f"missed {n}")
    before = time.monotonic()
    again = customer.stream(first["seq"])
    assert [event["seq"] for event in again.events(5)] == [2, 3, 4, 5, 6]
    assert time.monotonic() - before < 2
    again.close()


def test_a_long_poll_answers_as_soon_as_there_is_something(customer: Customer) -> None:
    """Not before, and not much after."""
    told: list[Any] = []
    poll = threading.Thread(target=lambda: told.append(customer.asks("GET", "/events?wait=20")))
    before = time.monotonic()
    poll.start()
    time.sleep(0.3)  # long enough for a poll that does not wait to have answered
    assert told == []
    customer.says("hello")
    poll.join(PATIENCE_S)
    assert time.monotonic() - before < 15
    ((status, answer),) = told
    assert (status, answer["events"][0]["data"]["text"]) == (200, "hello")
    assert customer.asks("GET", "/events?after=1&wait=1")[0] == 200


def test_no_message_ends_in_silence_with_rasa_and_search_away(customer: Customer) -> None:
    """Within 10 s of acceptance the customer is told in words and offered a person."""
    stream = customer.stream()
    before = time.monotonic()
    customer.says("is anybody there")
    _, reply = stream.events(2)
    assert time.monotonic() - before < 10
    assert reply["data"]["outcome"] == "failed"
    assert [choice["payload"] for choice in reply["data"]["choices"]] == ["/request_person"]
    customer.asks("POST", "/handoff")
    (change,) = stream.events(1)
    assert change["data"] == {"owner": "queued", "reason": "customer_asked"}
    stream.close()


def test_the_desk_hears_of_a_customer_at_once(web: Web, customer: Customer) -> None:
    """Signed in, watching, and told of what happens from now on."""
    connection = web.connect()
    connection.request("POST", "/api/session", json.dumps({"email": "a@b.example", "password": PASSWORD}), {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        cookie = response.headers["Set-Cookie"].partition(";")[0]
        response.read()
    connection.close()
    desk = Stream(web.connect(), "/api/desk/events", {"Cookie": cookie})
    customer.says("hello")
    frame = desk.frame()
    assert frame.startswith("id: ")
    assert json.loads(frame.partition("data: ")[2])["conversation_id"] == customer.path.rpartition("/")[2]
    desk.close()


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def test_a_body_in_pieces_and_several_requests_on_one_connection(web: Web, customer: Customer) -> None:
    """Chunked like whole; the next request begins where the last one ended, after HEAD and errors too."""
    auth = f"Host: x\r\nAuthorization: Bearer {customer.token}\r\n"
    with web.raw() as connection:
        body = json.dumps({"client_id": "pieces", "text": "in pieces"}).encode()
        head = f"POST {customer.path}/messages HTTP/1.1\r\n{auth}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for piece in (body[:7], body[7:]):
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert read_answer(connection) == (202, b'{"seq":1}\n')
        for path, status in ((customer.path, 200), ("/api/nothing", 404), (f"{customer.path}/events?wait=1", 200), ("/api/openapi.json", 200)):
            connection.sendall(f"HEAD {path} HTTP/1.1\r\n{auth}\r\n".encode())
            response = http.client.HTTPResponse(connection, method="HEAD")
            response.begin()
            assert response.status == status
            response.read()
        connection.sendall(f"GET {customer.path} HTTP/1.1\r\n{auth}\r\n".encode())
        status, answer = read_answer(connection)
        assert (status, json.loads(answer)["last"]) == (200, 1)


@pytest.mark.parametrize("megabytes", [0.07, 1, 5])
def test_too_large_a_body_is_refused_in_the_one_shape(web: Web, customer: Customer, megabytes: float) -> None:
    """At once, and the server goes on."""
    status, answer = customer.asks("POST", "/messages", {"client_id": "x", "text": "x" * int(megabytes * 1_000_000)})
    assert (status, answer["error"]["code"]) == (413, "too_large")
    assert customer.says("small") == 1


JUNK = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    b"GET /%ff%00 HTTP/1.1\r\nHost: \xff\r\n\r\n",
]


def test_junk_and_clients_that_vanish_do_no_harm(web: Web, customer: Customer) -> None:
    """Requests that are none, bodies that never come, streams that are left without a word: never a 5xx, and all else goes on."""
    for junk in JUNK:
        with web.raw() as connection:
            connection.sendall(junk)
            with contextlib.suppress(OSError):  # it may have been reset already
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
            assert not answer.startswith(b"HTTP/1.1 5"), (junk[:40], answer)
    for _ in range(20):
        customer.stream().close()
    silent = [web.raw() for _ in range(20)]
    customer.says("still there")
    assert customer.asks("GET", "")[1]["last"] >= 1
    for connection in silent:
        connection.close()
    assert "Traceback" not in Path(web.log.name).read_text(encoding="utf-8")


def test_a_client_that_does_not_read_holds_up_nobody(customer: Customer) -> None:
    """Its stream fills up; others are served as before."""
    deaf, awake = customer.stream(), customer.stream()
    for n in range(60):
        assert customer.asks("POST", "/messages", {"client_id": f"long-{n}", "text": f"{n} " + "x" * 7900})[0] == 202
    assert len(awake.events(60)) == 60
    awake.close()
    deaf.close()


def test_asked_to_stop_it_tells_the_streams_and_finishes_what_it_does(tmp_path: Path) -> None:
    """Streams and polls are sent away with a word, idle connections hold nothing up, and the next start knows everything."""
    web = Web(tmp_path)
    try:
        customer = web.customer()
        idle = web.connect()
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        stream = customer.stream()
        told: list[Any] = []
        poll = threading.Thread(target=lambda: told.append(customer.asks("GET", "/events?after=5&wait=30")))
        poll.start()
        time.sleep(0.3)  # so that the poll waits in web, of which web tells nobody, and is not on its way there
        customer.says("hello")
        before = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        frames = []
        while frame := stream.frame():
            frames.append(frame)
        poll.join(PATIENCE_S)
        assert frames[-1] == "event: reconnect\ndata: {}"
        assert told[0][0] == 200
        assert web.process.wait(PATIENCE_S) == 0
        assert time.monotonic() - before < 15
        stream.close()
        idle.close()
    finally:
        web.close()
    again = Web(tmp_path)
    try:
        status, answer = again.ask("GET", f"{customer.path}/events", token=customer.token)
        assert (status, answer["events"][0]["data"]["text"]) == (200, "hello")
    finally:
        again.close()
