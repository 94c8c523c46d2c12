"""One connection: its request read within its time, its answer sent, and an end that leaves nothing open."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
from typing import Any

import gevent
from gevent.pywsgi import WSGIHandler

from kit.failpoints import reach
from kit.logs import told
from widget.protection import READING

log = logging.getLogger(__name__)

SOCKET_TIMEOUT_S = 8
"""After so long a client that neither sends nor reads is dropped; ten seconds are promised, and a busy web notices late."""
HEAD_TIMEOUT_S = 20
"""A head that trickles in is given up after so long, however steadily it trickles; `widget.bodies` does the same for a body."""
LINGER_S = 2.0
LINGER_BYTES = 1024 * 1024
"""What is still read, and thrown away, of a body that was refused: closed at once, the connection would take the answer with it."""
TURN_AWAY_S = 0.5
"""How long one that is turned away may take to read why."""


def _turned_away(status: str, code: str, message: str) -> bytes:
    body = json.dumps({"error": {"code": code, "message": message, "detail": None}}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close"
    return head.encode() + b"\r\n\r\n" + body


NO_ROOM = _turned_away("503 Service Unavailable", "busy", "There are too many connections just now; please try again.")
TOO_MANY = _turned_away("429 Too Many Requests", "too_many", "There are too many connections from your address; please try again.")


class Handler(WSGIHandler):  # type: ignore[misc]  # gevent comes without types
    """A connection that neither sends nor reads for long is dropped, and so is one whose request trickles in."""

    has_asked = False

    def handle(self) -> None:
        self.socket.settimeout(SOCKET_TIMEOUT_S)
        self.server.connections += 1
        try:
            if self.server.connections > self.server.most_connections:
                log.warning("no room for another connection", extra=told(connections=self.server.connections))
                self._turn_away(NO_ROOM)
            elif not self.server.places.enter(self.client_address[0]):
                self._turn_away(TOO_MANY)
            else:
                self._handle_within()
        finally:
            self.server.connections -= 1
            if not self.has_asked:
                self.server.places.waste(self.client_address[0])

    def _handle_within(self) -> None:
        try:
            self._handle()
        finally:
            self.server.places.leave(self.client_address[0])

    def _turn_away(self, words: bytes) -> None:
        with contextlib.suppress(OSError), self.socket:
            self.socket.sendall(words)
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(TURN_AWAY_S)
            self.socket.recv(64 * 1024)  # closed with something unread, the answer could be lost on its way

    def _handle(self) -> None:
        # An answer goes out in two writes; with Nagle's algorithm the second waits 40 ms for the client's delayed acknowledgement.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def read_requestline(self) -> str:
        self.server.waiting.add(self.socket)
        try:
            with gevent.Timeout(HEAD_TIMEOUT_S, False):
                return str(super().read_requestline())
            return ""  # as at the end of the connection
        finally:
            self.server.waiting.discard(self.socket)

    def read_request(self, raw_requestline: str) -> bool:
        with gevent.Timeout(HEAD_TIMEOUT_S, ValueError("the request came too slowly")):
            can_be_read = bool(super().read_request(raw_requestline))
        self.has_asked = self.has_asked or can_be_read
        if self.server.draining:
            self.close_connection = True  # and the answer says so
        return can_be_read

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Tell a client whose connection ends after this answer so."""
        return super().start_response(status, [*headers, ("Connection", "close")] if self.server.draining else headers, exc_info)

    def run_application(self) -> None:
        """Answer; a body that was refused and not read ends the connection, where gevent would read all of it."""
        super().run_application()
        if self._is_unread():
            self.close_connection = True
            self.wsgi_input = _Unread()
            self._linger()

    def _is_unread(self) -> bool:
        given: Any = self.wsgi_input
        unread = given.chunk_length != 0 if given.chunked_input else given.position < (given.content_length or 0)
        return bool(self.close_connection and unread)

    def _linger(self) -> None:
        """Say that no more will be sent, and give the client a moment to read the answer instead of sending."""
        with contextlib.suppress(OSError), gevent.Timeout(LINGER_S, False):
            self.socket.shutdown(socket.SHUT_WR)
            left = LINGER_BYTES
            while left > 0 and (piece := self.socket.recv(64 * 1024)):
                left -= len(piece)

    def handle_one_response(self) -> None:
        self.server.answering += 1
        try:
            super().handle_one_response()
            if self.command not in READING:
                reach("answer.sent")
        finally:
            self.server.answering -= 1
            if self.server.draining:
                self.close_connection = True

    def log_error(self, message: str, *arguments: object) -> None:
        """Say it in the log, without the request's own words, which are in the arguments and may be in the message."""
        log.info("a request that cannot be read was refused")

    def handle_error(self, kind: Any, value: Any, trace: Any) -> None:
        """A client that went away or fell silent is no error of ours."""
        if isinstance(value, OSError):
            self.close_connection = True
            return
        super().handle_error(kind, value, trace)

    def _handle_client_error(self, ex: BaseException) -> Any:
        # gevent prints what is not a ValueError, with all it says.
        return super()._handle_client_error(ex if isinstance(ex, ValueError) else ValueError())

    def _log_error(self, kind: Any, value: Any, trace: Any) -> None:
        log.error("a request broke off", exc_info=(kind, value, trace))


class _Unread:
    """Stands for a body that nobody will read; gevent would read all of it, to find the next request behind it."""

    def _discard(self) -> None:
        return None
