"""The files of a generation beside ``articles.sqlite``: plain arrays and one JSON list, nothing pickled.

``vectors.npy`` float32 (n, dim): the rows of the index, then the messages without an answer; ``texts.json`` the text of each,
so that the next build embeds only what is new. ``ranking.npz``: rows, lexical index, head.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import article_store, generations
from .calibration import Calibration
from .embedding import Embedder, Vectors
from .exceptions import IndexDisagrees, IndexUnusable
from .head import TrainedHead
from .lexical import LexicalIndex
from .model import Article, Cutoffs
from .ranking import ANSWER, PASSAGE, PHRASING, TITLE, Ranker, Rows
from .training import Learnable, Settled

VECTORS = "vectors.npy"
TEXTS = "texts.json"
RANKING = "ranking.npz"
FILES = (VECTORS, TEXTS, RANKING, article_store.FILE_NAME)

# What numpy, zipfile and json raise for bytes that are not theirs.
UNREADABLE: tuple[type[Exception], ...] = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, RecursionError)
UNREADABLE += (MemoryError, NotImplementedError, zipfile.BadZipFile, zlib.error)

# Texts that are embedded again to see that the vectors are this model's: as many as go through it together.
PROVED = 8
# float32 and the order of a sum move a cosine by 1e-6; a model in 8 bits by 1e-2 between lengths of a batch.
SAME = 0.97


@dataclass(frozen=True)
class LoadedIndex:
    """A generation checked and in memory, ready to rank."""

    folder: Path
    manifest: dict[str, Any]
    rows: Rows
    ranker: Ranker
    settled: Settled
    stamps: dict[str, generations.Stamp]
    checksums: dict[str, str]

    def untouched(self, *names: str) -> bool:
        """Whether the files (those named, or all, and no others) are as they were when they were checked."""
        try:
            if not names and set(os.listdir(self.folder)) != set(self.stamps):
                return False
            return all(self._is_same(name) for name in names or self.stamps)
        except (IndexUnusable, OSError):
            return False

    def _is_same(self, name: str) -> bool:
        path, known, now = self.folder / name, self.stamps[name], generations.stamp(self.folder / name)
        if now[:-1] != known[:-1]:
            return False
        # Only the system's own time has moved: a link was made to the file, or it was written to and its time set back.
        if now != known and generations.checksum(path) == self.checksums[name]:
            self.stamps[name] = now
        return self.stamps[name] == now

    @property
    def name(self) -> str:
        return self.folder.name


def write_index(folder: Path, data: Learnable, texts: Sequence[str], vectors: Vectors, head: TrainedHead) -> None:
    """Write the three files to ``folder``. ``texts`` and ``vectors`` are those of the rows and then of the messages without an answer."""
    rows, lexical = data.rows, data.lexical
    np.save(folder / VECTORS, vectors, allow_pickle=False)
    (folder / TEXTS).write_text(json.dumps(list(texts), ensure_ascii=False), encoding="utf-8")
    np.savez(
        folder / RANKING,
        article=rows.article,
        kind=rows.kind,
        passage=rows.passage,
        buckets=lexical.buckets,
        idf=lexical.idf,
        starts=lexical.starts,
        lexical_rows=lexical.rows,
        lexical_weights=lexical.weights,
        head=head.weights,
        base=np.float64(head.base),
        landmarks=head.landmarks,
        lexical_share=np.float64(head.lexical_share),
        vectors=_digest(vectors),
    )


def load_index(folder: Path, embedding_checksum: str) -> LoadedIndex:
    """Check every file against the manifest and load. Raises `IndexUnusable`, also for vectors of another model."""
    if folder.is_symlink():
        raise IndexUnusable(f"{folder} leads out of the index")
    # Stamps before checksums: a file written to in between will look touched.
    stamps = {name: generations.stamp(folder / name) for name in (*FILES, generations.MANIFEST)}
    manifest = generations.verify(folder)
    if manifest.get("embedding") != embedding_checksum:
        raise IndexUnusable(f"{folder} was made with another embedding model")
    checksums = {**manifest["files"], generations.MANIFEST: generations.checksum(folder / generations.MANIFEST)}
    try:
        vectors = np.load(folder / VECTORS, allow_pickle=False)
        with np.load(folder / RANKING, allow_pickle=False) as arrays:
            rows = Rows(arrays["article"], arrays["kind"], arrays["passage"])
            lexical = LexicalIndex(
                len(rows.article), arrays["buckets"], arrays["idf"], arrays["starts"], arrays["lexical_rows"], arrays["lexical_weights"]
            )
            head = TrainedHead(arrays["head"], float(arrays["base"]), arrays["landmarks"], float(arrays["lexical_share"]))
            if not lexical.is_sound or not all(np.isfinite(array).all() for array in (lexical.idf, lexical.weights, head.weights)):
                raise ValueError("numbers that cannot be")
            # Generations of before there was such a digest are taken as they are.
            if "vectors" in arrays and not np.array_equal(arrays["vectors"], _digest(vectors)):
                raise ValueError("the ranking was not learnt on these vectors")
        settled = settled_from(manifest["settled"])
        ranker = Ranker(vectors[: len(rows.article)], rows, lexical, head, settled.calibration)
    except UNREADABLE as cause:
        raise IndexDisagrees(f"{folder} cannot be loaded") from cause
    return LoadedIndex(folder, manifest, rows, ranker, settled, stamps, checksums)


def prove_articles(loaded: LoadedIndex, articles: Sequence[Article]) -> None:
    """See that a generation whose manifest says that it was made of ``articles`` holds just these. Raises `IndexDisagrees`."""
    wanted = {(article.slug, article.path, article.title, article.audience, article.status, article.markdown) for article in articles}
    try:
        with article_store.reading(loaded.folder / article_store.FILE_NAME) as connection:
            found = article_store.written(connection)
    except IndexUnusable as cause:
        raise IndexDisagrees(str(cause)) from cause
    if found != wanted:
        raise IndexDisagrees(f"{loaded.folder} does not hold the articles that its manifest speaks of")


def prove(loaded: LoadedIndex, embedder: Embedder) -> None:
    """See that the files speak of the same articles and that the vectors are ``embedder``'s. Raises `IndexDisagrees`.

    Checksums say that the files are what some manifest wanted; this says that they belong together, as those of two generations
    under one manifest would not. Costs a few ms for a thousand rows and one batch through the model.
    """
    folder, rows = loaded.folder, loaded.rows
    texts, vectors = read_texts(folder)
    try:
        with article_store.reading(folder / article_store.FILE_NAME) as connection:
            sources = article_store.row_sources(connection)
        columns = zip(rows.article.tolist(), rows.kind.tolist(), rows.passage.tolist(), texts, strict=False)
        agree = len(texts) >= len(rows.article) and all(_holds(sources, *column) for column in columns)
        complete = set(sources.articles) == set(range(rows.articles))
    except UNREADABLE as cause:
        raise IndexDisagrees(f"{folder}: rows and articles disagree") from cause
    if not (agree and complete):
        raise IndexDisagrees(f"{folder}: texts and articles disagree")
    _prove_vectors(loaded, texts, vectors, embedder)


def _holds(sources: article_store.RowSources, article: int, kind: int, passage: int, text: str) -> bool:
    """Whether ``text`` is a row of that article, kind and passage. Raises KeyError for one that is not there."""
    title, answer, questions = sources.articles[article]
    if kind == PASSAGE:
        owner, own = sources.passages[passage]
        return owner == article and text.endswith(own)
    own_texts = {TITLE: (title,), ANSWER: (answer,), PHRASING: questions}
    return kind not in own_texts or text in own_texts[kind]


def _prove_vectors(loaded: LoadedIndex, texts: list[str], vectors: Vectors, embedder: Embedder) -> None:
    folder = loaded.folder
    if vectors.dtype != np.float32 or vectors.shape[1:] != (embedder.dimensions,) or not np.isfinite(vectors).all():
        raise IndexDisagrees(f"{folder}: the vectors are not those of the model")
    if not texts:
        return
    asked = np.unique(np.linspace(0, len(texts) - 1, PROVED).astype(int))
    again = embedder.embed([texts[number] for number in asked])
    if float((again * vectors[asked]).sum(1).min()) < SAME:
        raise IndexDisagrees(f"{folder}: the vectors are not those of the texts")
    try:
        found = loaded.ranker.rank(again[0], texts[0], 3)
    except UNREADABLE as cause:
        raise IndexDisagrees(f"{folder}: the ranking cannot be asked") from cause
    if not all(0 <= one.confidence <= 1 for one in found):
        raise IndexDisagrees(f"{folder}: the ranking gives no probabilities")


def _digest(vectors: Vectors) -> npt.NDArray[np.uint8]:
    """uint8 (32,): what the ranking was learnt on, so that it is not used with other vectors."""
    return np.frombuffer(hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).digest(), np.uint8)


def read_texts(folder: Path) -> tuple[list[str], Vectors]:
    """Texts and vectors of a generation that was checked. Raises `IndexUnusable`."""
    try:
        texts: list[str] = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        vectors: Vectors = np.load(folder / VECTORS, allow_pickle=False)
        if not isinstance(texts, list) or len(texts) != len(vectors):
            raise IndexDisagrees(f"{folder} has {len(texts)} texts and {len(vectors)} vectors")
    except UNREADABLE as cause:
        raise IndexDisagrees(f"{folder} cannot be loaded") from cause
    return texts, vectors


def known_vectors(index: Path, embedding_checksum: str) -> dict[str, Vectors]:
    """What the live generation knows: float32 (dim,) by text. Empty when there is none, or none that can be trusted."""
    try:
        folder = index / generations.current_name(index)
        manifest = generations.verify(folder, (VECTORS, TEXTS))
        if manifest.get("embedding") != embedding_checksum:
            return {}
        return dict(zip(*read_texts(folder), strict=True))
    except IndexUnusable:
        return {}


def settled_as_json(settled: Settled) -> dict[str, Any]:
    """The form in which manifests hold it."""
    return asdict(settled)


def settled_from(form: dict[str, Any]) -> Settled:
    """The same from that form. Raises KeyError, TypeError or ValueError for another form."""
    inner = form["calibration"]
    table = tuple((float(level), float(answered), float(right)) for level, answered, right in inner["table"])
    weights = tuple(float(weight) for weight in inner["weights"])
    near = tuple(float(level) for level in inner["near"])
    if not all(map(math.isfinite, (*weights, *near, *inner["cutoffs"].values(), float(form["lexical_share"])))):
        raise ValueError("a weight or a cut-off is no number")
    calibration = Calibration(weights, near, Cutoffs(**inner["cutoffs"]), int(inner["questions"]), inner["hit_at_1"], table)
    return Settled(float(form["lexical_share"]), calibration)
