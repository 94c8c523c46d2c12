"""A small shop with three generations of its index: the live one, one of older articles, and one of another model."""

from __future__ import annotations

import re
import shutil
import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base import generations
from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.embedding import Vectors
from knowledge_base.index_files import load_index
from knowledge_base.reading import read_folder
from knowledge_base.searching import Searcher

TOPICS = (
    ("router-red", "Router lamp glows red", "why is my router lamp red", "Pull the plug, wait and push it in again."),
    ("router-orange", "Router lamp glows orange", "orange lamp at the router", "The provider refuses the connection; call them."),
    ("track-order", "Follow an order", "track my parcel", "Open tracking and type the number."),
    ("return-thing", "Send something back", "how do I return a kettle", "Print the label and bring it to a shop."),
    ("refund-when", "When the money comes", "where is my refund", "It takes five working days."),
    ("change-name", "Change your name", "my name is spelled wrong", "Write it anew under account."),
    ("close-account", "Close the account", "delete everything about me", "Press close; thirty days later all is gone."),
    ("pay-invoice", "Pay an invoice", "how can I pay the bill", "By transfer or by card."),
    ("late-fee", "Fee for paying late", "why was I charged a penalty", "A fee is charged after a second reminder."),
    ("warranty", "What the warranty covers", "screen broke after a month", "Breakage is covered in the first year."),
)
GONE = ("gone-offer", "Summer offer", "discount in summer", "Ten percent until August.")


class WordEmbedder:
    """Texts that share words lie close together; another ``salt`` is another model."""

    def __init__(self, salt: str = "", checksum: str | None = None) -> None:
        self.checksum = checksum or f"words{salt}"
        self.dimensions = 48
        self._salt = salt

    def embed(self, texts: list[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimensions), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32((self._salt + word[:5]).encode()) % self.dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class World:
    """``stash`` holds the whole index as it was built; ``index`` is the copy that gets damaged. Names of the three generations."""

    articles: Path
    stash: Path
    index: Path
    live: str
    old: str
    other: str
    truth: dict[str, dict[str, Any]]

    @property
    def folder(self) -> Path:
        """The live generation in the copy."""
        return self.index / self.live

    def restore(self) -> None:
        """Put the copy back as it was built."""
        remove(self.index)
        shutil.copytree(self.stash, self.index)


def make_world(base: Path) -> World:
    """Build it under ``base``, which must be empty."""
    articles, stash = base / "articles", base / "stash"
    _write(articles, [*TOPICS, GONE], "Formerly")
    old = _build(articles, stash, WordEmbedder())
    shutil.rmtree(articles)
    _write(articles, TOPICS, "Nowadays")
    other = _build(articles, stash, WordEmbedder("other"))
    live = _build(articles, stash, WordEmbedder())
    searcher = Searcher(load_index(stash / live, WordEmbedder().checksum), WordEmbedder())
    truth = {question: shown(searcher, question) for _, _, question, _ in TOPICS}
    wrong = [slug for slug, _, question, _ in TOPICS if truth[question]["slug"] != slug]
    if wrong:
        raise AssertionError(f"the questions of the world do not find their articles: {wrong}")
    return World(articles, stash, base / "index", live, old, other, truth)


def shown(searcher: Searcher, question: str) -> dict[str, Any]:
    """What a customer sees of the best hit: all of it but the confidence, which may be settled anew. Raises `IndexUnusable`."""
    hits = searcher.search(question, 1).hits
    return {name: value for name, value in vars(hits[0]).items() if name != "confidence"} if hits else {"slug": None}


def remove(path: Path) -> None:
    """Take anything away, whatever it is and whoever may read it."""
    if path.is_symlink() or path.is_file() or (path.exists() and not path.is_dir()):
        path.unlink()
    elif path.is_dir():
        for folder in (path, *(one for one in path.rglob("*") if one.is_dir() and not one.is_symlink())):
            folder.chmod(0o700)
        shutil.rmtree(path)


def _write(folder: Path, topics: Any, word: str) -> None:
    for slug, title, question, text in topics:
        file = folder / "shop" / f"{slug}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        front = f"---\ntitle: {title} {word.lower()}\nanswer: {word}. {text}\nquestions: [{question}, '{word} {question}']\n---\n"
        file.write_text(f"{front}\n{word}, in short. {text}\n\n## More\n\n{word} there is more to say about {title.lower()}.\n", encoding="utf-8")
    secret = f"---\ntitle: Staff only {word}\naudience: internal\n---\nSecret limit of {word}.\n"
    (folder / "shop" / "staff.md").write_text(secret, encoding="utf-8")


def _build(articles: Path, index: Path, embedder: WordEmbedder) -> str:
    return build(read_folder(articles), index, embedder, aim=Aim(), now=datetime.now(timezone.utc)).generation


def sign(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    """Write a manifest whose checksums are right for whatever lies in ``folder``, as a broken writer or a careless hand might."""
    known = manifest or generations.read_manifest(folder)
    generations.finish(folder, {name: value for name, value in known.items() if name not in ("files", "sizes", "manifest_sha256")})
