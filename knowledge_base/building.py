"""Building a generation from a folder as read: prepare, embed what is new, learn, write beside, swap whole."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import article_store, generations, index_files
from .aim import Aim
from .article_store import StoredArticle
from .embedding import Embedder, Vectors
from .lexical import index_texts
from .model import Article
from .preparing import prepare
from .ranking import ANSWER, NO_PASSAGE, PASSAGE, PHRASING, TITLE, Rows
from .reading import Reading
from .training import Learnable, Settled, fit_head, settle

FAR_MESSAGES = Path(__file__).with_name("no_answer_messages.txt")

# Texts between two moves of the progress bar.
EMBEDDED_AT_ONCE = 256

Prepare = Callable[[Article], StoredArticle]
# Told of progress while texts are embedded, in characters: how many were done since the last call, and how many have been added to do.
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Built:
    """A generation just made live; ``embedded`` is how many texts were not known before."""

    generation: str
    articles: int
    rows: int
    embedded: int


def build(
    reading: Reading,
    index: Path,
    embedder: Embedder,
    *,
    aim: Aim,
    now: datetime,
    settled: Settled | None = None,
    settled_here: bool = False,
    preparing: Prepare = prepare,
    told: Told = lambda done, more: None,
    also_known: Mapping[str, Vectors] | None = None,
) -> Built:
    """Make a generation of ``reading`` under ``index`` and make it live.

    With ``settled``, usually that of the generation before, held-out questions are not asked, which is quicker; the manifest
    then says so, unless it was ``settled_here``, on these articles. ``preparing`` may remember what it prepared before, ``told`` show how far it is.
    ``also_known`` are vectors by ``embedder``, float32 (dim,) by text, beside those that the live generation knows.
    """
    # Public ones first: their places in the list are the article numbers that the rows name.
    articles = sorted(reading.articles, key=lambda article: (not article.is_public, article.slug))
    stored = [preparing(article) for article in articles]
    rows, texts = rows_of([one for one in stored if one.article.is_public])
    everything = [*texts, *read_far_messages()]
    known = {**(also_known or {}), **index_files.known_vectors(index, embedder.checksum)}
    vectors = embed_new(everything, known, embedder, told)
    data = Learnable(rows, texts, vectors[: len(texts)], index_texts(texts))
    decided = settled or settle(data, far=everything[len(texts) :], far_vectors=vectors[len(texts) :], aim=aim)
    head = fit_head(data, decided.lexical_share, hurried=settled is not None and not settled_here)

    manifest = {
        "created": now.isoformat(),
        "embedding": embedder.checksum,
        "articles": rows.articles,
        "fingerprint": fingerprint(reading),
        "problems": [str(problem) for problem in reading.problems],
        "aim": asdict(aim),
        "settled": index_files.settled_as_json(decided),
        "settled_here": settled is None or settled_here,
    }
    name = generations.new_name(now)
    with _generation(index, name, manifest) as folder:
        article_store.write_articles(folder / article_store.FILE_NAME, stored)
        index_files.write_index(folder, data, everything, vectors, head)
    return Built(name, rows.articles, len(texts), len(set(everything) - set(known)))


@contextmanager
def _generation(index: Path, name: str, manifest: dict[str, Any]) -> Iterator[Path]:
    """A folder to write a generation into; whole at the end of the block, it goes live, and nothing is left of it otherwise."""
    folder = index / f"building-{os.getpid()}-{name}"
    folder.mkdir(parents=True)
    try:
        yield folder
        generations.finish(folder, manifest)
        generations.make_live(index, folder, name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    generations.prune(index)


def settle_again(index: Path, embedder_checksum: str, aim: Aim) -> Settled:
    """Ask the live generation's own phrasings as if held out. Raises `IndexUnusable` when there is no usable one."""
    folder = index / generations.current_name(index)
    loaded = index_files.load_index(folder, embedder_checksum)
    texts, vectors = index_files.read_texts(folder)
    count = len(loaded.rows.article)
    data = Learnable(loaded.rows, texts[:count], vectors[:count], index_texts(texts[:count]))
    return settle(data, far=texts[count:], far_vectors=vectors[count:], aim=aim)


def fingerprint(reading: Reading) -> str:
    """Equal for equal articles, whatever they were read from and whenever."""
    lines = sorted(repr(article) for article in reading.articles)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


def rows_of(articles: Sequence[StoredArticle]) -> tuple[Rows, list[str]]:
    """The rows that stand for the articles, and the text of each. An article's first row is its title."""
    found: list[tuple[int, int, int, str]] = []
    passage_number = 0
    for number, stored in enumerate(articles):
        article = stored.article
        own = [(number, TITLE, NO_PASSAGE, article.title)]
        own += [(number, PHRASING, NO_PASSAGE, question) for question in article.questions]
        own += [(number, ANSWER, NO_PASSAGE, article.answer)] if article.answer else []
        for passage in stored.passages:
            heading = f"{article.title}: {passage.passage.section}" if passage.passage.section else article.title
            if _adds(passage.passage.text, heading):
                own.append((number, PASSAGE, passage_number, f"{heading}\n{passage.passage.text}"))
            passage_number += 1
        found += own
    rows = Rows(*(np.array([row[column] for row in found], np.int64) for column in range(3)))
    return rows, [row[3] for row in found]


def embed_new(texts: Sequence[str], known: dict[str, Vectors], embedder: Embedder, told: Told = lambda done, more: None) -> Vectors:
    """float32 (len(texts), dim); only texts that are not in ``known`` go through the model, each once."""
    new = sorted((text for text in dict.fromkeys(texts) if text not in known), key=len)
    fresh: dict[str, Vectors] = {}
    told(0, sum(map(len, new)))
    for start in range(0, len(new), EMBEDDED_AT_ONCE):
        some = new[start : start + EMBEDDED_AT_ONCE]
        fresh.update(zip(some, embedder.embed(some), strict=True))
        told(sum(map(len, some)), 0)
    vectors = np.zeros((len(texts), embedder.dimensions), np.float32)
    for number, text in enumerate(texts):
        vectors[number] = fresh[text] if text in fresh else known[text]
    return vectors


def read_far_messages() -> list[str]:
    """The messages that no article answers, as shipped."""
    lines = FAR_MESSAGES.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _adds(text: str, heading: str) -> bool:
    return bool(set(re.findall(r"\w+", text.lower())) - set(re.findall(r"\w+", heading.lower())))
