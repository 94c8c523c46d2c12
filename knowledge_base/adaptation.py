"""Whether adapting the embedding to one knowledge base pays, found out from that knowledge base alone. Pure numpy.

An adapted model has seen the phrasings, so they cannot be held out of it in closed form as `training` does. Instead some articles
are hidden wholly and some phrasings of the others held out *before* a model is adapted, and asked of it afterwards (a *fold*). The same
answers say whether to adapt, and settle spelling, calibration and cut-offs of the model that is then adapted to everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .aim import Aim
from .calibration import NO_ARTICLE, Calibration, Floats, HeldOut, Numbers, calibrate, near_level, signs
from .embedding import Vectors
from .evaluation import auroc
from .head import TrainedHead, kernel
from .lexical import index_texts
from .model import Article
from .ranking import CENTRE_SHARE, PHRASING, TITLE, Rows, centres, highest
from .training import LEXICAL_SHARES, Learnable, Settled, fit_head, lexical_matrix, spread, weighted

# Which way of adapting made a decision; one of an earlier way is made anew.
METHOD = 1
# Where adapting can pay at all: phrasings of the middle article, and of all. With five an article nothing is gained.
PHRASINGS_AN_ARTICLE, PHRASINGS_IN_ALL = 8, 200
# The share of phrasings that must be new before it is tried again.
MUCH_NEW = 0.1
# What is hidden and held out of a fold; folds until there are so many questions, for of 130 a point is one and a half.
HIDDEN_ARTICLES, HELD_OUT = 0.15, 0.2
ENOUGH_QUESTIONS, MOST_FOLDS = 400, 3
# What adapting must gain in hit_at_1, and may lose in telling questions from near misses (auroc).
WANTED_GAIN, ALLOWED_LOSS = 0.01, 0.005


@dataclass(frozen=True)
class Material:
    """All that a generation was learnt from: its rows, the text of each, and the messages that no article answers."""

    rows: Rows
    texts: tuple[str, ...]
    far: tuple[str, ...]

    @property
    def everything(self) -> list[str]:
        """The texts of the rows, then the far messages, as vectors are numbered."""
        return [*self.texts, *self.far]


@dataclass(frozen=True)
class Fold:
    """Row numbers: ``kept`` are learnt from, ``asked`` are held-out phrasings of articles that are kept, ``near`` all those of hidden articles.

    ``titles`` are the titles of hidden articles.
    """

    kept: Numbers
    asked: Numbers
    near: Numbers
    titles: Numbers


@dataclass(frozen=True)
class Answers:
    """What a model said in a fold to held-out phrasings, near misses, titles of hidden articles and far messages."""

    asked: HeldOut
    near: HeldOut
    titles: HeldOut
    far: HeldOut


@dataclass(frozen=True)
class Tried:
    """What a model reached over all folds, and what was settled from it."""

    hit_at_1: float
    auroc_near: float
    questions: int
    settled: Settled


def can_pay(articles: Iterable[Article]) -> bool:
    """The rule of where adapting is tried: many phrasings in all, and of the middle article."""
    counts = [len(article.questions) for article in articles if article.is_public]
    return len(counts) > 1 and float(np.median(counts)) >= PHRASINGS_AN_ARTICLE and sum(counts) >= PHRASINGS_IN_ALL


def marks(articles: Iterable[Article]) -> frozenset[str]:
    """A short mark for each public phrasing with its article, to see later how many are new."""
    pairs = ((article.slug, question) for article in articles if article.is_public for question in article.questions)
    return frozenset(hashlib.sha256(json.dumps(pair).encode()).hexdigest()[:16] for pair in pairs)


def changed_much(now: frozenset[str], then: frozenset[str]) -> bool:
    """Whether so many phrasings are new that what was decided ``then`` no longer says much."""
    return len(now - then) >= MUCH_NEW * max(1, len(now))


def key(material: Material, base: str, aim: Aim) -> str:
    """The name of what is decided for these texts, this base model and this method; 32 hexadecimal digits."""
    rows = material.rows
    articles: list[list[list[object]]] = [[] for _ in range(rows.articles)]
    for article, kind, text in zip(rows.article.tolist(), rows.kind.tolist(), material.texts, strict=True):
        articles[article].append([kind, text])
    form = [METHOD, base, asdict(aim), sorted(map(json.dumps, articles)), list(material.far)]
    return hashlib.sha256(json.dumps(form).encode()).hexdigest()[:32]


def folds(rows: Rows, most: int = MOST_FOLDS) -> list[Fold]:
    """Folds over different articles and different phrasings, as many as make enough questions."""
    draw = np.random.default_rng(0)
    order = draw.permutation(np.unique(rows.article[rows.kind == PHRASING]))
    shuffled = draw.permutation(np.flatnonzero(rows.kind == PHRASING))
    phrasings = [shuffled[rows.article[shuffled] == article] for article in range(rows.articles)]
    found: list[Fold] = []
    while len(found) < most and sum(len(fold.asked) for fold in found) < ENOUGH_QUESTIONS:
        found.append(_fold(rows, phrasings, _block(order, len(found), HIDDEN_ARTICLES), len(found)))
    return found


def _fold(rows: Rows, phrasings: Sequence[Numbers], hidden: Numbers, number: int) -> Fold:
    blocks = [_block(own, number, HELD_OUT) for article, own in enumerate(phrasings) if article not in hidden and len(own) > 1]
    asked = np.sort(np.concatenate([np.zeros(0, np.int64), *blocks]))
    away = np.isin(rows.article, hidden)
    kept = ~away
    kept[asked] = False
    return Fold(
        np.flatnonzero(kept), spread(asked), spread(np.flatnonzero(away & (rows.kind == PHRASING))), np.flatnonzero(away & (rows.kind == TITLE))
    )


def _block(numbers: Numbers, which: int, share: float) -> Numbers:
    """That share of the numbers, at least one: the first of them, then the next, as far as they go, then again from the first."""
    size = max(1, round(len(numbers) * share))
    return np.take(numbers, np.arange(which * size, (which + 1) * size), mode="wrap")


def answers(material: Material, vectors: Vectors, fold: Fold, lexical_share: float) -> Answers:
    """Ask a ranking that was learnt from the kept rows. ``vectors`` are those of `Material.everything`."""
    rows, texts = material.rows, material.everything
    articles = np.unique(rows.article[fold.kept])
    place = np.full(rows.articles, NO_ARTICLE, np.int64)
    place[articles] = np.arange(len(articles))
    kept_texts = [texts[number] for number in fold.kept]
    kept = Rows(place[rows.article[fold.kept]], rows.kind[fold.kept], rows.passage[fold.kept])
    data = Learnable(kept, kept_texts, vectors[fold.kept], index_texts(kept_texts))
    head = fit_head(data, lexical_share)

    def ask(numbers: Numbers, truth: Numbers) -> HeldOut:
        held_out = ask_from_outside(data, head, [texts[number] for number in numbers], vectors[numbers], truth)
        return HeldOut(held_out.signs, articles[held_out.best], held_out.truth, held_out.weight)

    far = np.arange(len(material.texts), len(texts))
    return Answers(ask(fold.asked, rows.article[fold.asked]), *(ask(some, np.full(len(some), NO_ARTICLE)) for some in (fold.near, fold.titles, far)))


def ask_from_outside(data: Learnable, head: TrainedHead, texts: Sequence[str], vectors: Vectors, truth: Numbers) -> HeldOut:
    """The ranking of questions that are no rows, as search would rank them; ``truth`` (n,) names their articles."""
    cosines = (vectors @ data.vectors.T).astype(np.float64)
    words = lexical_matrix(data.lexical, texts)
    scores = head.scores(kernel(cosines[:, head.landmarks], words[:, head.landmarks], head.lexical_share))
    scores = scores + CENTRE_SHARE * (vectors @ centres(data.vectors, data.rows).T)
    best = scores.argmax(axis=1)
    return HeldOut(signs(scores, highest(cosines, data.rows), highest(words, data.rows), best), best, truth, np.ones(len(texts)))


def tried(material: Material, of_folds: Sequence[tuple[Fold, Vectors]], aim: Aim) -> Tried:
    """What a model reached, given its vectors in each fold; spelling counts what finds most."""
    by_share = {share: joined([answers(material, vectors, fold, share) for fold, vectors in of_folds]) for share in LEXICAL_SHARES}
    share = max(by_share, key=lambda one: float(by_share[one].asked.right.mean()))  # the first of equals: less spelling
    found = by_share[share]
    phrasings = float((material.rows.kind == PHRASING).sum() / material.rows.articles)
    near = near_level(found.near.signs, found.titles.signs)
    calibration = calibrate(weighted([found.asked, found.near, found.far], aim.no_answer_share), near, phrasings, aim)
    return Tried(round(float(found.asked.right.mean()), 4), auroc_near(found, calibration), len(found.asked.truth), Settled(share, calibration))


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers of all folds as one."""
    return Answers(*(_joined([getattr(part, name) for part in parts]) for name in ("asked", "near", "titles", "far")))


def auroc_near(found: Answers, calibration: Calibration) -> float:
    """How well confidence tells held-out phrasings from near misses."""
    confidence: Floats = np.concatenate([calibration.probability(found.asked.signs), calibration.probability(found.near.signs)])
    area = auroc(confidence, np.arange(len(confidence)) < len(found.asked.truth))
    return round(0.5 if area is None else area, 4)


def is_better(adapted: Tried, base: Tried) -> bool:
    """Whether to adapt: it must find more of the same questions, and tell near misses as well."""
    gain, loss = adapted.hit_at_1 - base.hit_at_1, base.auroc_near - adapted.auroc_near
    return round(gain, 4) >= WANTED_GAIN and round(loss, 4) <= ALLOWED_LOSS


def _joined(parts: Sequence[HeldOut]) -> HeldOut:
    columns = ([getattr(part, name) for part in parts] for name in ("signs", "best", "truth", "weight"))
    return HeldOut(*(np.concatenate(column) for column in columns))
