"""Requests that are almost right, and bytes that are nothing: made from a seed, so that a fault can be made again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.security.routes import ROUTES

Body = dict[str, Any] | list[Any]
ODD_TEXTS = ("", " ", "\u202e", "\u200b", "e\u0301" * 50, "👩‍👩‍👧‍👦" * 20, "../../etc/passwd", "%00", "\x7f", "x" * 9000)
ODD_TEXTS += ("'; DROP TABLE events; --", "' OR 1=1 --")
ODD_TEXTS += ("/restart", "{{7*7}}", "=cmd|' /C calc'!A0", "<script>", "\r\nSet-Cookie: a=b", "null", "NaN", "1e999", "-1", "9" * 40)
ODD_JSON = ("NaN", "Infinity", "-Infinity", "1e999", "9007199254740993", "-9007199254740994", '"\\ud800"', '"\\u0000"')
ODD_JSON += ("[" * 200 + "]" * 200, '{"a":' * 50 + "1" + "}" * 50)
ODD_VALUES: tuple[Any, ...] = (None, True, -1, 0, 2**53, 1.5, [], {}, [[]], [None], {"a": 1}, *ODD_TEXTS)
ODD_HEADERS = (
    b"Content-Length: -5",
    b"Content-Length: abc",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Expect: 100-continue",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Content-Encoding: gzip",
    b"Content-Type: text/plain",
    b"Content-Type: multipart/form-data",
    b"Accept: text/event-stream",
    b"Last-Event-ID: -1",
    b"Last-Event-ID: \xff",
    b"Range: bytes=0-0,5-",
    b"If-None-Match: *",
    b"Host: \xff",
    b"Host: a\r\nHost: b",
    b"X-Forwarded-For: 127.0.0.1, ::1",
    b"Cookie: touchdesk=\xff\x00",
    b"Cookie: " + b"a=b; " * 500,
    b"Authorization: Bearer",
    b"Authorization: Basic OjpA",
    b": nothing",
    b"X" * 3000 + b": 1",
)
ODD_PIECES = ("", "..", "%2e%2e", "%00", "%ff", "%", "\\", "x" * 2000, ";", "%2f", "*", "?", "#", "\u0130")
ODD_NUMBERS = ("", "-1", "1e9", "x", "%ff", "99999999999999999999", "%27", "1;", "0")
PARAMETERS = ("after", "limit", "since", "q", "owner")
_PLACES = {"<slug>": "router-red-light", "<key_id>": "x", "<path:name>": "x.png", "<path:filename>": "x.css", "{words}": "router"}
METHODS = (b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"BREW", b"")


@dataclass(frozen=True)
class Names:
    """What right requests are made of: credentials as header lines, and ids that are there."""

    headers: Sequence[bytes]
    conversations: Sequence[str]


class Mutations:
    """An endless row of requests."""

    def __init__(self, seed: int, names: Names) -> None:
        self._chance = random.Random(seed)
        self._names = names
        self._calls = [(method, rule, route) for (method, rule), routes in ROUTES.items() for route in routes]
        self._ways: tuple[Callable[[], bytes], ...] = (self._odd_body, self._odd_body, self._odd_path, self._odd_headers, self._bitten, self._noise)

    def next(self) -> bytes:
        """The next request, as it goes over the wire."""
        return self._chance.choice(self._ways)()

    def _right(self) -> tuple[bytes, str, Body | None]:
        method, rule, route = self._chance.choice(self._calls)
        conversation = self._chance.choice(self._names.conversations)
        path = rule + route.query
        for name, value in {**_PLACES, "<conversation_id>": conversation, "{id}": conversation}.items():
            path = path.replace(name, value)
        # Nobody waits for long here, and a session that was ended would end the signed-in part of the run.
        path = path.replace("wait=1", "wait=0")
        return (b"GET" if rule == "/api/session" else method.encode()), path, dict(route.body) if route.body is not None else None

    def _request(self, method: bytes, path: bytes, body: bytes, *headers: bytes) -> bytes:
        lines = [method + b" " + path + b" HTTP/1.1", b"Host: 127.0.0.1", self._chance.choice(self._names.headers), *headers]
        if body and not any(line.lower().startswith((b"content-length", b"transfer-encoding")) for line in headers):
            lines += [b"Content-Length: %d" % len(body)]
        if not any(line.lower().startswith(b"content-type") for line in headers):
            lines += [b"Content-Type: application/json"]
        return b"\r\n".join(line for line in lines if line) + b"\r\n\r\n" + body

    def _odd_body(self) -> bytes:
        method, path, body = self._right()
        content = json.dumps(self._changed(body if body is not None else {"text": "x"}), ensure_ascii=self._chance.random() < 0.5)
        if self._chance.random() < 0.3:
            content = content.replace('"', self._chance.choice(ODD_JSON), 1) if self._chance.random() < 0.3 else self._chance.choice(ODD_JSON)
        return self._request(method, path.encode(), content.encode("utf-8", "surrogatepass"))

    def _changed(self, body: Body) -> Any:
        if not isinstance(body, dict) or not body or self._chance.random() < 0.1:
            return self._chance.choice(ODD_VALUES)
        changed = dict(body)
        key = self._chance.choice(list(changed))
        match self._chance.randrange(4):
            case 0:
                del changed[key]
            case 1:
                changed[self._chance.choice(("", "__proto__", "x" * 300, "\u202e", "constructor"))] = self._chance.choice(ODD_VALUES)
            case 2 if isinstance(changed[key], list) and changed[key]:
                changed[key] = [self._changed(entry) for entry in changed[key] * self._chance.randrange(1, 4)]
            case _:
                changed[key] = self._chance.choice(ODD_VALUES)
        return changed

    def _odd_path(self) -> bytes:
        method, path, body = self._right()
        pieces = path.split("/")
        pieces[self._chance.randrange(len(pieces))] = self._chance.choice(ODD_PIECES)
        query = "?" + "&".join(f"{name}={self._chance.choice(ODD_NUMBERS)}" for name in PARAMETERS)
        whole = "/".join(pieces) + (query if self._chance.random() < 0.5 else "")
        return self._request(method, whole.replace(" ", "%20").encode("utf-8"), json.dumps(body).encode() if body is not None else b"")

    def _odd_headers(self) -> bytes:
        method, path, body = self._right()
        method = self._chance.choice(METHODS) if self._chance.random() < 0.3 else method
        headers = self._chance.sample(ODD_HEADERS, self._chance.randrange(1, 4))
        return self._request(method, path.encode(), json.dumps(body).encode() if body is not None else b"", *headers)

    def _bitten(self) -> bytes:
        """A right request with some bytes changed, left out or doubled."""
        method, path, body = self._right()
        request = bytearray(self._request(method, path.encode(), json.dumps(body).encode() if body is not None else b""))
        for _ in range(self._chance.randrange(1, 8)):
            place = self._chance.randrange(len(request))
            match self._chance.randrange(3):
                case 0:
                    request[place] = self._chance.randrange(256)
                case 1:
                    del request[place : place + self._chance.randrange(1, 9)]
                case _:
                    request[place:place] = request[place : place + 16] * self._chance.randrange(1, 5)
        return bytes(request)

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randrange(1, 600))
