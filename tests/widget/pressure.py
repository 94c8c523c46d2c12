"""Ways to press on the web process and to see what it costs: connections from loopback addresses, memory, the kernel's list of connections."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from pathlib import Path
from typing import Any, Protocol

from tests.widget.test_web_process import PATIENCE_S, Web

KIB = 1024


class Listening(Protocol):
    """What has a port."""

    port: int


def memory_kib(web: Web) -> int:
    """What the process holds of real memory."""
    status = Path(f"/proc/{web.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def connections_of(web: Listening, address: str) -> int:
    """How many connections web has open with a loopback address, as the kernel counts them."""
    there = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(1 for row in fields if row[1].endswith(f":{web.port:04X}") and row[2].startswith(there) and row[3] == "01")


def connect(web: Listening, address: str = "127.0.0.1", receive_bytes: int = 0) -> socket.socket:
    """A connection from one of this machine's own addresses."""
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.settimeout(PATIENCE_S)
    connection.bind((address, 0))
    connection.connect(("127.0.0.1", web.port))
    return connection


def answer_of(connection: socket.socket) -> tuple[int, Any]:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


def posted(path: str, body: bytes, *headers: str) -> bytes:
    """A request as it goes over the line."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def within(seconds: float, done: Any) -> float:
    """Wait until something is so; the seconds it took. Fails after ``seconds``."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began
