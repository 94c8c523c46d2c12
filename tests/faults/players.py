"""Customers, agents and watchers as programs. They use the public contract alone, and every call and every event goes into the record."""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.faults.record import FAILED, OK, UNKNOWN, Call, Record, Seen, digest

TIMEOUT_S = 15.0
PAUSE_S = 0.05
"""Before a call is made again. The widget waits longer; a shorter pause hits a starting web harder."""


class NoAnswer(Exception):
    """The call got no whole answer; perhaps it took effect."""


class Line:
    """A kept connection to one of several webs; a call that fails goes to the next of them."""

    def __init__(self, ports: Sequence[int], headers: dict[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.ports = list(ports)
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and parsed answer. Raises `NoAnswer`."""
        kept = self._connection
        connection = self._connection = kept or http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=self._timeout_s)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {**self.headers, "Cookie": "; ".join(self._cookies.values())})
            if connection.sock is not None:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.getresponse() as response:
                answer = response.read()
                for cookie in response.headers.get_all("Set-Cookie") or ():
                    self._cookies[cookie.partition("=")[0]] = cookie.partition(";")[0]
            return response.status, json.loads(answer) if answer else None
        except (OSError, http.client.HTTPException, ValueError) as cause:
            self.close()
            self.ports.append(self.ports.pop(0))
            raise NoAnswer(repr(cause)) from cause

    def __del__(self) -> None:
        """Whoever plays goes with the round; nobody has to hang up for each of some hundreds."""
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Player:
    """Makes calls and records them."""

    def __init__(self, name: str, ports: Sequence[int], record: Record) -> None:
        self.name = name
        self.record = record
        self.line = Line(ports)

    def once(self, what: str, conversation: str, method: str, path: str, body: Any = None) -> tuple[int | None, Any]:
        """One call, recorded with its outcome; the status is None when no answer came."""
        began = time.monotonic()
        try:
            status, answer = self.line.ask(method, path, body)
        except NoAnswer:
            status, answer = None, None
        outcome = UNKNOWN if status is None else OK if status < 300 else FAILED
        told = body if isinstance(body, dict) else {}
        seq = answer.get("seq") if outcome == OK and isinstance(answer, dict) else None
        took_s = time.monotonic() - began
        self.record.add(Call(self.name, what, conversation, outcome, told.get("client_id"), told.get("text"), seq, status, took_s))
        return status, answer

    def until_answered(self, what: str, conversation: str, method: str, path: str, body: Any = None, give_up_s: float = 60) -> tuple[int, Any]:
        """Again and again, as the widget does, until there is an answer that is neither 503 nor 429."""
        end_at = time.monotonic() + give_up_s
        while True:
            status, answer = self.once(what, conversation, method, path, body)
            if status is not None and status not in (429, 503):
                return status, answer
            assert time.monotonic() < end_at, f"{self.name}: no answer to {what} within {give_up_s} s (last: {status})"
            time.sleep(PAUSE_S)


class Customer(Player):
    """A visitor with one conversation at a time."""

    def __init__(self, name: str, ports: Sequence[int], record: Record) -> None:
        super().__init__(name, ports, record)
        self.conversation = ""
        self.token = ""
        self._said = 0
        self.begins()

    @property
    def path(self) -> str:
        return f"/api/conversations/{self.conversation}"

    def begins(self) -> None:
        """Begin another conversation."""
        status, answer = self.until_answered("start", "", "POST", "/api/conversations", {})
        assert status == 201, answer
        self.conversation, self.token = answer["conversation"]["id"], answer["token"]
        self.line.headers["Authorization"] = f"Bearer {self.token}"

    def says(self, text: str | None = None, client_id: str | None = None) -> int:
        """Say something until it is acknowledged; its number."""
        self._said += 1
        text = text or f"{self.name} {self._said}"
        body = {"client_id": client_id or f"m{self._said}", "text": text}
        status, answer = self.until_answered("say", self.conversation, "POST", f"{self.path}/messages", body)
        assert status in (200, 202), (status, answer)
        return int(answer["seq"])

    def says_once(self, text: str, client_id: str) -> tuple[int | None, Any]:
        """Say something once, whatever comes of it."""
        return self.once("say", self.conversation, "POST", f"{self.path}/messages", {"client_id": client_id, "text": text})

    def asks_for_a_person(self) -> int:
        """Into the queue."""
        return self.until_answered("handoff", self.conversation, "POST", f"{self.path}/handoff", {})[0]

    def events(self, after: int = 0, wait: int = 0) -> list[dict[str, Any]]:
        """The events after a number. Raises `NoAnswer`."""
        status, answer = self.line.ask("GET", f"{self.path}/events?after={after}&wait={wait}")
        if status != 200:
            raise NoAnswer(f"{status}")
        found: list[dict[str, Any]] = answer["events"]
        return found

    def hears(self, seq: int, timeout_s: float) -> dict[str, Any] | None:
        """What follows a message within so long: the data of the bot's first message or of a change of owner; None for silence."""
        end_at, after = time.monotonic() + timeout_s, seq
        while time.monotonic() < end_at:
            try:
                for event in self.events(after, wait=1):
                    after = event["seq"]
                    if event["type"] == "owner" or event["data"].get("author") in ("bot", "system", "agent"):
                        return dict(event["data"])
            except NoAnswer:
                time.sleep(PAUSE_S)
        return None


class Agent(Player):
    """One person at the desk."""

    def __init__(self, name: str, ports: Sequence[int], record: Record, *, email: str, password: str) -> None:
        super().__init__(name, ports, record)
        status, answer = self.until_answered("sign-in", "", "POST", "/api/session", {"email": email, "password": password})
        assert status == 200, answer
        self.name = f"agent:{answer['staff']['id']}"  # what the database calls them
        self.line.headers["X-CSRF-Token"] = answer["csrf_token"]
        self._said = 0

    def accepts(self, conversation: str) -> tuple[int | None, Any]:
        """Try once to take a conversation."""
        return self.once("accept", conversation, "POST", f"/api/desk/conversations/{conversation}/accept", {})

    def does(self, conversation: str, what: str, **body: Any) -> tuple[int, Any]:
        """One action on a conversation, until it is answered."""
        return self.until_answered(what, conversation, "POST", f"/api/desk/conversations/{conversation}/{what}", body)

    def replies(self, conversation: str, text: str) -> tuple[int, Any]:
        """Write to the customer."""
        self._said += 1
        body = {"client_id": f"{self.name[-8:]}-{self._said}", "text": text}
        return self.until_answered("reply", conversation, "POST", f"/api/desk/conversations/{conversation}/messages", body)

    def away(self, away: bool) -> None:
        """Away or back."""
        self.until_answered("presence", "", "PUT", "/api/desk/presence", {"away": away})


class Watcher:
    """Reads one conversation's stream, comes back after whatever ends it, and notes each numbered event."""

    def __init__(self, name: str, customer: Customer, record: Record, ports: Sequence[int]) -> None:
        self.name = name
        self.last = 0
        self.cuts = 0
        self.bytes = 0
        self._record = record
        self.conversation, self._token = customer.conversation, customer.token
        self._path = f"{customer.path}/events"
        self._ports = list(ports)
        self._rest = b""

    def read(
        self, *, at_most: int | None = None, until: int | None = None, stop: threading.Event | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Read until the stream ends, ``at_most`` bytes have come, number ``until`` is there, or ``stop`` is set."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[0], timeout=timeout_s)
        self._rest, left = b"", at_most
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
            connection.request("GET", f"{self._path}?after={self.last}", headers=headers)
            response = connection.getresponse()
            while response.status == 200 and not (stop is not None and stop.is_set()) and (left is None or left > 0):
                piece = response.read1(min(4096, 4096 if left is None else left))
                if not piece:
                    break
                left = None if left is None else left - len(piece)
                self._take(piece)
                if until is not None and self.last >= until:
                    break
            if left == 0:
                self.cuts += 1
                _cut(connection)
        except (OSError, http.client.HTTPException, ValueError):
            self._ports.append(self._ports.pop(0))
        finally:
            connection.close()

    def watch(self, stop: threading.Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            self.read(stop=stop, timeout_s=1.0)
            time.sleep(PAUSE_S)

    def catch_up(self, last: int, give_up_s: float = 30) -> None:
        """Read to a number; from then on the record holds all of the conversation."""
        end_at = time.monotonic() + give_up_s
        while self.last < last and time.monotonic() < end_at:
            self.read(until=last, timeout_s=2.0)
        self._record.watched_to_the_end.add(self.name)

    def _take(self, piece: bytes) -> None:
        self.bytes += len(piece)
        *frames, self._rest = (self._rest + piece).split(b"\n\n")
        for frame in frames:
            if frame.startswith(b"id: "):
                event = json.loads(frame.partition(b"data: ")[2])
                self.last = event["seq"]
                self._record.add(Seen(self.name, self.conversation, event["seq"], digest(event["type"], event["data"])))


def _cut(connection: http.client.HTTPConnection) -> None:
    """Cut the line: half of the time with a reset, as a lost network does, else as a closed tab does."""
    if connection.sock is not None and random.random() < 0.5:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def together(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do all at once, each in a thread, and give back what they gave; the first failure is raised."""
    results: list[Any] = [None] * len(jobs)
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def work(number: int) -> None:
        try:
            barrier.wait(30)
            results[number] = jobs[number]()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results
