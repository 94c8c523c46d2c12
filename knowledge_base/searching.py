"""Answering questions from a loaded generation: vector, ranking, and what is shown of each hit."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache

from . import article_store
from .embedding import Embedder
from .exceptions import IndexUnusable
from .index_files import LoadedIndex
from .model import ArticleAnswer, Hit, SearchAnswer
from .ranking import NO_PASSAGE

MAX_QUESTION = 10_000
# Questions whose hits are remembered as long as the generation lives; longer ones than this are hardly asked twice, and would fill memory.
REMEMBERED = 512
REMEMBERED_LENGTH = 500


class Searcher:
    """Answers from one generation. Threads may share it."""

    def __init__(self, loaded: LoadedIndex, embedder: Embedder) -> None:
        self.loaded = loaded
        # The only slugs that may come out, where articles have changed since the generation was made; None for all of it.
        self.still_public: frozenset[str] | None = None
        self._embedder = embedder
        # They end with the searcher, so nothing from another generation or model can come out of them.
        self._remembered = lru_cache(REMEMBERED)(self._hits)
        self._shown = lru_cache(4 * REMEMBERED)(self._show)

    def search(self, text: str, limit: int) -> SearchAnswer:
        """The articles that may answer ``text``, best first; none for a text without a visible character. Longer than 10,000 characters is cut."""
        text = " ".join(text[:MAX_QUESTION].split())
        self._check()
        found = self._hits if len(text) > REMEMBERED_LENGTH else self._remembered
        hits = tuple(hit for hit in found(text, limit) if self._may_show(hit.slug)) if text else ()
        cutoffs = self.loaded.settled.calibration.cutoffs
        return SearchAnswer(self.loaded.name, cutoffs.verdict(hits[0].confidence if hits else 0.0), cutoffs, hits)

    def remembered(self) -> tuple[int, int]:
        """How many questions were answered from memory since the generation was loaded, and how many were looked up."""
        counts = self._remembered.cache_info()
        return counts.hits, counts.misses

    def article(self, slug: str) -> ArticleAnswer | None:
        """The public article of that slug, or None."""
        with self._articles() as connection:
            return article_store.article_answer(connection, slug) if self._may_show(slug) else None

    def _may_show(self, slug: str) -> bool:
        return self.still_public is None or slug in self.still_public

    def _check(self) -> None:
        """Raises `IndexUnusable` once the file of the articles was written to."""
        if not self.loaded.untouched(article_store.FILE_NAME):
            raise IndexUnusable(f"{self.loaded.folder} was changed since it was loaded")

    def _articles(self) -> AbstractContextManager[sqlite3.Connection]:
        """The articles as they were checked."""
        self._check()
        return article_store.reading(self.loaded.folder / article_store.FILE_NAME)

    def _hits(self, text: str, limit: int) -> tuple[Hit, ...]:
        ranked = self.loaded.ranker.rank(self._embedder.embed([text])[0], text, limit)
        return tuple(replace(self._shown(one.article, one.passage), confidence=round(one.confidence, 4)) for one in ranked)

    def _show(self, article: int, passage: int) -> Hit:
        """The hit that an article and its nearest passage make, of no confidence yet."""
        with self._articles() as connection:
            return _hit(connection, article, passage)


def _hit(connection: sqlite3.Connection, number: int, passage: int) -> Hit:
    article = article_store.article_by_number(connection, number)
    if article is None:
        raise IndexUnusable(f"there is no public article {number}")
    section, anchor, excerpt, body = "", "", article.excerpt, article.body
    if passage != NO_PASSAGE:
        found = article_store.stored_passage(connection, passage)
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
        confidence=0.0,
    )
