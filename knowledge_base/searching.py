"""Answering questions from a loaded generation: vector, ranking, and what is shown of each hit."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager

from . import article_store
from .embedding import Embedder
from .exceptions import IndexUnusable
from .index_files import LoadedIndex
from .model import ArticleAnswer, Hit, SearchAnswer
from .ranking import NO_PASSAGE, Ranked

MAX_QUESTION = 10_000


class Searcher:
    """Answers from one generation. Threads may share it."""

    def __init__(self, loaded: LoadedIndex, embedder: Embedder) -> None:
        self.loaded = loaded
        # The only slugs that may come out, where articles have changed since the generation was made; None for all of it.
        self.still_public: frozenset[str] | None = None
        self._embedder = embedder

    def search(self, text: str, limit: int) -> SearchAnswer:
        """The articles that may answer ``text``, best first; none for a text without a visible character. Longer than 10,000 characters is cut."""
        text = " ".join(text[:MAX_QUESTION].split())
        ranked = self._rank(text, limit) if text else []
        with self._articles() as connection:
            hits = tuple(hit for hit in (_hit(connection, one) for one in ranked) if self._may_show(hit.slug))
        cutoffs = self.loaded.settled.calibration.cutoffs
        return SearchAnswer(self.loaded.name, cutoffs.verdict(hits[0].confidence if hits else 0.0), cutoffs, hits)

    def article(self, slug: str) -> ArticleAnswer | None:
        """The public article of that slug, or None."""
        with self._articles() as connection:
            return article_store.article_answer(connection, slug) if self._may_show(slug) else None

    def _may_show(self, slug: str) -> bool:
        return self.still_public is None or slug in self.still_public

    def _articles(self) -> AbstractContextManager[sqlite3.Connection]:
        """The articles as they were checked. Raises `IndexUnusable` once their file was written to."""
        if not self.loaded.untouched(article_store.FILE_NAME):
            raise IndexUnusable(f"{self.loaded.folder} was changed since it was loaded")
        return article_store.reading(self.loaded.folder / article_store.FILE_NAME)

    def _rank(self, text: str, limit: int) -> list[Ranked]:
        return self.loaded.ranker.rank(self._embedder.embed([text])[0], text, limit)


def _hit(connection: sqlite3.Connection, ranked: Ranked) -> Hit:
    article = article_store.article_by_number(connection, ranked.article)
    if article is None:
        raise IndexUnusable(f"there is no public article {ranked.article}")
    section, anchor, excerpt, body = "", "", article.excerpt, article.body
    if ranked.passage != NO_PASSAGE:
        found = article_store.stored_passage(connection, ranked.passage)
        section, anchor, excerpt = found.passage.section, found.passage.anchor, found.excerpt
        # A guide is walked from its first step; the links of a step in the middle would lead astray.
        body = article.body if article.kind == "guide" else found.body
    return Hit(
        slug=article.slug,
        title=article.title,
        kind=article.kind,
        category=article.category,
        stage=article.stage,
        section=section,
        anchor=anchor,
        url=f"{article.url}#{anchor}" if anchor else article.url,
        answer=article.answer,
        excerpt=excerpt,
        body=body,
        confidence=round(ranked.confidence, 4),
    )
