"""Search put together from its parts, some of them left out: the same functions as in service, over many questions at once.

With every part in, it says what `Searcher` says (a test compares them), so what changes without a part is that part's doing. What is
settled by held-out phrasings (spelling's share, confidence) is settled anew without the part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from knowledge_base.aim import Aim
from knowledge_base.building import read_far_messages, rows_of
from knowledge_base.calibration import NO_ARTICLE, Calibration, Floats, HeldOut, Numbers, calibrate, near_level, signs
from knowledge_base.embedding import Embedder, Vectors
from knowledge_base.evaluation import DEPTH, Outcome, Question
from knowledge_base.head import choose_landmarks, kernel, train
from knowledge_base.lexical import index_texts
from knowledge_base.model import Cutoffs
from knowledge_base.preparing import prepare
from knowledge_base.ranking import CENTRE_SHARE, PHRASING, TITLE, Rows, centres, highest
from knowledge_base.reading import read_folder
from knowledge_base.training import (
    Asked,
    Learnable,
    Settled,
    as_if_new,
    as_if_unanswered,
    ask_rows,
    fit_head,
    lexical_matrix,
    settle,
    spread,
    weighted,
)

from .sets import Case


@dataclass(frozen=True)
class Parts:
    """What takes part. ``kinds`` of rows left out: an article keeps its title where it has nothing else."""

    head: bool = True
    spelling: bool = True
    centre: bool = True
    without: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Material:
    """What an index is made of, before anything is learnt: ``slugs`` by article number, and ``far`` the messages without an answer."""

    data: Learnable
    slugs: tuple[str, ...]
    far: tuple[str, ...]
    far_vectors: Vectors


def material(case: Case, embedder: Embedder) -> Material:
    """The rows of a case's public articles, as `build` makes them."""
    public = sorted((one for one in read_folder(case.articles).articles if one.is_public), key=lambda article: article.slug)
    rows, texts = rows_of([prepare(article) for article in public])
    far = read_far_messages()
    data = Learnable(rows, texts, embedder.embed(texts), index_texts(texts))
    return Material(data, tuple(article.slug for article in public), tuple(far), embedder.embed(far))


def reduced(data: Learnable, parts: Parts) -> Learnable:
    """The rows and the spelling that take part."""
    rows = data.rows
    kept = ~np.isin(rows.kind, list(parts.without))
    left = np.bincount(rows.article[kept], minlength=rows.articles)
    kept |= (rows.kind == TITLE) & (left[rows.article] == 0)
    texts = [text for text, keep in zip(data.texts, kept, strict=True) if keep]
    lexical = data.lexical if kept.all() else index_texts(texts)
    # An index of texts without a letter finds nothing alike.
    spelling = lexical if parts.spelling else index_texts([""] * len(texts))
    return Learnable(Rows(rows.article[kept], rows.kind[kept], rows.passage[kept]), texts, data.vectors[kept], spelling)


class Composed:
    """Search over ``material`` with some ``parts``."""

    def __init__(self, material: Material, parts: Parts, aim: Aim) -> None:
        self._parts = parts
        self._slugs = material.slugs
        self._data = data = reduced(material.data, parts)
        self._centres = centres(data.vectors, data.rows)
        settled = settle(data, far=material.far, far_vectors=material.far_vectors, aim=aim)
        self._share = settled.lexical_share
        self._head = fit_head(data, self._share)
        if not (parts.head and parts.centre):
            settled = Settled(self._share, self._calibration(material, aim))
        self._settled = settled

    @property
    def cutoffs(self) -> Cutoffs:
        return self._settled.calibration.cutoffs

    def ask(self, questions: Sequence[Question], vectors: Vectors, words: Floats | None = None) -> tuple[Outcome, ...]:
        """An outcome a question. ``words`` (questions, rows) when their spelling has been compared already."""
        words = self.words([question.text for question in questions]) if words is None else words
        scores, evidence = self._ranked(vectors, words)
        confidences = self._settled.calibration.probability(evidence)
        places = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
        return tuple(
            Outcome(question, tuple(self._slugs[place] for place in row), round(float(sure), 4), 0.0)
            for question, row, sure in zip(questions, places, confidences, strict=True)
        )

    def words(self, texts: Sequence[str]) -> Floats:
        """float64 (texts, rows): how alike they are written."""
        return lexical_matrix(self._data.lexical, [" ".join(text.split()) for text in texts])

    def _ranked(self, vectors: Vectors, words: Floats) -> tuple[Floats, Floats]:
        """Scores (n, articles), and the signs of the best article (n, 4)."""
        cosines = (vectors @ self._data.vectors.T).astype(np.float64)
        similarity = kernel(cosines, words, self._share)
        rows = self._data.rows
        scores = self._head.scores(similarity[:, self._head.landmarks]) if self._parts.head else highest(similarity, rows)
        if self._parts.centre:
            scores = scores + CENTRE_SHARE * (vectors @ self._centres.T)
        return scores, signs(scores, highest(cosines, rows), highest(words, rows), scores.argmax(axis=1))

    def _calibration(self, material: Material, aim: Aim) -> Calibration:
        """What `settle` does after it has chosen the share, with another head or without centres."""
        rows = self._data.rows
        phrasings, titles = (spread(np.flatnonzero(rows.kind == kind)) for kind in (PHRASING, TITLE))
        training = self._training()
        unanswered_titles = as_if_unanswered(training, self._asked(titles))
        if not len(phrasings):
            nothing = unanswered_titles.signs[:0]
            nobody = np.zeros(0, np.int64)
            return calibrate(HeldOut(nothing, nobody, nobody, np.zeros(0)), near_level(nothing, unanswered_titles.signs), aim=aim)
        asked = self._asked(phrasings)
        unanswered = as_if_unanswered(training, asked)
        held_out = [as_if_new(training, asked), unanswered, self._far(material)]
        near = near_level(unanswered.signs, unanswered_titles.signs)
        return calibrate(weighted(held_out, aim.no_answer_share), near, len(np.flatnonzero(rows.kind == PHRASING)) / rows.articles, aim)

    def _training(self) -> Any:
        data = self._data
        landmarks = choose_landmarks(data.rows.article)
        chosen = landmarks if self._parts.head else np.arange(len(data.texts))
        words = lexical_matrix(data.lexical, [data.texts[number] for number in chosen]).T
        similarity = kernel(data.vectors @ data.vectors[chosen].T, words, self._share)
        if not self._parts.head:
            return NearestRow(similarity, data.rows)
        return train(similarity, landmarks, data.rows.article, data.rows.articles, self._share)

    def _asked(self, questions: Numbers) -> Asked:
        asked = ask_rows(self._data, questions)
        return asked if self._parts.centre else replace(asked, by_centre=0 * asked.by_centre, rest=0 * asked.rest)

    def _far(self, material: Material) -> HeldOut:
        scores, evidence = self._ranked(material.far_vectors, self.words(material.far))
        return HeldOut(evidence, scores.argmax(axis=1), np.full(len(scores), NO_ARTICLE, np.int64), np.ones(len(scores)))


class NearestRow:
    """In the place of a trained head: an article scores what its nearest row does. ``similarity`` is the kernel (rows, rows)."""

    def __init__(self, similarity: Floats, rows: Rows) -> None:
        self._similarity = similarity
        self._rows = rows

    def without_each(self, questions: Numbers) -> Floats:
        """float64 (questions, articles): each question with its own row away."""
        near = self._similarity[questions].copy()
        near[np.arange(len(questions)), questions] = -1.0
        return highest(near, self._rows)

    def without(self, questions: Numbers) -> Floats:
        """The same with all of ``questions``, the rows of an article, away."""
        near = self._similarity[questions].copy()
        near[:, questions] = -1.0
        return highest(near, self._rows)
