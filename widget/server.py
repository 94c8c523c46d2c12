"""gevent's WSGI server holds the sockets; threads do the work; nothing is monkey-patched.

A stream or a long poll is a greenlet. Every other request runs whole in a thread: writers have a pool of their own, so that a
locked database never keeps readers waiting, and so have pages, which ask search and note in the ledger what was read.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import resource
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gevent
from flask import Flask
from gevent import socket as gevent_socket
from gevent.event import Event
from gevent.pywsgi import WSGIHandler, WSGIServer
from gevent.threadpool import ThreadPool

from desk.exceptions import DeskError
from kit.failpoints import reach
from kit.logs import customers_are_served, told
from touchpoints.exceptions import StoreError
from widget.bodies import take_body
from widget.errors import LATE
from widget.gate import GUESS
from widget.limits import AddressPlaces

log = logging.getLogger(__name__)

READERS = 8
WRITERS = 4
PAGES = 4
WATCHERS = 6
GUESSES = 2
"""Signing in from a browser that is not known: whoever guesses passwords waits for other guesses, and nobody else for them."""
SEND_BUFFER_BYTES = 64 * 1024
"""With a larger one the kernel holds megabytes for a client that does not read."""
SOCKET_TIMEOUT_S = 8
"""After so long a client that neither sends nor reads is dropped; ten seconds are promised, and a busy web notices late."""
HEAD_TIMEOUT_S = 20
"""A head that trickles in is given up after so long, however steadily it trickles; `widget.bodies` does the same for a body."""
LINGER_S = 2.0
LINGER_BYTES = 1024 * 1024
"""What is still read, and thrown away, of a body that was refused: closed at once, the connection would take the answer with it."""
BACKLOG = 4096
ACCEPTED_AT_ONCE = 4
"""Of gevent's hundred new connections between two looks at the old ones, those who are there would wait for each."""
CLOSED_AT_ONCE = 16
DRAIN_S = 8
"""How long requests that are at work when the end is asked for may go on."""
LATE_REQUEST_S = 0.3
"""How long a request that was on its way then is waited for, before connections without one are closed."""
TURN_AWAY_S = 0.5
"""How long one that is turned away may take to read why."""
MOST_HELD = 64
HELD_S = 1.0
"""Connections of those who are shut out are closed after so long, and the oldest earlier: who floods mostly waits for the end of one before
the next, and so waits instead of coming ten thousand times a second."""
RESERVED_FILES = 160 + MOST_HELD
"""Open files that connections leave to everything else: 32 connections to SQLite have three each."""
LONGEST_QUEUE_S = 4.0
"""Whoever waited for a thread for so long is told at once to come again: behind a locked database each one ahead has held it for 5 s."""
FIRST_PIECES_BYTES = 256 * 1024
_READING = ("GET", "HEAD", "OPTIONS")
_WATCHED = re.compile(r"/api/(conversations/[^/]+|desk)/events\Z")
_WAITING = re.compile(r"/(help(/.*)?|api/search|healthz)\Z")
"""Read-only requests that may have to wait: for search, or for the database's one writer."""

StartResponse = Callable[..., Any]


def _turned_away(status: str, code: str, message: str) -> bytes:
    body = json.dumps({"error": {"code": code, "message": message, "detail": None}}).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nRetry-After: 5\r\nConnection: close"
    return head.encode() + b"\r\n\r\n" + body


NO_ROOM = _turned_away("503 Service Unavailable", "busy", "There are too many connections just now; please try again.")
TOO_MANY = _turned_away("429 Too Many Requests", "too_many", "There are too many connections from your address; please try again.")


class Pools:
    """The threads that work is handed to."""

    def __init__(self) -> None:
        self.readers = ThreadPool(READERS)
        self.writers = ThreadPool(WRITERS)
        self.pages = ThreadPool(PAGES)
        self.watchers = ThreadPool(WATCHERS)
        self.guesses = ThreadPool(GUESSES)

    def offload(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a stream's look into the database in a thread, and wait for it without holding up other greenlets."""
        value, failure = self.watchers.apply(_outcome, (function, *arguments))
        if failure is not None:
            raise failure
        return value

    def of(self, method: str, path: str) -> ThreadPool:
        """The pool where a request runs."""
        if method not in _READING:
            return self.writers
        return self.pages if _WAITING.match(path) else self.readers


def _outcome(function: Callable[..., Any], *arguments: Any) -> tuple[Any, DeskError | StoreError | None]:
    """What a function gives back or raises; gevent would write a traceback for each refusal that leaves one of its threads."""
    try:
        return function(*arguments), None
    except (DeskError, StoreError) as failure:
        return None, failure


class Work:
    """WSGI middleware that decides where a request runs."""

    def __init__(self, app: Flask, pools: Pools) -> None:
        self._app = app
        self._pools = pools

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        take_body(environ)
        if method in ("GET", "HEAD") and _WATCHED.match(path):
            return self._app(environ, start_response)
        pool = self._pools.guesses if environ.get(GUESS) else self._pools.of(method, path)
        status, headers, pieces, rest = pool.apply(self._run_in_time, (environ, time.monotonic() + LONGEST_QUEUE_S))
        if method not in _READING:
            reach("answer.ready")
        start_response(status, headers)
        return _whole(pieces, rest, pool)

    def _run_in_time(self, environ: dict[str, Any], until: float) -> tuple[str, list[tuple[str, str]], list[bytes], Any]:
        """Call the app, which refuses what has waited for a thread for too long."""
        if time.monotonic() > until:
            environ[LATE] = True
        return self._run(environ)

    def _run(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], list[bytes], Any]:
        """Call the app; the first pieces are taken here, what a long export still has to give is taken piece by piece."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started.extend((status, headers))
            return lambda piece: None

        answer = self._app(environ, start)
        pieces, size, iterator, goes_on = [], 0, iter(answer), False
        try:
            for piece in iterator:
                pieces.append(piece)
                size += len(piece)
                if size > FIRST_PIECES_BYTES:
                    goes_on = True
                    return started[0], started[1], pieces, (iterator, answer)
            return started[0], started[1], pieces, None
        finally:
            if not goes_on:
                _close(answer)


def _whole(pieces: list[bytes], rest: Any, pool: ThreadPool) -> Iterator[bytes]:
    yield b"".join(pieces)
    if rest is None:
        return
    iterator, answer = rest
    try:
        while (piece := pool.apply(next, (iterator, None))) is not None:
            yield piece
    finally:
        pool.apply(_close, (answer,))


def _close(answer: Any) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        close()


class Handler(WSGIHandler):  # type: ignore[misc]
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
            if self.command not in _READING:
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


class Server(WSGIServer):  # type: ignore[misc]
    """Knows its connections: how many there are, how many have a request at work, and which wait for one."""

    connections = 0
    answering = 0
    draining = False
    max_accept = ACCEPTED_AT_ONCE

    def __init__(
        self, listener: Any, application: Any, *, most_connections: int = sys.maxsize, places: AddressPlaces | None = None, **options: Any
    ) -> None:
        self.most_connections = most_connections
        self.places = places or AddressPlaces()
        self.waiting: set[Any] = set()
        self._held: deque[int] = deque()
        super().__init__(listener, application, **{"log": None, "error_log": log, "handler_class": Handler} | options)

    def do_read(self) -> Any:
        """The next connection and its address; those whose address wastes too many stay bare numbers, at a third of the price."""
        for _ in range(CLOSED_AT_ONCE):
            try:
                number, address = self.socket._accept()
            except BlockingIOError:
                return None
            if not self.places.is_shut_out(address[0]):
                return gevent_socket.socket(self.socket.family, self.socket.type, self.socket.proto, fileno=number), address
            self._hold(number)
        return None

    def _hold(self, number: int) -> None:
        """Keep a connection that nobody will serve for a moment, then close it."""
        if not self._held:
            gevent.spawn_later(HELD_S, self._let_go)
        self._held.append(number)
        if len(self._held) > MOST_HELD:
            os.close(self._held.popleft())

    def _let_go(self) -> None:
        while self._held:
            os.close(self._held.popleft())

    def drain(self, within_s: float) -> None:
        """Take no more connections, finish what is at work or on its way, close the others. Streams must have been told already."""
        self.draining = True
        gevent.sleep(0)  # those whose connection stands already are still taken in
        self.close()
        self._let_go()
        gevent.sleep(LATE_REQUEST_S)
        for waiting in list(self.waiting):
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RD)  # what has come in is still read, then there is an end
        with gevent.Timeout(within_s, False):
            while self.answering:
                gevent.sleep(0.02)


def room_for_connections() -> int:
    """How many connections the system's limit of open files leaves room for."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else max(1, limit - RESERVED_FILES)


def listen(host: str, port: int) -> Any:
    """The listening socket; its small send buffer is inherited by every connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return gevent_socket.socket(fileno=listener.detach())


def serve(
    app: Flask,
    pools: Pools,
    host: str,
    port: int,
    before_stop: Callable[[], None],
    *,
    front: Callable[[Work], Any] = lambda work: work,
    places: AddressPlaces | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; then take no more, tell the streams, finish what is at work.

    ``front`` puts before the app what looks at a request first, such as `widget.gate.Gate`.
    """
    hub = gevent.get_hub()
    hub.print_exception = _log_uncaught
    server = Server(listen(host, port), front(Work(app, pools)), most_connections=room_for_connections(), places=places)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopping.set)
    server.start()
    log.info("listening on %s:%d", host, port)
    customers_are_served()
    stopping.wait()
    log.info("stopping", extra=told(connections=server.connections, answering=server.answering))
    server.draining = True
    before_stop()
    server.drain(DRAIN_S)
    log.info("stopped answering", extra=told(cut_off=server.answering))


def _log_uncaught(context: object, kind: Any, error: Any, trace: Any) -> None:
    """In place of gevent's, which prints all that an exception says."""
    log.error("a greenlet broke off", exc_info=(kind, error, trace) if isinstance(error, BaseException) else None)
