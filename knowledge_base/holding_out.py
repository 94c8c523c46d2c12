"""Asking a generation: its own phrasings, each as if it had never been written down, and questions of a file as they stand.

Held out, a phrasing is ranked by what search would be without that one row: the head in closed form, the article's centre without it.
Nothing is trained again, so all phrasings of a shop take a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import article_store, index_files
from .calibration import Floats, Numbers
from .embedding import Embedder
from .evaluation import Question, ask
from .exceptions import IndexUnusable
from .head import Training, choose_landmarks, kernel, train
from .lexical import index_texts
from .model import Cutoffs
from .ranking import CENTRE_SHARE, PHRASING
from .searching import Searcher
from .training import Learnable, ask_rows, lexical_matrix

# Questions ranked at a time: their cosines and spelling with all rows are held in memory, 16 bytes for each pair.
TOGETHER = 500


@dataclass(frozen=True)
class Tried:
    """A question, the slug of the article that should answer it (None: no article should), and what came of it.

    ``place`` of that article among all, from 1; 0 when it is not among those looked at. ``first`` is the slug in the first place.
    ``verdict`` of search, for questions that were asked as they stand; empty for those held out.
    """

    question: str
    article: str | None
    place: int
    first: str
    verdict: str = ""

    @property
    def is_right(self) -> bool:
        """The article came first; or, where none should answer, none was given as the answer."""
        return self.verdict != "answer" if self.article is None else self.place == 1

    @property
    def level(self) -> int:
        """2 for right, 1 for a place among the first three (which are offered), 0 for the rest."""
        return 2 if self.is_right else int(self.article is not None and 1 <= self.place <= 3)


@dataclass(frozen=True)
class Opened:
    """A generation with its texts: ``slugs`` by article number."""

    name: str
    data: Learnable
    slugs: tuple[str, ...]
    lexical_share: float
    cutoffs: Cutoffs
    searcher: Searcher


def open_generation(folder: Path, embedder: Embedder) -> Opened:
    """Check and load a generation. Raises `IndexUnusable`."""
    loaded = index_files.load_index(folder, embedder.checksum)
    texts, vectors = index_files.read_texts(folder)
    count = len(loaded.rows.article)
    data = Learnable(loaded.rows, texts[:count], vectors[:count], index_texts(texts[:count]))
    slugs = _slugs(folder / article_store.FILE_NAME, loaded.rows.articles)
    settled = loaded.settled
    return Opened(folder.name, data, slugs, settled.lexical_share, settled.calibration.cutoffs, Searcher(loaded, embedder))


def hold_out(opened: Opened) -> tuple[Tried, ...]:
    """Every phrasing of the generation, each asked as if it were not there, by article and as they stand in it."""
    data = opened.data
    phrasings = np.flatnonzero(data.rows.kind == PHRASING)
    if not len(phrasings):
        return ()
    training = _training(data, opened.lexical_share)
    return tuple(tried for part in _parts(phrasings) for tried in _held_out(opened, training, part))


def ask_all(opened: Opened, questions: Sequence[Question]) -> tuple[Tried, ...]:
    """Questions as customers ask them, nothing held out."""
    tried = []
    for question in questions:
        outcome = ask(opened.searcher, question)
        first = outcome.slugs[0] if outcome.slugs else ""
        tried.append(Tried(question.text, question.article, outcome.rank, first, opened.cutoffs.verdict(outcome.confidence)))
    return tuple(tried)


def held_out_scores(data: Learnable, training: Training, phrasings: Numbers) -> Floats:
    """float64 (len(phrasings), articles): the scores that order articles, each of ``phrasings`` as if its own row were not there."""
    asked = ask_rows(data, phrasings)
    by_centre = asked.by_centre.copy()
    by_centre[np.arange(len(phrasings)), data.rows.article[phrasings]] = asked.rest
    scores: Floats = training.without_each(phrasings) + CENTRE_SHARE * by_centre
    return scores


def _training(data: Learnable, lexical_share: float) -> Training:
    landmarks = choose_landmarks(data.rows.article)
    cosines = (data.vectors @ data.vectors[landmarks].T).astype(np.float64)
    words = lexical_matrix(data.lexical, [data.texts[number] for number in landmarks]).T
    return train(kernel(cosines, words, lexical_share), landmarks, data.rows.article, data.rows.articles, lexical_share)


def _parts(numbers: Numbers) -> Iterator[Numbers]:
    for start in range(0, len(numbers), TOGETHER):
        yield numbers[start : start + TOGETHER]


def _held_out(opened: Opened, training: Training, phrasings: Numbers) -> Iterator[Tried]:
    scores = held_out_scores(opened.data, training, phrasings)
    for row, number in zip(scores, phrasings, strict=True):
        own = int(opened.data.rows.article[number])
        place = 1 + int((row > row[own]).sum())
        yield Tried(opened.data.texts[number], opened.slugs[own], place, opened.slugs[own if place == 1 else int(row.argmax())])


def _slugs(file: Path, count: int) -> tuple[str, ...]:
    with article_store.reading(file) as connection:
        found = [article_store.article_by_number(connection, number) for number in range(count)]
    if not all(found):
        raise IndexUnusable(f"{file} does not hold all articles that have rows")
    return tuple(article.slug for article in found if article)
