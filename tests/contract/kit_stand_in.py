"""The web app with neighbours that answer as the golden files say: one small server stands for both Rasa and search."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import event

from desk.migrate import migrate
from desk.readiness import PERSON_WANTED
from kit.settings import ROOT, Settings
from knowledge_base import article_store, generations
from knowledge_base.model import Article, Passage
from widget.services import Services, build_services

CONTRACT = ROOT / "tests" / "contract"
SHOP = "https://shop.example"
ADMINISTRATOR = {"email": "ada@shop.example", "password": "a long password"}
EDITOR = {"email": "eve@shop.example", "password": "another password"}
BUILT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)


class Neighbours(ThreadingHTTPServer):
    """Rasa at ``/turns`` and search at ``/search`` and ``/health``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers = {
            "/turns": (CONTRACT / "turn_response.json").read_bytes(),
            "/search": (CONTRACT / "search_response.json").read_bytes(),
            "/health": b'{"generation": "20261121T190000Z-3f9c2a", "articles": 1, "problems": []}',
        }
        wish = json.loads(self.answers["/turns"]) | {"intent": {"name": "request_person", "confidence": 0.98}}
        self.wish_for_a_person = json.dumps(wish).encode()
        self.search_is_away = False

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and content."""
        if path == "/search" and self.search_is_away:
            return 503, json.dumps({"error": {"code": "unavailable", "message": "away", "detail": None}}).encode()
        return 200, self.wish_for_a_person if PERSON_WANTED.encode() in body else self.answers[path]


class _Answer(BaseHTTPRequestHandler):
    server: Neighbours

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        status, content = self.server.answer(self.path, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    """Both neighbours on a free port, for as long as they are needed."""
    with Neighbours() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def web_services(folder: Path, server: Neighbours, **changes: Any) -> Iterator[Services]:
    """All parts of the app over a fresh database, one article and two accounts; ``changes`` are settings."""
    port = server.server_address[1]
    settings = Settings(var=folder, inner_secret="inner", signing_key="signing", rasa_port=port, search_port=port, sites=(SHOP,), **changes)
    build_article(settings.index)
    services = build_services(settings)
    event.listen(services.database.engine, "connect", lambda connection, record: connection.execute("PRAGMA busy_timeout=2000"))
    migrate(services.database)
    services.accounts.add(ADMINISTRATOR["email"], "Ada", ADMINISTRATOR["password"], "administrator")
    services.accounts.add(EDITOR["email"], "Eve", EDITOR["password"], "editor")
    yield services
    services.runner.stop()
    services.database.engine.dispose()


def build_article(index: Path) -> None:
    article = Article(slug="router-red-light", path="network/router-red-light.md", title="Router shows a red light", markdown="", updated=BUILT)
    text = "Restart the router; if the light stays red, check the cable to the wall."
    stored = article_store.StoredArticle(
        article, text, f"<p>{text}</p>", (), (), text, (), (article_store.StoredPassage(Passage("", "", text, ()), text, ()),)
    )
    folder = index / "building-1"
    folder.mkdir(parents=True)
    article_store.write_articles(folder / article_store.FILE_NAME, [stored])
    generations.finish(folder, {})
    generations.make_live(index, folder, generations.new_name(BUILT))
