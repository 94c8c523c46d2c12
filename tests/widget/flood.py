"""``python -m tests.widget.flood`` measures what those who ask too much cost the others, over the web process as it is run, and prints the figures.

Customers in this process send and read now and then and note how long each call takes; whoever floods is a process of its own, as polite to the
processor as can be (nice 19), since on a customer's side it would be on another machine. Quiet and flooded spells take turns, so that what else the
machine does falls on both alike. The customers' pauses are random: at an even pace they would fall into step, and wait for each other for minutes.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.settings import ROOT
from tests.faults.rows import Row, row
from tests.widget.pressure import answer_of, connect, connections_of, memory_kib, posted
from tests.widget.test_web_process import PASSWORD, Customer, Web

AT_ONCE = struct.pack("ii", 1, 0)
"""For ``SO_LINGER``: a connection that is closed is gone, nothing of it waits."""
SPELL_S = 8.0
SPELLS = 8
OTHERS = 5
PACE_S = 0.1
"""Between two rounds of all others together, in the mean."""
WANTED_GROWTH = 0.20
HANDSHAKES = 10_000
FLOODING = 8
"""Threads of the flooder."""
FLOODS = {
    "messages": "1,000 messages a second by one visitor",
    "reads": "one visitor reading as fast as the line goes",
    "handshakes": f"10,000 connections in {SPELL_S:g} s, opened and left by one address",
    "junk": "requests that are none, as fast as the line goes",
}


@dataclass
class Others:
    """Customers who do nothing but talk, each over a connection of their own."""

    web: Web
    took_s: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})
    failed: Counter[int] = field(default_factory=Counter)
    flooded: bool = False
    over: threading.Event = field(default_factory=threading.Event)

    def talk(self) -> None:
        """One customer: a message, then what it brought about, again and again."""
        customer, connection, n = self.web.customer(), self.web.connect(), 0
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {customer.token}"}
        while not self.over.is_set():
            n += 1
            if n % 100 == 0:  # within the limits of one conversation
                customer = self.web.customer()
                headers["Authorization"] = f"Bearer {customer.token}"
            body = json.dumps({"client_id": f"m{n}", "text": "hello"})
            flooded, began = self.flooded, time.monotonic()
            for method, path, content in (("POST", "/messages", body), ("GET", f"/events?after={n}", None)):
                connection.request(method, customer.path + path, content, headers)
                with connection.getresponse() as response:
                    response.read()
                if response.status >= 300:
                    self.failed[response.status] += 1
            took_s = time.monotonic() - began
            if flooded == self.flooded:
                self.took_s[flooded].append(took_s)
            pause_s = PACE_S * OTHERS * random.uniform(0.5, 1.5)
            time.sleep(max(0.0, pause_s - took_s))  # a customer's own pace, however long the calls take
        connection.close()

    def p95_ms(self, flooded: bool) -> float:
        """What 95 of 100 rounds took at most."""
        return statistics.quantiles(self.took_s[flooded], n=20)[-1] * 1000


@contextmanager
def running_web(**changes: str) -> Iterator[Web]:
    """Web alone, with neither Rasa nor search behind it: what is measured is its own."""
    with tempfile.TemporaryDirectory() as folder:
        web = Web(Path(folder), **changes)
        try:
            yield web
        finally:
            web.close()


def flood_row(kind: str) -> Row:
    """One kind of flood: how much longer the others wait, at the 95th percentile of all rounds."""
    with running_web() as web:
        others = Others(web)
        threads = [threading.Thread(target=others.talk) for _ in range(OTHERS)]
        for thread in threads:
            thread.start()
        time.sleep(2)  # the first calls load what later ones find
        before, told, flooder = memory_kib(web), Counter[str](), web.customer()
        for _ in range(SPELLS):
            others.flooded = False
            time.sleep(SPELL_S)  # the quiet spell that the flooded one is compared with
            others.flooded = True
            told.update(flood(web, kind, flooder))
        grown = memory_kib(web) - before
        others.over.set()
        for thread in threads:
            thread.join(60)
    quiet, flooded = others.p95_ms(False), others.p95_ms(True)
    growth = flooded / quiet - 1
    met = growth <= WANTED_GROWTH and grown < 64 * 1024 and not others.failed
    found = f"{quiet:.1f} → {flooded:.1f} ms ({growth:+.0%}), memory {grown / 1024:+.0f} MiB, {sum(others.failed.values())} calls of others failed"
    counted = f"{len(others.took_s[True])} flooded and {len(others.took_s[False])} quiet rounds of others; flood: {dict(told)}"
    return row(f"others' p95 under {FLOODS[kind]}", "+20 % at most, memory +64 MiB", found, counted, met=met)


def flood(web: Web, kind: str, customer: Customer) -> dict[str, int]:
    """Flood for a spell, from a process of its own and an address of its own; what it was told, counted."""
    told = {"kind": kind, "port": web.port, "path": customer.path, "token": customer.token}
    command = [sys.executable, "-m", "tests.widget.flood", "--flood", json.dumps(told)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=SPELL_S * 10)
    found: dict[str, int] = json.loads(done.stdout)
    return found


class Flooder:
    """What runs in the flooding process."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.port = port
        self._path, self._token = path, token
        self._end = time.monotonic() + SPELL_S
        self.told: Counter[str] = Counter()
        self._numbers = iter(range(10**9))

    def run(self, kind: str) -> None:
        workers = [threading.Thread(target=getattr(self, kind)) for _ in range(FLOODING)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def messages(self) -> None:
        """125 a second each, over one connection."""
        headers = (f"Authorization: Bearer {self._token}",)

        def message(n: int) -> bytes:
            return posted(f"{self._path}/messages", json.dumps({"client_id": f"f{time.time_ns()}-{n}", "text": "x"}).encode(), *headers)

        self._keep_asking(message, 1 / 125)

    def reads(self) -> None:
        request = f"GET {self._path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode()
        self._keep_asking(lambda n: request, 0)

    def junk(self) -> None:
        while time.monotonic() < self._end:
            with connect(self, "127.0.0.8") as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                try:
                    connection.sendall(b"\x16\x03\x01" + os.urandom(200) + b"\r\n\r\n")
                    self.told[connection.recv(12).decode("latin-1")[9:12] or "closed"] += 1
                except OSError:
                    self.told["closed"] += 1

    def handshakes(self) -> None:
        """Evenly over the spell, so that all rounds of the others in it fall under them."""
        began, mine = time.monotonic(), HANDSHAKES // FLOODING
        for number in range(mine):
            time.sleep(max(0.0, began + number * SPELL_S / mine - time.monotonic()))  # until its turn
            with connect(self, "127.0.0.8") as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)  # else this side runs out of ports
            self.told["opened"] += 1

    def _keep_asking(self, request: Callable[[int], bytes], pace_s: float) -> None:
        due = time.monotonic()
        with connect(self, "127.0.0.8") as connection:
            answers = connection.makefile("rb")
            while time.monotonic() < self._end:
                connection.sendall(request(next(self._numbers)))
                self.told[_skip_answer(answers)] += 1
                due += pace_s
                time.sleep(max(0.0, due - time.monotonic()))  # until the next is due


def _skip_answer(answers: Any) -> str:
    status, length = answers.readline()[9:12].decode(), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    answers.read(length)
    return str(status)


def stalled_row(readers: int = 100) -> Row:
    """Streams of a long conversation that nobody reads: what they cost, and when they are gone."""
    with running_web() as web:
        talks = [long_talk(web) for _ in range(readers // 20)]
        time.sleep(2)  # memory settles after the start; no event tells when
        before = most = memory_kib(web)
        stalled = [connect(web, "127.0.0.7", receive_bytes=4096) for _ in range(readers)]
        for n, connection in enumerate(stalled):
            talk = talks[n % len(talks)]
            head = f"GET {talk.path}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {talk.token}\r\n\r\n"
            connection.sendall(head.encode())
        began = time.monotonic()
        while connections_of(web, "127.0.0.7") and time.monotonic() - began < 60:
            most = max(most, memory_kib(web))
            time.sleep(0.05)  # the kernel's list can only be read again
        took_s = time.monotonic() - began
        for connection in stalled:
            connection.close()
    each_kib = (most - before) / readers
    found = f"{each_kib:.0f} KiB each at most, all gone after {took_s:.1f} s"
    return row("a reader that stalls", "1 MiB each at most, gone in 10 s", found, f"{readers} at once", met=each_kib <= 1024 and took_s <= 10)


def long_talk(web: Web) -> Customer:
    """A conversation of a hundred long messages."""
    customer = web.customer()
    for n in range(100):
        assert customer.asks("POST", "/messages", {"client_id": f"long-{n}", "text": "👩" * 5000})[0] == 202
    return customer


def slow_row(senders: int = 500) -> Row:
    """Bodies at one byte a second: what they cost, and when they are gone."""
    with running_web() as web:
        customer = web.customer()
        time.sleep(2)  # memory settles after the start; no event tells when
        before = most = memory_kib(web)
        held = [connect(web, "127.0.0.7") for _ in range(senders)]
        for connection in held:
            head = f"POST {customer.path}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
            connection.sendall(head.encode())
        began = time.monotonic()
        while connections_of(web, "127.0.0.7") and time.monotonic() - began < 120:
            most = max(most, memory_kib(web))
            for connection in held:
                try:
                    connection.send(b"x")
                except OSError:
                    continue
            time.sleep(1)  # one byte a second
        took_s = time.monotonic() - began
        for connection in held:
            connection.close()
    found = f"gone after {took_s:.0f} s, memory {(most - before) / 1024:+.0f} MiB"
    met = took_s <= 60 and most - before <= 64 * 1024
    return row("a body at a byte a second", "gone in 60 s, +64 MiB", found, f"{senders} at once", met=met)


def refusal_row(times: int = 200) -> Row:
    """How long a gigabyte's refusal takes."""
    took = []
    with running_web() as web:
        head = f"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {1024**3}\r\n\r\n".encode()
        for _ in range(times):
            with connect(web) as connection:
                began = time.monotonic()
                connection.sendall(head)
                status, _ = answer_of(connection)
                took.append((time.monotonic() - began) * 1000)
                assert status == 413
    p99 = statistics.quantiles(took, n=100)[-1]
    found = f"median {statistics.median(took):.1f} ms, p99 {p99:.1f} ms"
    return row("a body of 1 GiB is refused", "413 within 50 ms", found, f"{times} times", met=p99 < 50)


def guessing_row() -> Row:
    """A thousand guesses at one account from two hundred addresses, and its owner's own browser."""
    with running_web(PROXIES="127.0.0.9") as web:
        account = json.dumps({"email": "a@b.example", "password": PASSWORD}).encode()
        guess = json.dumps({"email": "a@b.example", "password": "a guess"}).encode()
        device = _device(web, account)
        told: list[int] = []

        def attack(part: int) -> None:
            for n in range(part, 1000, 8):
                with connect(web, "127.0.0.9") as connection:
                    connection.sendall(posted("/api/session", guess, f"X-Forwarded-For: 198.51.100.{n % 200}"))
                    told.append(answer_of(connection)[0])

        attackers = [threading.Thread(target=attack, args=(part,)) for part in range(8)]
        for attacker in attackers:
            attacker.start()
        took = []
        while any(attacker.is_alive() for attacker in attackers):
            began = time.monotonic()
            with connect(web) as connection:
                connection.sendall(posted("/api/session", account, f"Cookie: {device}"))
                assert answer_of(connection)[0] == 200
            took.append(time.monotonic() - began)
    found = f"{told.count(401)} looked at, {told.count(429)} told to wait; owner in after {max(took):.2f} s at most"
    met = told.count(401) <= 10 and max(took) <= 1
    return row("1,000 guesses from 200 addresses", "10 looked at, owner in within 1 s", found, f"1000 guesses, owner {len(took)} times", met=met)


def _device(web: Web, account: bytes) -> str:
    connection = web.connect()
    connection.request("POST", "/api/session", account, {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        response.read()
        cookies = [cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie") or []]
    connection.close()
    return next(cookie for cookie in cookies if cookie.startswith("touchdesk-device="))


PARTS: dict[str, Callable[[], Row]] = {
    "refusal": refusal_row,
    "guessing": guessing_row,
    "stalled": stalled_row,
    "slow": slow_row,
    **{kind: (lambda kind=kind: flood_row(kind)) for kind in FLOODS},
}


def rows() -> Iterator[Row]:
    """All figures, one after another."""
    for part in PARTS.values():
        yield part()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--flood"]:
        os.nice(19)
        told = json.loads(arguments[1])
        flooder = Flooder(told["port"], told["path"], told["token"])
        flooder.run(told["kind"])
        print(json.dumps(flooder.told))
        return 0
    missed = 0
    for name in arguments or PARTS:
        figure = PARTS[name]()
        print(f"{figure.figure}\n  wanted  {figure.wanted}\n  found   {figure.found}\n  counted {figure.counted}", flush=True)
        missed += not figure.is_met
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
