"""One number a hit: the probability that its article answers the question; and the two cut-offs.

Four signs of a ranking (see `signs`) go through a logistic model. It learns from each phrasing asked as if it were not in
the index (right or wrong), asked as if its whole article were not there (no answer: a near miss), and from messages that no
article answers (far misses). Both kinds of misses together weigh ``no_answer_share``, half each. The model is drawn to
`PRIOR`, so that a knowledge base with few phrasings, or none, still has sensible numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .model import Cutoffs

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# Constant, score, margin, cosine, lexical: about the mean of what the training phrasings of five knowledge bases gave (see docs/search.md).
PRIOR = (-5.0, 3.0, 4.0, 4.0, 0.7)
PRIOR_STRENGTH = 1.0
PRIOR_CUTOFFS = Cutoffs(answer=0.7, offer=0.3)
# As many held-out phrasings as this, and data and prior have an equal say in the cut-offs.
PRIOR_QUESTIONS = 20
WANTED_PRECISION = 0.9
# Whatever is this sure by itself is answered, also where held-out phrasings are too few or too odd to show nine right in ten.
HIGHEST_CUTOFF = 0.75
NO_ARTICLE = -1


@dataclass(frozen=True)
class HeldOut:
    """Rankings of questions whose truth is known: ``signs`` (n, 4), best article, true article or `NO_ARTICLE`, weight."""

    signs: Floats
    best: Numbers
    truth: Numbers
    weight: Floats

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        return np.equal(self.best, self.truth)


@dataclass(frozen=True)
class Calibration:
    """The logistic model and the cut-offs, with the figures behind the choice.

    ``questions`` were held out, ``hit_at_1`` of them found their article; ``table``: cut-off, share answered, share of those right.
    """

    weights: tuple[float, ...]
    cutoffs: Cutoffs
    questions: int
    hit_at_1: float | None
    table: tuple[tuple[float, float, float], ...]

    def probability(self, signs: Floats) -> Floats:
        """float64 (n,) from signs (n, 4)."""
        return _sigmoid(_with_constant(signs) @ np.array(self.weights))


def signs(scores: Floats, cosines: Floats, lexical: Floats, articles: Numbers) -> Floats:
    """float64 (n, 4): score, lead over the best other article, cosine and lexical similarity of the article's nearest row.

    ``scores``, ``cosines``, ``lexical`` are (n, articles), the latter two the highest over each article's rows; ``articles`` (n,) says whose signs.
    """
    rows = np.arange(len(scores))
    others = scores.copy()
    others[rows, articles] = -np.inf
    best_other = others.max(axis=1, initial=0.0) if scores.shape[1] > 1 else np.zeros(len(scores))
    score = scores[rows, articles]
    return np.stack([score, score - best_other, cosines[rows, articles], lexical[rows, articles]], axis=1)


def calibrate(held_out: HeldOut) -> Calibration:
    """Fit model and cut-offs; without held-out questions these are the prior's."""
    questions = int((held_out.truth != NO_ARTICLE).sum())
    if not questions:
        return Calibration(PRIOR, PRIOR_CUTOFFS, 0, None, ())
    weights = fit(held_out.signs, held_out.right.astype(np.float64), held_out.weight)
    confidence = _sigmoid(_with_constant(held_out.signs) @ weights)
    found = float(held_out.right[held_out.truth != NO_ARTICLE].mean())
    cutoffs, table = choose_cutoffs(confidence, held_out), coverage_table(confidence, held_out)
    return Calibration(tuple(float(weight) for weight in weights), cutoffs, questions, round(found, 4), table)


def fit(signs: Floats, right: Floats, weight: Floats) -> Floats:
    """The five weights of the logistic model nearest to data and prior, no sign counting against an article.

    A weight below 0 would make a question that stands word for word in an article less sure than one that does not;
    such a sign is left out and the others are fitted again.
    """
    inputs = _with_constant(signs)
    used = np.ones(inputs.shape[1], bool)
    while True:
        weights = np.zeros(inputs.shape[1])
        weights[used] = _fit_freely(inputs[:, used], right, weight, np.array(PRIOR)[used])
        against = weights < 0
        against[0] = False
        if not against.any():
            return weights
        used &= ~against


def _fit_freely(inputs: Floats, right: Floats, weight: Floats, prior: Floats) -> Floats:
    """Newton's method; the problem is convex."""
    weights = prior.copy()
    for _ in range(50):
        chance = _sigmoid(inputs @ weights)
        slope = inputs.T @ (weight * (chance - right)) + PRIOR_STRENGTH * (weights - prior)
        curve = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs + PRIOR_STRENGTH * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        # A full step from far away can overshoot; a bounded one gets there all the same.
        weights = weights - step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return weights


def choose_cutoffs(confidence: Floats, held_out: HeldOut) -> Cutoffs:
    """The lower where the Matthews correlation is highest, the upper the lowest one from which nine answers in ten are right."""
    questions = float((held_out.truth != NO_ARTICLE).sum())
    share = questions / (questions + PRIOR_QUESTIONS)
    levels = np.unique(np.round(confidence, 3))
    offer = max(
        levels, key=lambda level: (matthews(np.where(confidence >= level, held_out.best, NO_ARTICLE), held_out.truth, held_out.weight), -level)
    )
    answer = _lowest_precise(confidence, held_out)
    lower = float(np.clip(share * offer + (1 - share) * PRIOR_CUTOFFS.offer, 0.05, 0.7))
    upper = float(np.clip(share * answer + (1 - share) * PRIOR_CUTOFFS.answer, lower, HIGHEST_CUTOFF))
    return Cutoffs(answer=round(upper, 4), offer=round(lower, 4))


def matthews(predicted: Numbers, truth: Numbers, weight: Floats) -> float:
    """Matthews correlation over many classes (Gorodkin 2004), weighted; 0 when either side has one class only."""
    classes = int(max(predicted.max(), truth.max())) + 2
    total = weight.sum()
    said = np.bincount(predicted + 1, weight, minlength=classes)
    true = np.bincount(truth + 1, weight, minlength=classes)
    agreed = weight[predicted == truth].sum()
    spread = (total**2 - (said**2).sum()) * (total**2 - (true**2).sum())
    return float((agreed * total - (said * true).sum()) / np.sqrt(spread)) if spread > 0 else 0.0


def coverage_table(confidence: Floats, held_out: HeldOut) -> tuple[tuple[float, float, float], ...]:
    """For cut-offs from 0.05 to 0.95: the share of all messages answered, and the share of those answered right."""
    rows = []
    for level in np.arange(0.05, 1.0, 0.05):
        above = confidence >= level
        answered = held_out.weight[above].sum()
        right = held_out.weight[above & held_out.right].sum() / answered if answered else 1.0
        rows.append((round(float(level), 2), round(float(answered / held_out.weight.sum()), 4), round(float(right), 4)))
    return tuple(rows)


def _lowest_precise(confidence: Floats, held_out: HeldOut) -> float:
    order = np.argsort(-confidence, kind="stable")
    weight = held_out.weight[order]
    precision = np.cumsum(weight * held_out.right[order]) / np.cumsum(weight)
    precise = np.flatnonzero(precision >= WANTED_PRECISION)
    return float(confidence[order][precise[-1]]) if len(precise) else WANTED_PRECISION


def _with_constant(signs: Floats) -> Floats:
    return np.concatenate([np.ones((len(signs), 1)), signs], axis=1)


def _sigmoid(values: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -40, 40)))
