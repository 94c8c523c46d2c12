"""gevent's WSGI server holds the sockets; threads do the work (`widget.work`); nothing is monkey-patched."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask
from gevent import socket as gevent_socket
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from kit.logs import customers_are_served, told
from widget.connections import Handler
from widget.limits import AddressPlaces
from widget.work import Pools, Work

log = logging.getLogger(__name__)

SEND_BUFFER_BYTES = 64 * 1024
"""With a larger one the kernel holds megabytes for a client that does not read."""
BACKLOG = 4096
ACCEPTED_AT_ONCE = 4
"""Of gevent's hundred new connections between two looks at the old ones, those who are there would wait for each."""
CLOSED_AT_ONCE = 16
"""So many of those who are shut out are put aside before everybody else has a turn again."""
DRAIN_S = 8
"""How long requests that are at work when the end is asked for may go on."""
LATE_REQUEST_S = 0.3
"""How long a request that was on its way then is waited for, before connections without one are closed."""
MOST_HELD = 64
HELD_S = 1.0
"""Connections of those who are shut out are closed after so long, and the oldest earlier: who floods mostly waits for the end of one before
the next, and so waits instead of coming ten thousand times a second."""
RESERVED_FILES = 160 + MOST_HELD
"""Open files that connections leave to everything else: 32 connections to SQLite have three each."""


class Server(WSGIServer):  # type: ignore[misc]  # gevent comes without types
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
