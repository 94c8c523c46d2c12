"""Where a request's work is done: which threads, how long it may wait for one, and how much of its answer is made at once.

A stream or a long poll is a greenlet. Every other request runs whole in a thread: writers have a pool of their own, so that a
locked database never keeps readers waiting, and so have pages, which ask search and note in the ledger what was read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask
from gevent.threadpool import ThreadPool

from desk.exceptions import DeskError
from kit.failpoints import reach
from touchpoints.exceptions import StoreError
from widget.bodies import take_body
from widget.errors import LATE
from widget.gate import GUESS
from widget.protection import READING

READERS = 8
WRITERS = 4
PAGES = 4
WATCHERS = 6
GUESSES = 2
"""Signing in from a browser that is not known: whoever guesses passwords waits for other guesses, and nobody else for them."""
LONGEST_QUEUE_S = 4.0
"""Whoever waited for a thread for so long is told at once to come again: behind a locked database each one ahead has held it for 5 s."""
FIRST_PIECES_BYTES = 256 * 1024
_WATCHED = re.compile(r"/api/(conversations/[^/]+|desk)/events\Z")
_WAITING = re.compile(r"/(help(/.*)?|api/search|healthz)\Z")
"""Read-only requests that may have to wait: for search, or for the database's one writer."""

StartResponse = Callable[..., Any]


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
        if method not in READING:
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
        if method not in READING:
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
