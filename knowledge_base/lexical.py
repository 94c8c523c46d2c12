"""How alike two texts are written: cosine of tf-idf over runs of 2 to 4 letters inside words.

It finds what an embedding blurs - names, error codes, numbers - and forgives typing mistakes. Runs are hashed to
`BUCKETS`, so that the index is three plain arrays and needs no vocabulary.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

BUCKETS = 1 << 18
MAX_CHARACTERS = 2_000


@dataclass(frozen=True)
class LexicalIndex:
    """Postings by bucket: bucket ``b`` of ``buckets`` (sorted) stands in ``rows[starts[b]:starts[b + 1]]`` with ``weights``, unit length by row."""

    size: int
    buckets: Counts
    idf: Array
    starts: Counts
    rows: Counts
    weights: Array

    def similarities(self, text: str) -> Array:
        """float32 (size,), each 0 to 1. Runs of ``text`` that no row has count in its length, with the highest weight."""
        runs = _runs(text)
        if not runs or not len(self.buckets):
            return np.zeros(self.size, np.float32)
        asked = np.fromiter(runs, np.int64, len(runs))
        times = 1 + np.log(np.fromiter(runs.values(), np.float64, len(runs)))
        positions = np.minimum(np.searchsorted(self.buckets, asked), len(self.buckets) - 1)
        known = self.buckets[positions] == asked
        weights = times * np.where(known, self.idf[positions], np.log(1 + self.size) + 1)
        parts = [slice(self.starts[position], self.starts[position + 1]) for position in positions[known]]
        if not parts:
            return np.zeros(self.size, np.float32)
        rows = np.concatenate([self.rows[part] for part in parts])
        products = np.concatenate([self.weights[part] for part in parts]) * np.repeat(weights[known], [part.stop - part.start for part in parts])
        summed: Floats = np.bincount(rows, products, minlength=self.size) / np.sqrt((weights**2).sum())
        return summed.astype(np.float32)


def index_texts(texts: Sequence[str]) -> LexicalIndex:
    """The index of ``texts``, each a row."""
    counts = [_runs(text) for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(runs) for runs in counts]).astype(np.int64)
    found = np.fromiter((bucket for runs in counts for bucket in runs), np.int64, len(rows))
    times = np.fromiter((count for runs in counts for count in runs.values()), np.float64, len(rows))
    buckets, inverse, documents = np.unique(found, return_inverse=True, return_counts=True)
    # Smoothed as scikit-learn does it: one more document that holds every run.
    idf = np.log((1 + len(texts)) / (1 + documents)) + 1
    weights = (1 + np.log(times)) * idf[inverse]
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts)))
    weights /= np.maximum(lengths[rows], 1e-12)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(documents)]).astype(np.int64)
    return LexicalIndex(len(texts), buckets, idf.astype(np.float32), starts, rows[order], weights[order].astype(np.float32))


def _runs(text: str) -> Counter[int]:
    """How often each run of 2 to 4 letters stands in a text, words with a blank on each side."""
    runs: Counter[int] = Counter()
    for word in re.findall(r"\w+", text[:MAX_CHARACTERS].lower()):
        padded = f" {word} ".encode("utf-8", "replace")
        for length in (2, 3, 4):
            runs.update(zlib.crc32(padded[start : start + length]) % BUCKETS for start in range(len(padded) - length + 1))
    return runs
