"""The trained head: kernel ridge regression from texts to articles, solved in closed form.

The kernel of two texts is ``exp(2 (cosine - 1)) + share * lexical``: meaning mostly, spelling a little, as much as held-out
phrasings of the knowledge base ask for. Against logistic regression on the same embeddings it was never worse (banking77 with
10 phrasings 0.869 against 0.859, curekart 0.858 against 0.850), and it brings what calibration needs for nothing: what it would
say of a text had that text, or its whole article, never been there (*leave-one-out*, *leave-article-out*), without training again.

Up to `LANDMARKS` rows the solution is exact; beyond, that many rows span it (Nyström), and cost grows linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

WIDTH = 2.0
LANDMARKS = 2048
# How far a row may be from its target. From 0.03 to 0.3 nothing changes; titles, phrasings and passages are best treated alike.
NOISE = 0.1
# Keeps the Cholesky factor of equal rows defined; a hundred times smaller than the noise.
JITTER = 1e-3


def kernel(cosines: npt.ArrayLike, lexical: npt.ArrayLike, share: float) -> Floats:
    """The kernel from cosines and lexical similarities of the same shape; ``share`` is what spelling counts."""
    scaled: Floats = WIDTH * (np.asarray(cosines, np.float64) - 1)
    summed: Floats = np.exp(scaled) + share * np.asarray(lexical, np.float64)
    return summed


@dataclass(frozen=True)
class TrainedHead:
    """``weights`` float32 (len(landmarks), articles): a question's kernel with the landmark rows times these, plus ``base``, are its scores."""

    weights: Array
    base: float
    landmarks: Numbers
    lexical_share: float

    def scores(self, kernel_to_landmarks: Floats) -> Floats:
        """float64 (…, articles): about 1 for the article a text belongs to, about 0 for the others."""
        scores: Array = kernel_to_landmarks.astype(np.float32) @ self.weights + np.float32(self.base)
        return scores.astype(np.float64)


@dataclass(frozen=True)
class Training:
    """A head with what is needed to ask it about its own rows as if they had been held out."""

    head: TrainedHead
    fitted: Floats
    targets: Floats
    factors: Floats

    def without(self, rows: Numbers) -> Floats:
        """float64 (len(rows), articles): the scores of ``rows`` by a head trained without all of them."""
        hat = (self.factors[rows] / NOISE) @ self.factors[rows].T
        left = np.eye(len(rows)) - hat
        scores = np.linalg.solve(left, self.fitted[rows] - hat @ self.targets[rows]) + self.head.base
        return scores.astype(np.float64, copy=False)

    def without_each(self, rows: Numbers) -> Floats:
        """The same for each of ``rows`` left out alone."""
        hat = ((self.factors[rows] ** 2).sum(axis=1) / NOISE)[:, None]
        scores: Floats = (self.fitted[rows] - hat * self.targets[rows]) / (1 - hat) + self.head.base
        return scores


def fit(similarity: Floats, landmarks: Numbers, articles: Numbers, count: int, lexical_share: float) -> TrainedHead:
    """The head alone. ``similarity`` is the kernel (rows, landmarks), ``articles`` each row's article below ``count``."""
    targets = _targets(articles, count)
    if len(landmarks) < len(articles):
        inner = similarity[landmarks] + JITTER * np.eye(len(landmarks))
        weights = np.linalg.solve(similarity.T @ similarity / NOISE + inner, similarity.T @ targets / NOISE)
    else:
        # With every row a landmark the solution is one linear system; this is a fifth of the work of `train`.
        weights = np.linalg.solve(similarity + (JITTER + NOISE) * np.eye(len(articles)), targets)
    return TrainedHead(weights.astype(np.float32), _base(count), landmarks, lexical_share)


def train(similarity: Floats, landmarks: Numbers, articles: Numbers, count: int, lexical_share: float) -> Training:
    """The same head with what held-out questions need."""
    targets = _targets(articles, count)
    root = np.linalg.cholesky(similarity[landmarks] + JITTER * np.eye(len(landmarks)))
    features = np.linalg.solve(root, similarity.T).T
    curvature = np.linalg.cholesky(np.eye(len(landmarks)) + features.T @ features / NOISE)
    solution = np.linalg.solve(curvature.T, np.linalg.solve(curvature, features.T @ targets / NOISE))
    weights = np.linalg.solve(root.T, solution)
    factors = np.linalg.solve(curvature, features.T).T
    head = TrainedHead(weights.astype(np.float32), _base(count), landmarks, lexical_share)
    return Training(head, features @ solution, targets, factors)


def _base(count: int) -> float:
    """What every article scores for a text about nothing."""
    return 1.0 / (count + 1)


def _targets(articles: Numbers, count: int) -> Floats:
    targets = np.zeros((len(articles), count))
    targets[np.arange(len(articles)), articles] = 1.0
    return targets - _base(count)


def choose_landmarks(articles: Numbers, limit: int = LANDMARKS) -> Numbers:
    """All rows when they are at most ``limit``; else as many, each article's first rows before any article's later ones."""
    if len(articles) <= limit:
        return np.arange(len(articles), dtype=np.int64)
    order = np.argsort(articles, kind="stable")
    counts = np.bincount(articles)
    place = np.arange(len(articles)) - np.repeat(np.cumsum(counts) - counts, counts)
    rank = np.empty(len(articles), np.int64)
    rank[order] = place
    return np.sort(np.argsort(rank, kind="stable")[:limit])
