"""Learning from the rows of an index, in two halves. Pure numpy.

*Fitting* the head is quick and done for every generation. *Settling* asks questions as if they were held out, and from that
chooses how much spelling counts, the calibration and the cut-offs; it changes little from edit to edit, so a generation may
take it over from the one before while a new one is worked out behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .aim import Aim
from .calibration import NO_ARTICLE, TYPICAL_NEAR, Calibration, Floats, HeldOut, Numbers, calibrate, near_level, signs
from .embedding import Vectors
from .head import LANDMARKS, TrainedHead, Training, choose_landmarks, fit, kernel, train
from .lexical import LexicalIndex
from .ranking import CENTRE_SHARE, PHRASING, TITLE, Rows, centres, highest, row_sums, unit_length

# Held-out questions that calibration looks at; more change the third decimal and cost time.
MAX_QUESTIONS = 1500
# What spelling may count. On public sets 0.1 gains 0.2 points in the mean, on articles with long texts it can lose 3: so each
# knowledge base is asked. Never nothing: it costs nowhere and knows names and error codes. Without phrasings, the one that lost nowhere.
LEXICAL_SHARES = (0.02, 0.05, 0.1, 0.2)
LEXICAL_SHARE_UNASKED = 0.05
# Landmarks while an edit waits to be live: 2.4 s for 5.8 s at 5,000 rows, and 0.869 for 0.892 of hit_at_1 (banking77 with 30 phrasings).
# The full head follows when the folder is quiet.
HURRIED_LANDMARKS = 512


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
class Asked:
    """Rows asked as ``questions``: ``cosines`` and ``words`` (questions, rows), nearness to centres ``by_centre`` (questions, articles).

    ``rest`` (questions,) is the nearness to the own article's centre without the question itself.
    """

    rows: Rows
    questions: Numbers
    cosines: Floats
    words: Floats
    by_centre: Floats
    rest: Floats


def fit_head(data: Learnable, lexical_share: float, *, hurried: bool = False) -> TrainedHead:
    """The head for all rows. ``hurried``, where rows exceed the landmarks: on a quarter of these, in less than half of the time."""
    many = len(data.rows.article) > LANDMARKS
    chosen = choose_landmarks(data.rows.article, HURRIED_LANDMARKS if hurried and many else LANDMARKS)
    landmarks, cosines, words = _similarities(data, chosen, spelling=lexical_share > 0)
    return fit(kernel(cosines, words, lexical_share), landmarks, data.rows.article, data.rows.articles, lexical_share)


def settle(data: Learnable, *, far: Sequence[str], far_vectors: Vectors, aim: Aim) -> Settled:
    """Choose by held-out questions. ``far`` are messages without an answer, ``aim`` says how many of all messages have none."""
    rows = data.rows
    phrasings, titles = spread(np.flatnonzero(rows.kind == PHRASING)), spread(np.flatnonzero(rows.kind == TITLE))
    if rows.articles < 2:
        return Settled(LEXICAL_SHARE_UNASKED, calibrate(_nothing(), TYPICAL_NEAR, aim=aim))
    similarities = _similarities(data, choose_landmarks(rows.article), spelling=True)
    shares = LEXICAL_SHARES if len(phrasings) else (LEXICAL_SHARE_UNASKED,)
    trainings = [_train(data, *similarities, share) for share in shares]
    training = max(trainings, key=lambda training: _hits_without_itself(training, rows, phrasings))  # the first of equals: less spelling
    unanswered_titles = as_if_unanswered(training, ask_rows(data, titles))
    if not len(phrasings):
        near = near_level(_nothing().signs, unanswered_titles.signs)
        return Settled(training.head.lexical_share, calibrate(_nothing(), near, aim=aim))
    asked = ask_rows(data, phrasings)
    unanswered = as_if_unanswered(training, asked)
    held_out = [as_if_new(training, asked), unanswered, _far(data, training.head, far, far_vectors)]
    near = near_level(unanswered.signs, unanswered_titles.signs)
    phrasings_each = float((rows.kind == PHRASING).sum() / rows.articles)
    calibration = calibrate(weighted(held_out, aim.no_answer_share), near, phrasings_each, aim)
    return Settled(training.head.lexical_share, calibration)


def lexical_matrix(lexical: LexicalIndex, texts: Sequence[str]) -> Floats:
    """float64 (len(texts), rows)."""
    return lexical.matrix(texts).astype(np.float64)


def spread(numbers: Numbers) -> Numbers:
    """At most `MAX_QUESTIONS` of them, evenly."""
    if len(numbers) <= MAX_QUESTIONS:
        return numbers
    return numbers[np.linspace(0, len(numbers) - 1, MAX_QUESTIONS).astype(np.int64)]


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
    # Two rows are as alike one way as the other, so the fewer ask: at 5,000 rows that saves 1.5 s of an edit.
    words = lexical_matrix(data.lexical, [data.texts[number] for number in landmarks]).T if spelling else np.zeros((1, 1))
    return landmarks, cosines, words


def _train(data: Learnable, landmarks: Numbers, cosines: Floats, words: Floats, lexical_share: float) -> Training:
    return train(kernel(cosines, words, lexical_share), landmarks, data.rows.article, data.rows.articles, lexical_share)


def _hits_without_itself(training: Training, rows: Rows, questions: Numbers) -> float:
    found = training.without_each(questions).argmax(axis=1) == rows.article[questions]
    return float(found.mean()) if len(questions) else 0.0


def ask_rows(data: Learnable, questions: Numbers) -> Asked:
    """Rows of an index as questions to it."""
    cosines = (data.vectors[questions] @ data.vectors.T).astype(np.float64)
    words = lexical_matrix(data.lexical, [data.texts[number] for number in questions])
    sums = row_sums(data.vectors, data.rows)
    own, vectors = data.rows.article[questions], data.vectors[questions]
    by_centre = (vectors @ unit_length(sums).T).astype(np.float64)
    rest = (vectors * unit_length(sums[own] - vectors)).sum(axis=1)
    return Asked(data.rows, questions, cosines, words, by_centre, rest.astype(np.float64))


def as_if_new(training: Training, asked: Asked) -> HeldOut:
    """Each question as if its own row were not there."""
    own = asked.rows.article[asked.questions]
    itself, places = (np.arange(len(own)), asked.questions), (np.arange(len(own)), own)
    cosines, words, by_centre = asked.cosines.copy(), asked.words.copy(), asked.by_centre.copy()
    cosines[itself], words[itself], by_centre[places] = -1.0, 0.0, asked.rest
    return _ranked(asked.rows, training.without_each(asked.questions) + CENTRE_SHARE * by_centre, cosines, words, own)


def as_if_unanswered(training: Training, asked: Asked) -> HeldOut:
    """Each question as if its whole article were not there."""
    rows, questions = asked.rows, asked.questions
    own = rows.article[questions]
    scores = np.empty((len(questions), rows.articles))
    for article in np.unique(own):
        of_article, places = np.flatnonzero(rows.article == article), np.flatnonzero(own == article)
        scores[places] = training.without(of_article)[np.searchsorted(of_article, questions[places])]
    scores += CENTRE_SHARE * asked.by_centre
    scores[np.arange(len(own)), own] = -1.0
    same = own[:, None] == rows.article[None, :]
    nowhere = np.full(len(own), NO_ARTICLE, np.int64)
    return _ranked(rows, scores, np.where(same, -1.0, asked.cosines), np.where(same, 0.0, asked.words), nowhere)


def _far(data: Learnable, head: TrainedHead, far: Sequence[str], far_vectors: Vectors) -> HeldOut:
    """Messages about other things altogether."""
    cosines = (far_vectors @ data.vectors.T).astype(np.float64)
    words = lexical_matrix(data.lexical, far)
    scores = head.scores(kernel(cosines[:, head.landmarks], words[:, head.landmarks], head.lexical_share))
    scores = scores + CENTRE_SHARE * (far_vectors @ centres(data.vectors, data.rows).T)
    return _ranked(data.rows, scores, cosines, words, np.full(len(far), NO_ARTICLE, np.int64))


def _ranked(rows: Rows, scores: Floats, cosines: Floats, words: Floats, truth: Numbers) -> HeldOut:
    """Scores by article; cosines and words by row."""
    best = scores.argmax(axis=1)
    evidence = signs(scores, highest(cosines, rows), highest(words, rows), best)
    return HeldOut(evidence, best, truth, np.ones(len(truth)))


def _nothing() -> HeldOut:
    return HeldOut(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
