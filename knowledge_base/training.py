"""Learning from the rows of an index, in two halves. Pure numpy.

*Fitting* the head is quick and done for every generation. *Settling* asks questions as if they were held out, and from that
chooses how much spelling counts, the calibration and the cut-offs; it changes little from edit to edit, so a generation may
take it over from the one before while a new one is worked out behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import NO_ARTICLE, Calibration, Floats, HeldOut, Numbers, calibrate, signs
from .embedding import Vectors
from .head import TrainedHead, Training, choose_landmarks, fit, kernel, train
from .lexical import LexicalIndex
from .ranking import PHRASING, TITLE, Rows, highest

# Held-out questions that calibration looks at; more change the third decimal and cost time.
MAX_QUESTIONS = 1500
# What spelling may count. On public sets 0.1 gains 0.2 points in the mean, on articles with long texts it can lose 3: so each
# knowledge base is asked. Without phrasings to ask, the one that lost nowhere.
LEXICAL_SHARES = (0.0, 0.05, 0.1, 0.2)
LEXICAL_SHARE_UNASKED = 0.05


@dataclass(frozen=True)
class Learnable:
    """The rows of an index as learning sees them: texts, vectors (rows, dim), and all about their spelling."""

    rows: Rows
    texts: Sequence[str]
    vectors: Vectors
    lexical: LexicalIndex


@dataclass(frozen=True)
class Settled:
    """What held-out questions decided."""

    lexical_share: float
    calibration: Calibration


@dataclass(frozen=True)
class _Asked:
    """Questions with each row and article: ``scores`` (questions, articles), ``cosines`` and ``words`` (questions, rows)."""

    scores: Floats
    cosines: Floats
    words: Floats


def fit_head(data: Learnable, lexical_share: float) -> TrainedHead:
    """The head for all rows."""
    landmarks, cosines, words = _similarities(data, choose_landmarks(data.rows.article), spelling=lexical_share > 0)
    return fit(kernel(cosines, words, lexical_share), landmarks, data.rows.article, data.rows.articles, lexical_share)


def settle(data: Learnable, *, far: Sequence[str], far_vectors: Vectors, no_answer_share: float) -> Settled:
    """Choose by held-out questions. ``far`` are messages without an answer; ``no_answer_share`` is how many of all messages have none."""
    rows = data.rows
    questions = choose_questions(rows)
    if not len(questions):
        return Settled(LEXICAL_SHARE_UNASKED, calibrate(_nothing()))
    similarities = _similarities(data, choose_landmarks(rows.article), spelling=True)
    trainings = [_train(data, *similarities, share) for share in LEXICAL_SHARES]
    training = max(trainings, key=lambda training: _hits_without_itself(training, rows, questions))  # the first of equals: less spelling
    cosines = (data.vectors[questions] @ data.vectors.T).astype(np.float64)
    words = lexical_matrix(data.lexical, [data.texts[number] for number in questions])
    held_out = [_as_if_new(rows, training, questions, cosines, words)]
    if rows.articles > 1:
        held_out.append(_as_if_unanswered(rows, training, questions, cosines, words))
    held_out.append(_far(data, training.head, far, far_vectors))
    return Settled(training.head.lexical_share, calibrate(weighted(held_out, no_answer_share)))


def lexical_matrix(lexical: LexicalIndex, texts: Sequence[str]) -> Floats:
    """float64 (len(texts), rows)."""
    return np.array([lexical.similarities(text) for text in texts], np.float64).reshape(len(texts), lexical.size)


def choose_questions(rows: Rows) -> Numbers:
    """The rows that are asked: phrasings, and titles of articles with other rows but no phrasing; at most `MAX_QUESTIONS`, spread evenly."""
    counts = np.bincount(rows.article, minlength=rows.articles)
    with_phrasing = np.bincount(rows.article, rows.kind == PHRASING, minlength=rows.articles) > 0
    lone = (rows.kind == TITLE) & ~with_phrasing[rows.article] & (counts[rows.article] > 1)
    found = np.flatnonzero((rows.kind == PHRASING) | lone)
    if len(found) > MAX_QUESTIONS:
        found = found[np.linspace(0, len(found) - 1, MAX_QUESTIONS).astype(np.int64)]
    return found


def weighted(parts: Sequence[HeldOut], no_answer_share: float) -> HeldOut:
    """All parts as one. The first, with answers, weighs ``1 - no_answer_share``, the others share the rest; in all as many as questions."""
    questions = len(parts[0].truth)
    misses = [part for part in parts[1:] if len(part.truth)]
    share = no_answer_share if misses else 0.0
    weights = [np.full(questions, 1 - share)]
    weights += [np.full(len(part.truth), share / len(misses) * questions / len(part.truth)) for part in misses]
    used = [parts[0], *misses]
    return HeldOut(
        np.concatenate([part.signs for part in used]),
        np.concatenate([part.best for part in used]),
        np.concatenate([part.truth for part in used]),
        np.concatenate(weights),
    )


def _similarities(data: Learnable, landmarks: Numbers, *, spelling: bool) -> tuple[Numbers, Floats, Floats]:
    """The landmarks, and every row's cosine and spelling with them, each (rows, landmarks); without ``spelling`` (half of the time) zeros."""
    cosines = (data.vectors @ data.vectors[landmarks].T).astype(np.float64)
    words = np.array([data.lexical.similarities(text)[landmarks] for text in data.texts], np.float64) if spelling else np.zeros((1, 1))
    return landmarks, cosines, words


def _train(data: Learnable, landmarks: Numbers, cosines: Floats, words: Floats, lexical_share: float) -> Training:
    return train(kernel(cosines, words, lexical_share), landmarks, data.rows.article, data.rows.articles, lexical_share)


def _hits_without_itself(training: Training, rows: Rows, questions: Numbers) -> float:
    return float((training.without_each(questions).argmax(axis=1) == rows.article[questions]).mean())


def _as_if_new(rows: Rows, training: Training, questions: Numbers, cosines: Floats, words: Floats) -> HeldOut:
    """Each question as if its own row were not there."""
    own = np.arange(len(questions)), questions
    asked = _Asked(training.without_each(questions), cosines.copy(), words.copy())
    asked.cosines[own] = -1.0
    asked.words[own] = 0.0
    return _ranked(rows, asked, rows.article[questions])


def _as_if_unanswered(rows: Rows, training: Training, questions: Numbers, cosines: Floats, words: Floats) -> HeldOut:
    """Each question as if its whole article were not there."""
    scores = np.empty((len(questions), rows.articles))
    for article in np.unique(rows.article[questions]):
        of_article = np.flatnonzero(rows.article == article)
        asked = np.flatnonzero(rows.article[questions] == article)
        scores[asked] = training.without(of_article)[np.searchsorted(of_article, questions[asked])]
        scores[asked, article] = -1.0
    same = rows.article[questions][:, None] == rows.article[None, :]
    nowhere = np.full(len(questions), NO_ARTICLE, np.int64)
    return _ranked(rows, _Asked(scores, np.where(same, -1.0, cosines), np.where(same, 0.0, words)), nowhere)


def _far(data: Learnable, head: TrainedHead, far: Sequence[str], far_vectors: Vectors) -> HeldOut:
    """Messages about other things altogether."""
    cosines = (far_vectors @ data.vectors.T).astype(np.float64)
    words = lexical_matrix(data.lexical, far)
    scores = head.scores(kernel(cosines[:, head.landmarks], words[:, head.landmarks], head.lexical_share))
    return _ranked(data.rows, _Asked(scores, cosines, words), np.full(len(far), NO_ARTICLE, np.int64))


def _ranked(rows: Rows, asked: _Asked, truth: Numbers) -> HeldOut:
    best = asked.scores.argmax(axis=1)
    evidence = signs(asked.scores, highest(asked.cosines, rows), highest(asked.words, rows), best)
    return HeldOut(evidence, best, truth, np.ones(len(truth)))


def _nothing() -> HeldOut:
    return HeldOut(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
