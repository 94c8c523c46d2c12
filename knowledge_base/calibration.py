"""One number a hit: the probability that its article answers the question; and the two cut-offs.

Four signs of a ranking (see `signs`) go through a logistic model. Raw signs mean different things in different knowledge bases: where
phrasings abound, a score of 0.4 is a near miss; where articles are long, it is as sure as it gets. So each sign is measured against the
knowledge base's own *near misses*: its phrasings (or titles) asked as if their whole article were not there (`near_level`). Measured so,
right answers, wrong ones and questions without an answer look alike in all of them, and one model serves (`MODEL`).

Phrasings asked as if they alone were not there then shift and stretch the model a little, as far as they can be trusted: where few of
them find their article they are unlike each other, and a customer's question is easier than any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .aim import Aim
from .model import Cutoffs

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# Constant, score, margin, cosine, spelling, as `standard` gives them. Fitted to training phrasings of banking77 and curekart that were
# left out of knowledge bases with 3, 5 and 10 phrasings an article (20 of them, half without a third of the labels, so that near
# misses are known); 30 % without an answer, a fifth of these near misses. Each set alone gives about the same (see docs/search.md).
# Since the embedding is taught, stretched by 1.15 and shifted by 0.35: on more such phrasings and the shop's first questions.
MODEL = (-2.79, 1.74, 1.33, 1.44, 1.22)
# What the model and the cut-offs below were fitted to: three messages in ten without an answer. Of the others about one in six finds a
# wrong article first: so a quarter of what is not right has an answer all the same.
USUAL_AIM = Aim()
WRONG_BUT_ANSWERABLE = 0.26
# The near misses of a middling knowledge base, and how many questions they weigh as much as.
TYPICAL_NEAR = (0.52, 0.095, 0.55, 0.27)
TYPICAL_QUESTIONS = 5
# Titles are alike in style, so without its article a title comes nearer to another than a question would: by this factor and these steps.
TITLE_FACTOR = 0.72
TITLE_STEPS = (0.07, 0.12)
TITLE_QUESTIONS = 10
# How far held-out phrasings may shift and stretch the model (standard deviations), and between which shares found they gain trust.
SHIFT, STRETCH = 0.5, 0.3
LEAST_STRETCH = 0.3
DISTRUSTED, TRUSTED = 0.5, 0.9
# Cut-offs where held-out phrasings cannot be trusted, for nine right answers in ten. Fewer than three phrasings an article, and near
# misses look surer than they are.
OFFER = 0.3
ANSWER, ANSWER_UNASKED, ANSWER_STEP = 0.5, 0.65, 0.05
# As many held-out phrasings as this, and they and the numbers above have an equal say in the cut-offs.
PRIOR_QUESTIONS = 20
LOWEST_CUTOFF, HIGHEST_CUTOFF = 0.55, 0.75
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
    """The logistic model over `standard` signs and the cut-offs, with the figures behind the choice.

    ``questions`` were held out, ``hit_at_1`` of them found their article; ``table``: cut-off, share answered, share of those right.
    """

    weights: tuple[float, ...]
    near: tuple[float, ...]
    cutoffs: Cutoffs
    questions: int
    hit_at_1: float | None
    table: tuple[tuple[float, float, float], ...]

    def probability(self, signs: Floats) -> Floats:
        """float64 (n,) from signs (n, 4)."""
        return _sigmoid(_with_constant(standard(signs, self.near)) @ np.array(self.weights))


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


def near_level(phrasings: Floats, titles: Floats) -> tuple[float, ...]:
    """The middle signs of near misses: of phrasings (n, 4) and titles (m, 4), each asked as if its whole article were not there.

    Titles speak where phrasings are few, and what is typical where titles are few, too.
    """
    level = np.array(TYPICAL_NEAR)
    if len(titles):
        own = np.median(titles, axis=0) * [TITLE_FACTOR, TITLE_FACTOR, 1, 1] - [0, 0, *TITLE_STEPS]
        level = _blended(own, len(titles), level, TYPICAL_QUESTIONS)
    if len(phrasings):
        level = _blended(np.median(phrasings, axis=0), len(phrasings), level, TITLE_QUESTIONS)
    return tuple(round(float(value), 4) for value in np.maximum(level, [0.02, 0.005, 0.0, 0.0]))


def standard(signs: Floats, near: Sequence[float]) -> Floats:
    """float64 (n, 4): signs measured against near misses: score in times theirs, lead in three times theirs, cosine and spelling above theirs."""
    score, lead, cosine, lexical = near
    return np.stack([signs[:, 0] / score, signs[:, 1] / lead / 3, signs[:, 2] - cosine, signs[:, 3] - lexical], axis=1)


def model_for(no_answer_share: float) -> tuple[float, ...]:
    """`MODEL` where so many of all messages have no answer: its odds times what the share makes right and not right more or less frequent.

    The correction for other shares of the classes of Saerens, Latinne and Decaestecker (Neural Computation 14, 2002).
    """
    answerable = (1 - no_answer_share) / (1 - USUAL_AIM.no_answer_share)
    unanswerable = no_answer_share / USUAL_AIM.no_answer_share
    odds = answerable / (WRONG_BUT_ANSWERABLE * answerable + (1 - WRONG_BUT_ANSWERABLE) * unanswerable)
    return (MODEL[0] + float(np.log(odds)), *MODEL[1:])


def calibrate(held_out: HeldOut, near: tuple[float, ...], phrasings: float = 0.0, aim: Aim = USUAL_AIM) -> Calibration:
    """Shift and stretch the model by held-out questions; without any it stays as it is. ``phrasings``: how many an article has."""
    questions = int((held_out.truth != NO_ARTICLE).sum())
    model = model_for(aim.no_answer_share)
    if not questions:
        return Calibration(model, near, usual_cutoffs(phrasings, aim), 0, None, ())
    found = float(held_out.right[held_out.truth != NO_ARTICLE].mean())
    trust = float(np.clip((found - DISTRUSTED) / (TRUSTED - DISTRUSTED), 0, 1))
    plain = _with_constant(standard(held_out.signs, near)) @ np.array(model)
    shift, stretch = fit_line(plain, held_out.right.astype(np.float64), trust * held_out.weight)
    weights = stretch * np.array(model) + [shift, 0, 0, 0, 0]
    confidence = _sigmoid(shift + stretch * plain)
    cutoffs = choose_cutoffs(confidence, held_out, usual_cutoffs(phrasings, aim), trust * questions / (questions + PRIOR_QUESTIONS), aim)
    return Calibration(tuple(float(weight) for weight in weights), near, cutoffs, questions, round(found, 4), coverage_table(confidence, held_out))


def usual_cutoffs(phrasings: float, aim: Aim = USUAL_AIM) -> Cutoffs:
    """The cut-offs where nothing better is known, for so many phrasings an article."""
    answer = round(_wanted(max(ANSWER, ANSWER_UNASKED - ANSWER_STEP * phrasings), aim), 4)
    return Cutoffs(answer=answer, offer=min(OFFER, answer))


def _wanted(cutoff: float, aim: Aim) -> float:
    """A cut-off for nine right answers in ten, for as many as are wanted: the odds of either rise alike."""
    odds = cutoff / (1 - cutoff) * (aim.answers_right / (1 - aim.answers_right)) / (USUAL_AIM.answers_right / (1 - USUAL_AIM.answers_right))
    return odds / (1 + odds)


def choose_cutoffs(confidence: Floats, held_out: HeldOut, usual: Cutoffs, share: float, aim: Aim = USUAL_AIM) -> Cutoffs:
    """The lower where the Matthews correlation is highest, the upper the lowest one from which as many answers are right as are wanted.

    ``share`` is what held-out questions have to say, 0 to 1; the rest have the ``usual`` ones.
    """
    levels = np.unique(np.round(confidence, 2))
    offer = max(
        levels, key=lambda level: (matthews(np.where(confidence >= level, held_out.best, NO_ARTICLE), held_out.truth, held_out.weight), -level)
    )
    answer = np.clip(_lowest_precise(confidence, held_out, aim.answers_right), _wanted(LOWEST_CUTOFF, aim), _wanted(HIGHEST_CUTOFF, aim))
    upper = float(share * answer + (1 - share) * usual.answer)
    lower = float(np.clip(share * offer + (1 - share) * usual.offer, 0.05, min(0.45, upper)))
    return Cutoffs(answer=round(upper, 4), offer=round(lower, 4))


def fit_line(plain: Floats, right: Floats, weight: Floats) -> tuple[float, float]:
    """Shift and stretch of log odds ``plain`` that fit ``right`` best, drawn to 0 and 1. Newton's method; the problem is convex."""
    inputs = np.stack([np.ones(len(plain)), plain], axis=1)
    prior, pull = np.array([0.0, 1.0]), np.diag([1 / SHIFT**2, 1 / STRETCH**2])
    line = prior
    for _ in range(50):
        chance = _sigmoid(inputs @ line)
        slope = inputs.T @ (weight * (chance - right)) + pull @ (line - prior)
        curve = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs + pull
        step = np.linalg.solve(curve, slope)
        # A full step from far away can overshoot; a bounded one gets there all the same.
        line = line - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    # Never turned around: a question that stands in an article word for word must be surer than one that does not.
    return float(line[0]), float(max(line[1], LEAST_STRETCH))


def _blended(own: Floats, questions: int, other: Floats, strength: int) -> Floats:
    blended: Floats = (questions * own + strength * other) / (questions + strength)
    return blended


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


def _lowest_precise(confidence: Floats, held_out: HeldOut, wanted: float) -> float:
    order = np.argsort(-confidence, kind="stable")
    weight = held_out.weight[order]
    precision = np.cumsum(weight * held_out.right[order]) / np.cumsum(weight)
    precise = np.flatnonzero(precision >= wanted)
    return float(confidence[order][precise[-1]]) if len(precise) else 1.0


def _with_constant(signs: Floats) -> Floats:
    return np.concatenate([np.ones((len(signs), 1)), signs], axis=1)


def _sigmoid(values: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(values, -40, 40)))
