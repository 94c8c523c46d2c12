"""A folder of articles to write into, an embedder that needs no model, and a service that answers on a port of its own."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.aim import Aim
from knowledge_base.building import Built, build
from knowledge_base.embedding import Vectors
from knowledge_base.index_files import load_index
from knowledge_base.live import LiveIndex, Place
from knowledge_base.reading import read_folder
from knowledge_base.search_client import SearchClient
from knowledge_base.searching import Searcher
from knowledge_base.server import SearchServer

NOW = datetime(2026, 11, 21, 19, 0, tzinfo=timezone.utc)
SECRET = "inner-secret"

ROUTER = """---
title: Router shows a red light
answer: Restart the router; if the light stays red, check the cable to the wall.
kind: guide
questions: [my router has a red light, internet lamp is red]
category: network
related: [router-orange-light, staff-notes]
---

Works for every router.

## Step 1: Restart the router

Unplug the router, wait 30 seconds and plug it in again.

## Step 2: What colour is the light?

Look at the light on the front.

- [Still red](#step-3-check-the-cable)
- [Orange](router-orange-light)

## Step 3: Check the cable

Push both ends in until they click.
"""


class WordEmbedder:
    """Texts that share words lie close together. Counts what it embeds."""

    def __init__(self, checksum: str = "word-embedder") -> None:
        self.checksum = checksum
        self.dimensions = 64
        self.embedded: list[str] = []

    def embed(self, texts: list[str]) -> Vectors:
        self.embedded += texts
        vectors = np.full((len(texts), self.dimensions), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word[:5].encode()) % self.dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Articles:
    """A folder of Markdown articles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def add(self, slug: str, title: str, *questions: str, body: str = "", **fields: str) -> Path:
        lines = [f"title: {title}", *(f"{name}: {value}" for name, value in fields.items())]
        lines += ["questions:", *(f"  - {question}" for question in questions)] if questions else []
        return self.write(f"{slug}.md", "---\n" + "\n".join(lines) + f"\n---\n\n{body}\n")

    def add_shop(self) -> None:
        """Five public articles, one for staff, one draft."""
        self.write("network/router-red-light.md", ROUTER)
        self.add(
            "network/router-orange-light", "Router shows an orange light", "the router lamp is orange", body="The provider refuses the connection."
        )
        self.add("orders/where-is-my-order", "Where is my order", "track my parcel", "when does my parcel arrive", body="Open tracking.")
        self.add("returns/return-a-product", "Return a product", "send the lamp back", "how do I return something", body="Print the return label.")
        self.add("returns/refund-times", "When the refund arrives", "where is my refund money", body="It takes five days.")
        self.add(
            "internal/staff-notes", "Staff notes about refunds", "secret staff refund limit", audience="internal", body="Up to 50 without asking."
        )
        self.add("orders/new-tracking", "New tracking page", "tracking draft page", status="draft", body="Not yet.")


class TickingClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def articles(tmp_path: Path) -> Articles:
    (tmp_path / "articles").mkdir()
    return Articles(tmp_path / "articles")


@pytest.fixture
def shop(articles: Articles) -> Articles:
    articles.add_shop()
    return articles


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def built(articles: Articles, index: Path, embedder: WordEmbedder) -> Callable[[], Built]:
    """Builds what stands in the folder."""
    return lambda: build(read_folder(articles.folder), index, embedder, aim=Aim(), now=NOW)


@pytest.fixture
def searcher(shop: Articles, built: Callable[[], Built], index: Path, embedder: WordEmbedder) -> Searcher:
    return Searcher(load_index(index / built().generation, embedder.checksum), embedder)


@pytest.fixture
def live(shop: Articles, index: Path, embedder: WordEmbedder, clock: TickingClock) -> LiveIndex:
    return LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)


@pytest.fixture
def server(live: LiveIndex) -> Iterator[SearchServer]:
    live.follow()
    server = SearchServer(0, live, SECRET)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture
def client(server: SearchServer) -> Iterator[SearchClient]:
    client = SearchClient(f"http://127.0.0.1:{server.server_address[1]}", SECRET)
    yield client
    client.close()
