"""One question to another process of ours and its whole answer, within a time and a size that are ours, whatever comes."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S = 1.0
ANSWER_LIMIT_BYTES = 1 << 20


class AnswerTooLong(http.client.HTTPException):
    """More than `ANSWER_LIMIT_BYTES` came, or would have."""


class Line:
    """Speaks to the process at ``url`` with the inner secret; a connection is kept per thread."""

    def __init__(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        self._address = (str(parts.hostname), parts.port or 80)
        self._root = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._local = threading.local()

    def ask(self, method: str, path: str, body: bytes | None, deadline: float) -> tuple[int, bytes]:
        """Status and content, before ``deadline`` (monotonic).

        Raises OSError (`TimeoutError` past the deadline) or `http.client.HTTPException` for anything but a whole answer. A kept connection that
        has ended with a restart of the other side is made anew: asking twice has no effect.
        """
        connection, kept = self._connection(deadline)
        try:
            return _exchange(connection, method, self._root + path, body, self._headers)
        except ConnectionError:
            connection.close()
            if not kept:
                raise
            return self.ask(method, path, body, deadline)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection of the calling thread; those of other threads go with their threads."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _connection(self, deadline: float) -> tuple[_Connection, bool]:
        """This thread's connection, and whether it was open already."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _Connection(*self._address)
        connection.deadline = deadline
        return connection, connection.open()


class _TimedSocket(socket.socket):
    """Lets nothing received come later than a deadline: a timeout for each piece would let a dripping answer last for ever."""

    deadline = 0.0

    def recv_into(self, *arguments: Any) -> int:
        """As always, but within what remains; past it at once. Raises TimeoutError."""
        self.settimeout(max(0.001, self.deadline - time.monotonic()))
        return super().recv_into(*arguments)


class _Connection(http.client.HTTPConnection):
    deadline = 0.0

    def __del__(self) -> None:
        """A thread that ends takes its connection with it."""
        self.close()

    def open(self) -> bool:
        """Take over the deadline; True when the connection stood already."""
        if not isinstance(self.sock, _TimedSocket):
            return False
        self.sock.deadline = self.deadline
        self.sock.settimeout(max(0.001, self.deadline - time.monotonic()))
        return True

    def connect(self) -> None:
        """Connect within the deadline, and within `CONNECT_TIMEOUT_S`."""
        plain = socket.create_connection((self.host, self.port), min(CONNECT_TIMEOUT_S, max(0.001, self.deadline - time.monotonic())))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = _TimedSocket(plain.family, plain.type, plain.proto, plain.detach())
        self.open()


def _exchange(connection: _Connection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    connection.request(method, path, body, dict(headers))
    with connection.getresponse() as response:
        content = response.read(ANSWER_LIMIT_BYTES + 1)
        if len(content) > ANSWER_LIMIT_BYTES:
            raise AnswerTooLong(f"more than {ANSWER_LIMIT_BYTES} bytes")
        return response.status, content
