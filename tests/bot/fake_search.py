"""A search service written by hand: real HTTP on loopback, answers told by the test, calls remembered."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

Json = dict[str, Any]
CONTRACT = Path(__file__).resolve().parent.parent / "contract"
SECRET = "a-secret-of-the-tests"


def golden(name: str) -> Json:
    """A golden file of the contract."""
    read: Json = json.loads((CONTRACT / f"{name}.json").read_text(encoding="utf-8"))
    return read


def faq(slug: str = "delivery-times", title: str = "How long delivery takes", answer: str = "Two working days.") -> Json:
    """An article without steps, as search gives it."""
    body = [{"el": "p", "children": [{"el": "text", "text": answer}]}]
    return {
        "slug": slug, "title": title, "kind": "faq", "category": "orders", "stage": "purchase", "section": "", "anchor": "", "url": f"/help/{slug}",
        "answer": answer, "excerpt": answer, "body": body, "steps": [],
    }  # fmt: skip


def guide() -> Json:
    """The golden guide with a third step, so that it has a plain step after the one with options."""
    article = golden("article_response")
    text = "Push the cable in firmly."
    body = [{"el": "p", "children": [{"el": "text", "text": text}]}]
    step = {"id": "step-3-check-the-cable", "title": "Check the cable", "text": text, "body": body, "choices": []}
    return {**article, "steps": [*article["steps"], step]}


def hit_of(article: Json, confidence: float) -> Json:
    """The article as a hit."""
    return {**{key: value for key, value in article.items() if key != "steps"}, "confidence": confidence}


def _found(verdict: str, *hits: Json) -> Json:
    return {"generation": "g", "verdict": verdict, "cutoffs": {"answer": 0.6, "offer": 0.3}, "hits": list(hits)}


class FakeSearch:
    """What search would say, and what it was asked."""

    def __init__(self) -> None:
        self.articles: dict[str, Json] = {}
        self.url = ""
        self.forget()

    def forget(self) -> None:
        """Back to a service that has two articles and is sure of nothing."""
        self.articles = {article["slug"]: article for article in (faq(), guide())}
        self.calls: list[tuple[str, str, Json | None]] = []
        self.status = 200
        self.raw: bytes | None = None
        self.delay_s = 0.0
        self.drops = 0
        self.known: dict[str, Json] = {}
        self.says("none")

    def says(self, verdict: str, *hits: Json) -> None:
        """What every question finds from now on."""
        self.found = _found(verdict, *hits)

    def knows(self, question: str, verdict: str, *hits: Json) -> None:
        """What this question finds, whatever the others do."""
        self.known[question] = _found(verdict, *hits)

    def answers(self, article: Json) -> None:
        """Every question is surely answered by this article."""
        self.articles[article["slug"]] = article
        self.says("answer", hit_of(article, 0.91))

    def offers(self, *articles: Json) -> None:
        """Every question may mean one of these articles."""
        self.articles.update({article["slug"]: article for article in articles})
        self.says("offer", *(hit_of(article, 0.4) for article in articles))

    def answer(self, method: str, path: str, body: Json | None, remembered: list[tuple[str, str, Json | None]]) -> tuple[int, Json]:
        """Status and content of one call, which is remembered where it belongs."""
        remembered.append((method, path, body))
        if self.status != 200:
            return self.status, {"error": {"code": "broken", "message": "Broken.", "detail": None}}
        if (method, path) == ("POST", "/search"):
            return 200, self.known.get(str((body or {}).get("text")), self.found)
        article = self.articles.get(unquote(path.removeprefix("/articles/")))
        return (200, article) if article else (404, golden("error"))


@contextmanager
def serving(search: FakeSearch) -> Iterator[FakeSearch]:
    """Serve on a free port while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        """One request of the fake."""

        def _take(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            remembered = search.calls  # a call that comes to its end in a later test is none of that test's
            time.sleep(search.delay_s)
            if search.drops:
                search.drops -= 1
                self.close_connection = True
                return
            allowed = self.headers.get("Authorization") == f"Bearer {SECRET}"
            status, content = search.answer(self.command, self.path, body, remembered) if allowed else (401, {})
            payload = search.raw if search.raw is not None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = _take

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    search.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield search
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
