"""Mutated requests over raw sockets to the web process as it is run, while its memory and its log are watched."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.ports import free_ports
from kit.settings import ROOT
from tests.security.served import AMPLE

from .mutations import Mutations, Names

PATIENCE_S = 60.0
ANSWER_S = 5.0
LINGER_S = 0.3
EMAIL, PASSWORD = "a@b.example", "correct horse battery"
TRACES = (b"Traceback", b'File "/', b"site-packages", b"sqlalchemy", b"werkzeug.", b"gevent")
"""What no answer may hold: where the code lies and what it is made of."""
WORKERS = 4


@dataclass
class Barrage:
    """What became of the requests."""

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    alive: bool = False
    grown_bytes: int = 0
    traces_in_log: int = 0
    took_s: float = 0.0


class Web:
    """``python -m widget``, with nobody behind it."""

    def __init__(self, folder: Path) -> None:
        self.port, *closed = free_ports(4)
        names = dict(zip(("RASA_PORT", "ACTIONS_PORT", "SEARCH_PORT"), map(str, closed), strict=True))
        limits = {name.upper(): str(value) for name, value in AMPLE.items()}
        mine = {"VAR": str(folder), "PORT": str(self.port), "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, **names, **limits}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
        environment = {**inherited, **{f"TOUCHDESK_{name}": value for name, value in mine.items()}}
        subprocess.run([sys.executable, "-m", "desk", "init"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
        self.log = folder / "web.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "widget"], cwd=ROOT, env=environment, stderr=log, stdout=log)
        self._wait_until_alive()

    def _wait_until_alive(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not self.is_alive():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)  # a process tells nobody from when on it listens; it can only be asked again

    def is_alive(self) -> bool:
        with contextlib.suppress(OSError):
            return self.ask("GET", "/healthz")[0] == 200
        return False

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json", **headers})
        with connection.getresponse() as response:
            answer, cookies = response.read(), response.headers.get_all("Set-Cookie", [])
        connection.close()
        return response.status, json.loads(answer) if answer else None, "; ".join(cookie.partition(";")[0] for cookie in cookies)

    def resident_bytes(self) -> int:
        """The memory that the process holds."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found.group(1)) * 1024

    def names(self) -> Names:
        """A customer with two conversations and an administrator who is signed in."""
        _, begun, _ = self.ask("POST", "/api/conversations", {})
        customer = f"Bearer {begun['token']}"
        _, again, _ = self.ask("POST", "/api/conversations", {}, Authorization=customer)
        _, session, cookie = self.ask("POST", "/api/session", {"email": EMAIL, "password": PASSWORD})
        staff = f"Cookie: {cookie}\r\nX-CSRF-Token: {session['csrf_token']}"
        conversations = [one["conversation"]["id"] for one in (begun, again)]
        return Names((b"", f"Authorization: {customer}".encode(), staff.encode()), [*conversations, "absent"])

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


@contextmanager
def web(folder: Path) -> Iterator[Web]:
    """The web process, for as long as it is needed."""
    running = Web(folder)
    try:
        yield running
    finally:
        running.close()


def barrage(running: Web, requests: int, seed: int = 1) -> Barrage:
    """Send so many mutated requests from a few threads. Memory is compared with what it was after the first tenth, when all is loaded."""
    done, began, names = Barrage(), time.monotonic(), running.names()
    _send(running, names, max(WORKERS, requests // 10), seed, done)
    before = running.resident_bytes()
    _send(running, names, requests - done.sent, seed + 1000, done)
    done.grown_bytes = running.resident_bytes() - before
    done.alive = running.process.poll() is None and running.is_alive()
    done.traces_in_log = running.log.read_bytes().count(b"Traceback")
    done.took_s = time.monotonic() - began
    return done


def _send(running: Web, names: Names, requests: int, seed: int, done: Barrage) -> None:
    lock = threading.Lock()

    def work(number: int) -> None:
        mutations = Mutations(seed + number, names)
        for _ in range(requests // WORKERS):
            request = mutations.next()
            status, fault = answered(running.port, request)
            with lock:
                done.sent += 1
                done.statuses[status] += 1
                if fault and len(done.faults) < 20:
                    done.faults.append(f"{fault}: {request[:300]!r}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def answered(port: int, request: bytes) -> tuple[str, str]:
    """Send bytes and read what comes; the status of the answer, or ``none``, and what is wrong with it."""
    content = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
            connection.sendall(request)
            with contextlib.suppress(OSError):  # it may have been reset already
                connection.shutdown(socket.SHUT_WR)
            while len(content) < 200_000 and (piece := connection.recv(65536)):
                content += piece
                connection.settimeout(LINGER_S)  # a stream goes on for ever
    except (ConnectionError, TimeoutError):
        pass
    return _judged(content)


def _judged(content: bytes) -> tuple[str, str]:
    if not content:
        return "none", ""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", content)
    if found is None:
        return "none", f"an answer that is none: {content[:80]!r}"
    status = found.group(1).decode()
    # 503 is the neighbours' being away, which is so for articles and search here.
    if status.startswith("5") and status != "503":
        return status, f"answered {status}"
    spoken = next((trace for trace in TRACES if trace in content), None)
    return status, f"answered with {spoken!r}" if spoken else ""
