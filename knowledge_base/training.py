"""Learning from the rows of an index: the head, and the calibration from rankings of questions held out. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calibration import NO_ARTICLE, Calibration, Floats, HeldOut, Numbers, calibrate, signs
from .embedding import Vectors
from .head import NOISE, PASSAGE_NOISE, TrainedHead, Training, choose_landmarks, kernel, train
from .lexical import LexicalIndex
from .ranking import PHRASING, TITLE, Rows, highest

# Held-out questions that calibration looks at; more change the third decimal and cost time.
MAX_QUESTIONS = 1500


@dataclass(frozen=True)
class Learned:
    head: TrainedHead
    landmarks: Numbers
    calibration: Calibration


@dataclass(frozen=True)
class _Asked:
    """Similarities of some questions: with all rows, and what a head says of them. All float64 (questions, …)."""

    scores: Floats
    cosines: Floats
    lexical: Floats


def learn(
    rows: Rows, texts: Sequence[str], vectors: Vectors, lexical: LexicalIndex, *, far: Sequence[str], far_vectors: Vectors, no_answer_share: float
) -> Learned:
    """Head and calibration for ``rows``. ``far`` are messages without an answer; ``no_answer_share`` is how many of all messages have none."""
    landmarks = choose_landmarks(rows.article)
    questions = choose_questions(rows)
    similarity = kernel(vectors @ vectors[landmarks].T, np.stack([lexical.similarities(text)[landmarks] for text in texts]))
    noise = np.where((rows.kind == TITLE) | (rows.kind == PHRASING), NOISE, PASSAGE_NOISE)
    training = train(similarity, landmarks, rows.article, rows.articles, noise)
    cosines = (vectors[questions] @ vectors.T).astype(np.float64)
    words = lexical_matrix(lexical, [texts[number] for number in questions])
    held_out = [_as_if_new(rows, training, questions, cosines, words)]
    if rows.articles > 1 and len(questions):
        held_out.append(_as_if_unanswered(rows, training, questions, cosines, words))
    if len(far) and len(questions):
        held_out.append(_far(rows, training.head, landmarks, far, vectors, far_vectors, lexical))
    return Learned(training.head, landmarks, calibrate(weighted(held_out, no_answer_share)))


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


def weighted(parts: list[HeldOut], no_answer_share: float) -> HeldOut:
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


def _as_if_new(rows: Rows, training: Training, questions: Numbers, cosines: Floats, words: Floats) -> HeldOut:
    """Each question as if its own row were not there."""
    own = np.arange(len(questions)), questions
    asked = _Asked(_scores_without_itself(training, questions, rows.articles), _masked(cosines, own, -1.0), _masked(words, own, 0.0))
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


def _far(
    rows: Rows, head: TrainedHead, landmarks: Numbers, far: Sequence[str], vectors: Vectors, far_vectors: Vectors, lexical: LexicalIndex
) -> HeldOut:
    """Messages about other things altogether."""
    words = lexical_matrix(lexical, far)
    cosines = (far_vectors @ vectors.T).astype(np.float64)
    scores = head.scores(kernel(cosines[:, landmarks], words[:, landmarks]))
    return _ranked(rows, _Asked(scores, cosines, words), np.full(len(far), NO_ARTICLE, np.int64))


def _ranked(rows: Rows, asked: _Asked, truth: Numbers) -> HeldOut:
    best = asked.scores.argmax(axis=1) if len(truth) else np.zeros(0, np.int64)
    evidence = signs(asked.scores, highest(asked.cosines, rows), highest(asked.lexical, rows), best)
    return HeldOut(evidence, best, truth, np.ones(len(truth)))


def _scores_without_itself(training: Training, questions: Numbers, articles: int) -> Floats:
    if not len(questions):
        return np.zeros((0, articles))
    return np.concatenate([training.without(questions[number : number + 1]) for number in range(len(questions))])


def _masked(values: Floats, where: tuple[Numbers, Numbers], value: float) -> Floats:
    masked = np.array(values, np.float64)
    masked[where] = value
    return masked
