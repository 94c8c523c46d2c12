"""The gate before the app: what is too much is refused in words, in the connection's own greenlet, before a thread or the database is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Protocol

import gevent
from werkzeug.http import parse_cookie

from desk.exceptions import DeskError
from kit.settings import Settings
from widget.bodies import is_declared_too_large, limit_bytes, take_body
from widget.limits import AddressPlaces, Allowance, Buckets, Lines, Places, whole_seconds
from widget.origins import cross_origin_headers
from widget.protection import ANSWER_HEADERS, READING
from widget.proxies import Application, BehindProxies, address_key, networks

CONVERSATIONS = "/api/conversations"
HEALTH = "/healthz"
_CONVERSATION = re.compile(r"/api/conversations/([^/]{1,64})(?:/([a-z-]+))?\Z")
HEALTH_PER_MINUTE = 600
"""Of their own: a proxy that asks whether the kit lives is never told to come back later because of others."""


PAUSE_S = 0.01
"""Of one visitor one call that reads and one that writes are worked on at once. Their others wait in lines of their own, and so long between two
of them: threads and interpreter stay free for everybody else, and who sends one call after the other waits for nothing."""
REFUSAL_S = 0.05
"""Between two refusals to one visitor, or to one address: twenty a second are as good as a thousand."""
GUESS = "touchdesk.guess"
"""Set in ``environ`` of a sign-in from an unknown browser."""
MOST_GUESSES = 40
"""Such sign-ins under way at once."""
DEVICE_COOKIES = ("touchdesk-device", "__Host-touchdesk-device")


class Tokens(Protocol):
    """What tells whose token it is: `desk.tokens.Tokens`."""

    def visitor(self, token: str) -> str:
        """The visitor of a token. Raises `DeskError`."""

    def known_device(self, token: str) -> tuple[str, str] | None:
        """Device and account of a device token, None for a worthless one."""


class Gate:
    """WSGI middleware with the limits of the settings."""

    def __init__(
        self, application: Application, settings: Settings, tokens: Tokens, buckets: Buckets | None = None, *, refusal_s: float = REFUSAL_S
    ) -> None:
        self._refusal_s = refusal_s
        self._refusals = Lines()
        self._application = application
        self._settings = settings
        self._tokens = tokens
        self._buckets = Buckets() if buckets is None else buckets
        self._streams, self._guesses, self._lines = Places(), Places(), Lines(PAUSE_S)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if is_declared_too_large(environ) or not take_body(environ):
            return self._too_large(environ, start_response)
        visitor = self._visitor(environ)
        if wait_s := self._buckets.take(self._allowances(environ, visitor)):
            self._take_time(visitor or address_key(environ.get("REMOTE_ADDR", "")))
            return self._too_many(environ, start_response, whole_seconds(wait_s))
        if self._is_guess(environ):
            return self._guess(environ, start_response)
        if visitor is None:
            return self._application(environ, start_response)
        if not _is_watching(environ):
            with self._lines.turn(f"{visitor} {'reads' if environ['REQUEST_METHOD'] in READING else 'writes'}"):
                return self._application(environ, start_response)
        if not self._streams.enter(visitor, self._settings.streams_per_visitor):
            return self._too_many(environ, start_response, 5)
        return self._held(environ, start_response, visitor)

    def _take_time(self, key: str) -> None:
        """Let whoever is refused wait for that, one refusal after another: however many are asked for, they cost the others nothing."""
        with self._refusals.turn(key):
            gevent.sleep(self._refusal_s)

    def _is_guess(self, environ: dict[str, Any]) -> bool:
        """Whether somebody signs in from a browser in which nobody has signed in before."""
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != ("POST", "/api/session"):
            return False
        cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
        return not any(self._tokens.known_device(cookies.get(name, "")) for name in DEVICE_COOKIES)

    def _guess(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let it wait among the other guesses; with too many of them there is no waiting."""
        if not self._guesses.enter(GUESS, MOST_GUESSES):
            return self._too_many(environ, start_response, 2)
        environ[GUESS] = True
        try:
            return self._application(environ, start_response)
        finally:
            self._guesses.leave(GUESS)

    def _held(self, environ: dict[str, Any], start_response: Callable[..., Any], visitor: str) -> Iterable[bytes]:
        """Answer, and keep the visitor's place until the last piece is out or the client is gone."""
        leave = _Once(lambda: self._streams.leave(visitor))
        try:
            return _Held(self._application(environ, start_response), leave)
        except BaseException:
            leave()
            raise

    def _visitor(self, environ: dict[str, Any]) -> str | None:
        """Whose token came along; None without a good one, since made-up ones must not fill the memory."""
        if not environ["PATH_INFO"].startswith(CONVERSATIONS):
            return None
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            return self._tokens.visitor(token.strip()) if scheme.lower() == "bearer" else None
        except DeskError:
            return None

    def _allowances(self, environ: dict[str, Any], visitor: str | None) -> Iterator[Allowance]:
        """What the request counts for, the narrowest first."""
        path, settings, address = environ["PATH_INFO"], self._settings, address_key(environ.get("REMOTE_ADDR", ""))
        if path == HEALTH:
            yield Allowance(("health", address), HEALTH_PER_MINUTE)
            return
        writes = environ["REQUEST_METHOD"] == "POST"
        if visitor is not None:
            conversation = _CONVERSATION.match(path)
            if writes and conversation and conversation[2] != "typing":
                yield Allowance(("conversation", visitor, conversation[1]), settings.messages_per_minute)
            yield Allowance(("visitor", visitor), settings.visitor_requests_per_minute)
        if writes and path == CONVERSATIONS:
            yield Allowance(("begin", address), settings.conversations_per_minute)
        yield Allowance(("address", address), settings.address_requests_per_minute)

    def _too_many(self, environ: dict[str, Any], start_response: Callable[..., Any], wait_s: int) -> Iterable[bytes]:
        message = f"Too many requests; please wait {wait_s} s."
        more = {"Retry-After": str(wait_s)}
        return self._refuse(environ, start_response, 429, "too_many", message, {"retry_after_s": wait_s}, more)

    def _too_large(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The connection ends with the answer: what remains of the body is never read."""
        limit = limit_bytes(environ["PATH_INFO"])
        message = f"The body is too large: at most {limit} bytes."
        return self._refuse(environ, start_response, 413, "too_large", message, {"limit": limit}, {"Connection": "close"})

    def _refuse(
        self, environ: dict[str, Any], start_response: Callable[..., Any], status: int, code: str, message: str, detail: Any, more: dict[str, str]
    ) -> Iterable[bytes]:
        """The one error shape, with the headers of every other answer. Not through Flask: in a flood this is what runs most."""
        content = json.dumps({"error": {"code": code, "message": message, "detail": detail}}).encode() + b"\n"
        origins = cross_origin_headers(environ, self._settings.sites)
        own = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Cache-Control": "no-store"}
        headers = {**ANSWER_HEADERS, **own, **origins, **more}
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def front(settings: Settings, tokens: Tokens) -> Callable[[Application], Application]:
    """What looks at a request before the app does: who really calls, then whether it is too much."""
    return lambda application: BehindProxies(Gate(application, settings, tokens), networks(settings.proxies))


def places(settings: Settings) -> AddressPlaces:
    """The connections that each address may have open, or waste."""
    most, wasted = settings.connections_per_address, settings.wasted_connections_per_minute
    return AddressPlaces(most, networks(settings.proxies), wasted_per_minute=wasted)


class _Once:
    """Calls once what it is given, however often it is called."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def __call__(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class _Held:
    """An answer that gives something back when it is closed, whether or not it was ever begun."""

    def __init__(self, pieces: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._pieces = pieces
        self._leave = leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        """Called by the server at the end, however it came."""
        try:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
        finally:
            self._leave()


def _is_watching(environ: dict[str, Any]) -> bool:
    """Whether this is a stream or a poll, which may stay open for long."""
    found = _CONVERSATION.match(environ["PATH_INFO"])
    return environ["REQUEST_METHOD"] == "GET" and found is not None and found[2] == "events"
