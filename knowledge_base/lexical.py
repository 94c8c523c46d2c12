"""How alike two texts are written: cosine of tf-idf over runs of 2 to 4 letters inside words.

It finds what an embedding blurs - names, error codes, numbers - and forgives typing mistakes. Runs are hashed to
2**18 buckets, so that the index is three plain arrays and needs no vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

BUCKET_BITS = 18
BLANK = 32
MAX_CHARACTERS = 2_000
# A run that stands in more than this share of the rows is common.
COMMON = 0.05


@dataclass(frozen=True)
class LexicalIndex:
    """Postings by bucket: bucket ``b`` of ``buckets`` (sorted) stands in ``rows[starts[b]:starts[b + 1]]`` with ``weights``, unit length by row."""

    size: int
    buckets: Counts
    idf: Array
    starts: Counts
    rows: Counts
    weights: Array

    @property
    def is_sound(self) -> bool:
        """Whether every posting is there and names a row there is."""
        inside = not len(self.rows) or (self.rows.min() >= 0 and self.rows.max() < self.size)
        rising = self.starts[0] == 0 and self.starts[-1] == len(self.rows) == len(self.weights) and (np.diff(self.starts) >= 0).all()
        return bool(inside and rising and len(self.starts) == len(self.buckets) + 1 == len(self.idf) + 1)

    def similarities(self, text: str) -> Array:
        """float32 (size,), each 0 to 1. Runs of ``text`` that no row has count in its length, with the highest weight."""
        positions, weights = self._weighed(text)
        return self._summed(positions, weights)

    def matrix(self, texts: Sequence[str]) -> Array:
        """float32 (len(texts), size): the similarities of many texts, in a fifth of the time that one after another would take.

        Most of a posting list's length is in the few runs that stand in many rows; these are multiplied as a dense matrix.
        """
        common = np.flatnonzero(np.diff(self.starts) > COMMON * self.size)
        column = np.full(len(self.buckets), -1, np.int64)
        column[common] = np.arange(len(common))
        asked = np.zeros((len(texts), len(common)), np.float32)
        found = np.zeros((len(texts), self.size), np.float32)
        for number, text in enumerate(texts):
            positions, weights = self._weighed(text)
            columns = column[positions]
            rare = columns < 0
            asked[number, columns[~rare]] = weights[~rare]
            found[number] = self._summed(positions[rare], weights[rare])
        found += asked @ self._dense(common).T
        return found

    def _weighed(self, text: str) -> tuple[Counts, Floats]:
        """The runs of a text that rows have: their places in ``buckets``, and what each weighs in the whole text of unit length."""
        asked, times = _runs(text)
        if not len(asked) or not len(self.buckets):
            return np.zeros(0, np.int64), np.zeros(0)
        positions = np.minimum(np.searchsorted(self.buckets, asked), len(self.buckets) - 1)
        known = self.buckets[positions] == asked
        weights = (1 + np.log(times)) * np.where(known, self.idf[positions], np.log(1 + self.size) + 1)
        return positions[known], weights[known] / np.sqrt((weights**2).sum())

    def _summed(self, positions: Counts, weights: Floats) -> Array:
        """float32 (size,): what each row shares of these runs."""
        if not len(positions):
            return np.zeros(self.size, np.float32)
        lengths = self.starts[positions + 1] - self.starts[positions]
        ends = np.cumsum(lengths)
        # All these runs' postings in one go: a step a run would hold up other questions' threads.
        postings = np.arange(ends[-1]) + np.repeat(self.starts[positions] - ends + lengths, lengths)
        products = self.weights[postings] * np.repeat(weights, lengths)
        return np.bincount(self.rows[postings], products, minlength=self.size).astype(np.float32)

    def _dense(self, positions: Counts) -> Array:
        """float32 (size, len(positions)): the weights of some runs in every row."""
        dense = np.zeros((self.size, len(positions)), np.float32)
        for column, position in enumerate(positions):
            part = slice(self.starts[position], self.starts[position + 1])
            dense[self.rows[part], column] = self.weights[part]
        return dense


def index_texts(texts: Sequence[str]) -> LexicalIndex:
    """The index of ``texts``, each a row."""
    runs = [_runs(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(asked) for asked, _ in runs]).astype(np.int64)
    found = np.concatenate([np.zeros(0, np.int64), *(asked for asked, _ in runs)])
    times = np.concatenate([np.zeros(0), *(times for _, times in runs)])
    buckets, inverse, documents = np.unique(found, return_inverse=True, return_counts=True)
    # Smoothed as scikit-learn does it: one more document that holds every run.
    idf = np.log((1 + len(texts)) / (1 + documents)) + 1
    weights = (1 + np.log(times)) * idf[inverse]
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts)))
    weights /= np.maximum(lengths[rows], 1e-12)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(documents)]).astype(np.int64)
    return LexicalIndex(len(texts), buckets, idf.astype(np.float32), starts, rows[order], weights[order].astype(np.float32))


@lru_cache(maxsize=8192)  # an edit indexes all texts again; most have not changed, and reading one costs 0.2 ms
def _runs(text: str) -> tuple[Counts, Floats]:
    """The runs of 2 to 4 bytes inside the words of a text, each word with a blank on each side: sorted buckets, and how often each is there."""
    words = re.findall(r"\w+", text[:MAX_CHARACTERS].lower())
    letters = np.frombuffer("".join(f" {word} " for word in words).encode("utf-8", "replace"), np.uint8).astype(np.uint64)
    # Two blanks side by side are where one word ends and the next begins; no run may hold both.
    seams = np.concatenate([[0], np.cumsum((letters[:-1] == BLANK) & (letters[1:] == BLANK))])
    found = []
    for length in (2, 3, 4):
        count = len(letters) - length + 1
        if count > 0:
            codes = np.full(count, length, np.uint64)
            for place in range(length):
                codes = codes << np.uint64(8) | letters[place : place + count]
            found.append(codes[seams[length - 1 :][:count] == seams[:count]])
    # Multiplying by this odd number and keeping the highest bits spreads neighbours (Fibonacci hashing, Knuth 6.4).
    codes = np.concatenate(found) if found else np.zeros(0, np.uint64)
    buckets, times = np.unique(codes * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - BUCKET_BITS), return_counts=True)
    return buckets.astype(np.int64), times.astype(np.float64)
