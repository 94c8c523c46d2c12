"""The figures of search with bootstrap intervals: the questions are drawn again, with replacement, a thousand times.

A draw is a row of *counts*: how often each question was drawn. All figures are computed from counts for all draws at once; the figure
itself is the same of one row of ones, and equals what `knowledge_base.evaluation` says.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge_base.evaluation import BINS, Outcome
from knowledge_base.model import Cutoffs

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

RESAMPLES = 1000
SEED = 77
PRECISION = 0.85
# Draws worked on together: a few hundred keep the arrays below 30 MB for three thousand questions.
TOGETHER = 200
OUTER = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval; all None where it is undefined, as `auroc_answerable` where every question has an answer."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)


@dataclass(frozen=True)
class Answers:
    """Outcomes as arrays (n,), the least sure first. ``said`` and ``truth`` are numbers of articles, 0 for none; ``order`` the questions' places."""

    order: Numbers
    confidence: Floats
    rank: Numbers
    right: Truths
    answerable: Truths
    said: Numbers
    truth: Numbers
    cutoffs: Cutoffs

    @cached_property
    def groups(self) -> Numbers:
        """Where runs of equal confidence begin: a cut-off cannot part them."""
        return np.flatnonzero(np.append(True, np.diff(self.confidence) != 0))


Figure = Callable[[Answers, Floats], Floats]


def answers_of(outcomes: Sequence[Outcome], cutoffs: Cutoffs) -> Answers:
    """The arrays of outcomes."""
    confidence = np.array([one.confidence for one in outcomes], np.float64)
    order = np.argsort(confidence, kind="stable")
    sorted_ones = [outcomes[place] for place in order]
    numbers: dict[str | None, int] = {None: 0}
    for one in outcomes:
        for slug in (one.question.article, *one.slugs[:1]):
            numbers.setdefault(slug, len(numbers))
    return Answers(
        order,
        confidence[order],
        np.array([one.rank if one.question.article is not None else 0 for one in sorted_ones], np.int64),
        np.array([one.right for one in sorted_ones], bool),
        np.array([one.question.article is not None for one in sorted_ones], bool),
        np.array([numbers[one.slugs[0]] if one.slugs and one.confidence >= cutoffs.offer else 0 for one in sorted_ones], np.int64),
        np.array([numbers[one.question.article] for one in sorted_ones], np.int64),
        cutoffs,
    )


def draws(name: str, questions: int, resamples: int = RESAMPLES) -> Floats:
    """float64 (resamples + 1, questions): counts, the first row all ones. Always the same for a set, so that two ways of search can be paired."""
    drawn = np.random.default_rng([SEED, zlib.crc32(name.encode())]).integers(0, questions, (resamples, questions))
    counts = np.stack([np.bincount(row, minlength=questions) for row in drawn]) if resamples else np.zeros((0, questions))
    return np.concatenate([np.ones((1, questions)), counts])


def sampled(figure: Figure, draws_of_set: Sequence[Answers], counts: Floats) -> Floats:
    """float64 (resamples + 1,): the figure of each draw of questions, in the mean over the draws of phrasings."""
    return np.mean([_sampled_one(figure, answers, counts) for answers in draws_of_set], axis=0)


def estimate(figure: Figure, draws_of_set: Sequence[Answers], counts: Floats) -> Estimate:
    """A figure of a set with its interval."""
    return estimate_of(sampled(figure, draws_of_set, counts))


def estimate_of(values: Floats) -> Estimate:
    """The first of ``values`` with the interval of the rest."""
    if np.isnan(values[0]):
        return NOTHING
    low, high = np.nanpercentile(values[1:], OUTER) if len(values) > 1 else (values[0], values[0])
    return Estimate(float(values[0]), float(low), float(high))


def _sampled_one(figure: Figure, answers: Answers, counts: Floats) -> Floats:
    parts = [figure(answers, counts[start : start + TOGETHER, answers.order]) for start in range(0, len(counts), TOGETHER)]
    return np.concatenate(parts)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Nothing by nothing is no number."""
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def hit_at(places: int) -> Figure:
    """Of the questions with an article, the share that finds it among the first ``places``."""

    def figure(answers: Answers, counts: Floats) -> Floats:
        found = answers.answerable & (answers.rank >= 1) & (answers.rank <= places)
        return _ratio(counts @ found, counts @ answers.answerable)

    return figure


def auroc(answers: Answers, counts: Floats, positive: Truths) -> Floats:
    """Chance that a positive has more confidence than a negative, ties counting half."""
    positives = np.add.reduceat(counts * positive, answers.groups, axis=1)
    negatives = np.add.reduceat(counts * ~positive, answers.groups, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives / 2
    return _ratio((positives * below).sum(axis=1), positives.sum(axis=1) * negatives.sum(axis=1))


def auroc_answerable(answers: Answers, counts: Floats) -> Floats:
    """Questions with an article against those without."""
    return auroc(answers, counts, answers.answerable)


def auroc_correct(answers: Answers, counts: Floats) -> Floats:
    """Questions whose best hit is right against the others."""
    return auroc(answers, counts, answers.right)


def mcc(answers: Answers, counts: Floats) -> Floats:
    """Matthews correlation over articles plus "no answer" (Gorodkin 2004), at the lower cut-off that the build chose."""
    classes = np.arange(int(max(answers.said.max(), answers.truth.max())) + 1)
    said, true = counts @ (answers.said[:, None] == classes), counts @ (answers.truth[:, None] == classes)
    total, agreed = counts.sum(axis=1), counts @ (answers.said == answers.truth)
    spread = (total**2 - (said**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1))
    return np.where(spread > 0, (agreed * total - (said * true).sum(axis=1)) / np.sqrt(np.maximum(spread, 1e-12)), 0.0)


def recall_at_precision(answers: Answers, counts: Floats) -> Floats:
    """Right answers, as a share of questions that have one, at the lowest cut-off whose answers are right often enough."""
    given = np.add.reduceat(counts, answers.groups, axis=1)[:, ::-1].cumsum(axis=1)
    right = np.add.reduceat(counts * answers.right, answers.groups, axis=1)[:, ::-1].cumsum(axis=1)
    precise = (given > 0) & (right >= PRECISION * given)
    return _ratio(np.where(precise, right, 0.0).max(axis=1), counts @ answers.answerable)


def answered(answers: Answers, counts: Floats) -> Floats:
    """The share of all questions answered, at the upper cut-off that the build chose."""
    return counts @ _given(answers) / counts.sum(axis=1)


def answerable_answered(answers: Answers, counts: Floats) -> Floats:
    """The share of the questions with an article that are answered, rightly or not."""
    return _ratio(counts @ (_given(answers) & answers.answerable), counts @ answers.answerable)


def answered_right(answers: Answers, counts: Floats) -> Floats:
    """The share of the answers given that are right."""
    return _ratio(counts @ (_given(answers) & answers.right), counts @ _given(answers))


def ece(answers: Answers, counts: Floats) -> Floats:
    """Expected calibration error with ten bins of equal mass."""
    return np.array([(mass * np.abs(sure - right)).sum() / mass.sum() for mass, sure, right in (bins(answers, row) for row in counts)])


def bins(answers: Answers, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Ten bins of equal mass over one row of counts: how many are in each, their mean confidence, their share of right ones."""
    total = int(counts.sum())
    sizes = np.array([len(part) for part in np.array_split(np.arange(total), min(BINS, total))])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    # Equal draws of a question stand side by side, so sums up to any place lie on straight lines between the questions.
    reached = np.concatenate([[0], np.cumsum(counts)])
    sure = np.interp(ends, reached, np.concatenate([[0], np.cumsum(counts * answers.confidence)]))
    right = np.interp(ends, reached, np.concatenate([[0], np.cumsum(counts * answers.right)]))
    return sizes.astype(np.float64), np.diff(sure) / sizes, np.diff(right) / sizes


def brier(answers: Answers, counts: Floats) -> Floats:
    """Mean square of how far confidence is from what came."""
    return counts @ ((answers.confidence - answers.right) ** 2) / counts.sum(axis=1)


def brier_of_base_rate(answers: Answers, counts: Floats) -> Floats:
    """The same of one who always says the share of right ones."""
    right = counts @ answers.right / counts.sum(axis=1)
    return right * (1 - right)


def _given(answers: Answers) -> Truths:
    return np.asarray(answers.confidence >= answers.cutoffs.answer)


FIGURES: dict[str, Figure] = {
    "hit_at_1": hit_at(1),
    "hit_at_3": hit_at(3),
    "auroc_answerable": auroc_answerable,
    "auroc_correct": auroc_correct,
    "mcc": mcc,
    "recall_at_precision_85": recall_at_precision,
    "answered": answered,
    "answerable_answered": answerable_answered,
    "answered_right": answered_right,
    "ece": ece,
    "brier": brier,
    "brier_of_base_rate": brier_of_base_rate,
}
