"""One SIGTERM under live chats: the web process as it is run, stand-ins for Rasa and search, and a count of what came of it all.

``python -m tests.widget.draining ROUNDS`` plays it more often than the tests do.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.ports import free_ports
from kit.settings import ROOT
from tests.contract.kit_stand_in import Neighbours
from tests.faults.rows import Row, row

PATIENCE_S = 30.0
CHATS = 50
ACKNOWLEDGED_FIRST = 150
BETWEEN_MESSAGES_S = 0.1


class SlowNeighbours(Neighbours):
    """Rasa and search that take ``slow_s`` for a turn, so that some are under way at any moment."""

    def __init__(self, slow_s: float) -> None:
        super().__init__()
        self.slow_s = slow_s
        self.leaving = threading.Event()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """As ever, after a while."""
        if path == "/turns":
            self.leaving.wait(self.slow_s)
        return super().answer(path, body)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that ended is what this is about."""

    def __enter__(self) -> SlowNeighbours:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.leaving.set()
        self.shutdown()
        self.server_close()


@dataclass
class Outcome:
    """What came of one round. ``late_statuses`` are of answers that came after the signal."""

    exit_code: int
    stopped_s: float
    late_statuses: Counter[int]
    streams: int
    streams_told: int
    acknowledged: int
    lost: int
    doubled: int
    turns_unfinished: int
    replies_doubled: int
    turns_back_s: float

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.late_statuses.items() if status >= 500)


@dataclass
class Chat:
    """A customer who writes on and watches, as the element does: one kept connection to write, one stream to read."""

    port: int
    token: str
    id: str
    stopping: threading.Event
    between_s: float = BETWEEN_MESSAGES_S
    acknowledged: dict[str, int] = field(default_factory=dict)
    late: Counter[int] = field(default_factory=Counter)
    last_frame: str = ""

    @property
    def path(self) -> str:
        return f"/api/conversations/{self.id}"

    def write(self) -> None:
        """Say something again and again, until nobody is there to take it."""
        number, connection = 0, http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        while True:
            number += 1
            client_id = f"{self.id}-{number}"
            try:
                connection.request("POST", f"{self.path}/messages", json.dumps({"client_id": client_id, "text": f"message {number}"}), headers)
                with connection.getresponse() as response:
                    answer = json.loads(response.read() or b"null")
            except (OSError, http.client.HTTPException):
                connection.close()
                if self.stopping.is_set():
                    return
                raise
            if self.stopping.is_set():
                self.late[response.status] += 1
            if response.status in (200, 202):
                self.acknowledged[client_id] = answer["seq"]
            time.sleep(self.between_s)  # the pace of somebody who writes

    def watch(self) -> None:
        """Read the stream to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", f"{self.path}/events", headers={"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"})
        with connection.getresponse() as response:
            while line := response.readline():
                if line.startswith(b"event: "):
                    self.last_frame = line.decode().strip()
        connection.close()


class WebProcess:
    """``python -m widget`` on a var folder."""

    def __init__(self, folder: Path, neighbours: Neighbours, **settings: str) -> None:
        (self.port,) = free_ports(1)
        near = str(neighbours.server_address[1])
        given = {"VAR": str(folder), "PORT": str(self.port), "RASA_PORT": near, "SEARCH_PORT": near, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
        environment |= {f"TOUCHDESK_{name}": value for name, value in given.items()}
        self.log = folder / "web.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "widget"], cwd=ROOT, env=environment, stderr=log)
        try:
            self._wait_until_alive()
        except BaseException:
            self.end()
            raise

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """One call on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
            with connection.getresponse() as response:
                content = response.read()
                return response.status, json.loads(content) if content else None
        finally:
            connection.close()

    def chat(self, stopping: threading.Event) -> Chat:
        """A new customer."""
        status, started = self.ask("POST", "/api/conversations", {})
        assert status == 201, started
        return Chat(self.port, started["token"], started["conversation"]["id"], stopping)

    def end(self) -> None:
        """End it, however it stands."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)

    def _wait_until_alive(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if self.ask("GET", "/healthz")[0] == 200:
                    return
            except OSError:
                assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)  # it can only be asked whether it listens yet


def play(folder: Path, *, chats: int = CHATS, slow_s: float = 0.15) -> Outcome:
    """Let so many chats go on, send SIGTERM, start anew, and count."""
    with SlowNeighbours(slow_s) as neighbours:
        web = WebProcess(folder, neighbours)
        try:
            stopping = threading.Event()
            people = [web.chat(stopping) for _ in range(chats)]
            threads = [threading.Thread(target=work, daemon=True) for chat in people for work in (chat.watch, chat.write)]
            for thread in threads:
                thread.start()
            _wait_until(lambda: sum(len(chat.acknowledged) for chat in people) >= ACKNOWLEDGED_FIRST)
            stopping.set()
            began = time.monotonic()
            web.process.send_signal(signal.SIGTERM)
            code = web.process.wait(PATIENCE_S)
            stopped_s = time.monotonic() - began
            for thread in threads:
                thread.join(PATIENCE_S)
        finally:
            web.end()
        began = time.monotonic()
        again = WebProcess(folder, neighbours)
        try:
            unfinished = wait_for_turns(folder / "touchdesk.sqlite")
            return counted(folder / "touchdesk.sqlite", people, code, stopped_s, unfinished, time.monotonic() - began)
        finally:
            again.end()


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # what happens is seen from outside only


def rows(query: str, database: Path) -> list[tuple[Any, ...]]:
    """What a query finds."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def wait_for_turns(database: Path, timeout_s: float = 20.0) -> int:
    """Until every turn has ended; how many have not."""
    end_at = time.monotonic() + timeout_s
    while True:
        ((open_turns,),) = rows("SELECT count(*) FROM turns WHERE status != 'done'", database)
        if not open_turns or time.monotonic() > end_at:
            return int(open_turns)
        time.sleep(0.1)  # a database tells nobody what is written


def counted(database: Path, people: list[Chat], code: int, stopped_s: float, unfinished: int, back_s: float) -> Outcome:
    """Compare what customers were told with what is stored."""
    theirs = {chat.id for chat in people}  # the database of a kit that others use as well holds more
    events = rows("SELECT conversation_id, seq, client_id FROM events WHERE client_id IS NOT NULL", database)
    stored = [event for event in events if event[0] in theirs]
    told = {(chat.id, seq, client_id) for chat in people for client_id, seq in chat.acknowledged.items()}
    replies = rows("SELECT conversation_id, data FROM events WHERE type = 'message'", database)
    authors = Counter((conversation, json.loads(data)["author"]) for conversation, data in replies)
    asked = {chat.id: authors[chat.id, "customer"] for chat in people}
    return Outcome(
        exit_code=code,
        stopped_s=stopped_s,
        late_statuses=sum((chat.late for chat in people), Counter()),
        streams=len(people),
        streams_told=sum(chat.last_frame == "event: reconnect" for chat in people),
        acknowledged=len(told),
        lost=len(told - set(stored)),
        doubled=len(stored) - len({(conversation, client_id) for conversation, _, client_id in stored}),
        turns_unfinished=unfinished,
        replies_doubled=sum(max(0, authors[chat, "bot"] - number) for chat, number in asked.items()),
        turns_back_s=back_s,
    )


def figures(rounds: int) -> list[Row]:
    """The figure of the graceful end, over so many rounds."""
    outcomes = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(play(Path(folder)))
    slowest = max(outcome.stopped_s for outcome in outcomes)
    wrong = sum(o.errors + o.lost + o.doubled + o.turns_unfinished + o.replies_doubled + (o.exit_code != 0) for o in outcomes)
    untold = sum(o.streams - o.streams_told for o in outcomes)
    acknowledged, late = sum(o.acknowledged for o in outcomes), sum(sum(o.late_statuses.values()) for o in outcomes)
    return [
        row(
            f"{rounds} SIGTERM under {CHATS} live chats",
            "0 answers 5xx, 0 lost, 0 doubled, every stream told, exit 0, at most 20 s",
            f"{sum(o.errors for o in outcomes)} answers 5xx, {sum(o.lost for o in outcomes)} lost, {sum(o.doubled for o in outcomes)} doubled, "
            f"{untold} streams not told, slowest end {slowest:.1f} s",
            f"{rounds} ends, {acknowledged} acknowledged messages, {late} answers after the signal",
            met=not wrong and not untold and slowest <= 20,
        )
    ]


if __name__ == "__main__":
    for line in figures(int(sys.argv[1])):
        print(line)
