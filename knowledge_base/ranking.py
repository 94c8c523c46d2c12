"""From a question's vector and words to articles with confidences: the whole of serving, without I/O.

A *row* is a text that stands for an article: its title, a phrasing, its short answer, or a passage. Rows are numbered as in ``vectors``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np

from .calibration import Calibration, Floats, Numbers, signs
from .embedding import Vectors
from .head import TrainedHead, kernel
from .lexical import LexicalIndex

TITLE, PHRASING, PASSAGE, ANSWER = range(4)
NO_PASSAGE = -1
# What nearness to an article's centre counts beside the head: half a point of hit_at_1 in the mean over banking77 and curekart with
# 1 to 10 phrasings, two on articles with long texts. From 0.25 to 1 it changes little.
CENTRE_SHARE = 0.5
# Rows that FAISS gives back; beyond, no article's nearest row has ever mattered.
NEAREST = 512


@dataclass(frozen=True)
class Rows:
    """The rows of an index: ``article`` and ``kind`` of each, ``passage`` its number or `NO_PASSAGE`; all int64 (n,)."""

    article: Numbers
    kind: Numbers
    passage: Numbers

    @property
    def articles(self) -> int:
        return int(self.article.max()) + 1 if len(self.article) else 0

    @cached_property
    def by_article(self) -> tuple[Numbers, Numbers]:
        """The rows in the order of their articles, and where in it each article begins."""
        order = np.argsort(self.article, kind="stable")
        return order, np.searchsorted(self.article[order], np.arange(self.articles))


@dataclass(frozen=True)
class Ranked:
    """An article for a question. ``passage`` is the number of its nearest passage, or `NO_PASSAGE`."""

    article: int
    passage: int
    confidence: float


class Ranker:
    """Ranks the articles of one generation. Only reads what it holds, so threads may share it."""

    def __init__(self, vectors: Vectors, rows: Rows, lexical: LexicalIndex, head: TrainedHead, calibration: Calibration) -> None:
        self._rows = rows
        self._lexical = lexical
        self._head = head
        self._landmark_vectors = vectors[head.landmarks]
        self._centres = centres(vectors, rows)
        self._calibration = calibration
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(np.ascontiguousarray(vectors))

    def rank(self, vector: Vectors, text: str, limit: int) -> list[Ranked]:
        """At most ``limit`` articles, best first. ``vector`` float32 (dim,) of unit length is that of ``text``."""
        if not self._rows.articles:
            return []
        cosines = self._cosines(vector)
        lexical = self._lexical.similarities(text)
        similarity = kernel(self._landmark_vectors @ vector, lexical[self._head.landmarks], self._head.lexical_share)
        scores = self._head.scores(similarity[None]) + CENTRE_SHARE * (self._centres @ vector)
        by_article = highest(cosines[None], self._rows)
        found = np.argsort(-scores[0], kind="stable")[:limit]
        evidence = signs(
            np.repeat(scores, len(found), 0),
            np.repeat(by_article, len(found), 0),
            np.repeat(highest(lexical[None], self._rows), len(found), 0),
            found,
        )
        confidences = bounded(self._calibration.probability(evidence))
        return [
            Ranked(int(article), self._nearest_passage(int(article), cosines), float(chance))
            for article, chance in zip(found, confidences, strict=True)
        ]

    def _cosines(self, vector: Vectors) -> Floats:
        """float64 (rows,): exact for the `NEAREST` rows; all others get the lowest of these, which they cannot exceed."""
        found, numbers = self._index.search(vector[None], min(NEAREST, len(self._rows.article)))
        cosines = np.full(len(self._rows.article), float(found[0, -1]))
        cosines[numbers[0]] = found[0]
        return cosines

    def _nearest_passage(self, article: int, cosines: Floats) -> int:
        rows = np.flatnonzero((self._rows.article == article) & (self._rows.kind == PASSAGE))
        return int(self._rows.passage[rows[np.argmax(cosines[rows])]]) if len(rows) else NO_PASSAGE


def centres(vectors: Vectors, rows: Rows) -> Vectors:
    """float32 (articles, dim) of unit length: the mean direction of each article's rows."""
    return unit_length(row_sums(vectors, rows))


def row_sums(vectors: Vectors, rows: Rows) -> Vectors:
    """float32 (articles, dim): the sum of each article's rows."""
    sums = np.zeros((rows.articles, vectors.shape[1]), np.float32)
    np.add.at(sums, rows.article, vectors)
    return sums


def unit_length(vectors: Vectors) -> Vectors:
    """The same directions with length 1; nothing stays nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    shortened: Vectors = vectors / np.maximum(lengths, np.float32(1e-9))
    return shortened


def highest(values: Floats | Vectors, rows: Rows) -> Floats:
    """The highest of each article's rows: (n, rows) into (n, articles). Every article has a row, its title."""
    order, starts = rows.by_article
    return np.maximum.reduceat(np.asarray(values, np.float64)[:, order], starts, axis=1)


def bounded(confidences: Floats) -> Floats:
    """Confidences of hits in their order: none above the one before, and no later one above what the first leaves."""
    if len(confidences) < 2:
        return confidences
    rest = np.minimum(confidences[1:], 1 - confidences[0])
    return np.minimum.accumulate(np.concatenate([confidences[:1], rest]))
