"""The search service over HTTP: a thread a connection, kept alive, JSON in and out, the inner secret on every call."""

from __future__ import annotations

import hmac
import json
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from . import wire
from .exceptions import KnowledgeBaseError
from .live import LiveIndex
from .model import SearchHealth
from .searching import Searcher
from .wire import Refusal

log = logging.getLogger(__name__)


class SearchServer(ThreadingHTTPServer):
    """Listens on loopback. ``live`` answers; a call without ``secret`` is refused."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, port: int, live: LiveIndex, secret: str) -> None:
        self.live = live
        self.secret = secret
        super().__init__(("127.0.0.1", port), SearchHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A call broke off: told like everything else, not printed with all it said."""
        log.exception("a call broke off")


class SearchHandler(BaseHTTPRequestHandler):
    """One connection of a caller."""

    protocol_version = "HTTP/1.1"
    server_version = "touchdesk-search"
    sys_version = ""
    # A caller that sends half a request, or keeps a connection for nothing, is dropped after this.
    timeout = 30
    # Headers and body leave in one piece: with Nagle's algorithm two would cost 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        try:
            self._check_secret()
            self._send(200, self._called(method, urlsplit(self.path).path))
        except Refusal as refusal:
            self._send(refusal.status, wire.error_form(refusal))
        except KnowledgeBaseError:
            log.exception("%s %s failed", method, urlsplit(self.path).path.split("/")[1])
            self._send(503, wire.error_form(Refusal(503, "unavailable", "The index cannot be read now.")))

    def _called(self, method: str, path: str) -> dict[str, Any]:
        if (method, path) == ("POST", "/search"):
            return wire.search_form(self._searcher.search(*wire.read_search_request(self._body())))
        if (method, path) == ("GET", "/health"):
            return wire.health_form(self._health())
        if method == "GET" and path.startswith("/articles/"):
            return self._article(unquote(path.removeprefix("/articles/")))
        raise Refusal(404, "not_found", "There is no such endpoint.")

    def _article(self, slug: str) -> dict[str, Any]:
        answer = None if "\0" in slug else self._searcher.article(slug)
        if answer is None:
            raise Refusal(404, "not_found", "There is no such article.")
        return wire.article_form(answer)

    def _health(self) -> SearchHealth:
        loaded = self._searcher.loaded
        return SearchHealth(loaded.name, loaded.rows.articles, self._live.problems, *self._searcher.remembered())

    @property
    def _live(self) -> LiveIndex:
        assert isinstance(self.server, SearchServer)
        return self.server.live

    @property
    def _searcher(self) -> Searcher:
        if self._live.searcher is None:
            raise Refusal(503, "unavailable", "There is no index yet.")
        return self._live.searcher

    def _check_secret(self) -> None:
        assert isinstance(self.server, SearchServer)
        shown = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"Bearer {self.server.secret}".encode()):
            # The body of a stranger is not read, so the connection cannot go on.
            self.close_connection = True
            raise Refusal(401, "unauthorized", "The inner secret is missing or wrong.")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise Refusal(411, "length_required", "The request must say how long its body is.")
        if len(length) > 9 or int(length) > wire.MAX_BODY:
            self.close_connection = True
            raise Refusal(413, "too_large", f"The body is longer than {wire.MAX_BODY} bytes.")
        return self.rfile.read(int(length))

    def _send(self, status: int, form: dict[str, Any]) -> None:
        body = json.dumps(form, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are not logged: their number is web's to count, and what customers write stays out of logs."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses (a broken request line, another method) in the one shape of errors."""
        self.close_connection = True
        self._send(code, wire.error_form(Refusal(code, "bad_request", message or "The request cannot be read.")))
