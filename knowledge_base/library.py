"""Reading the public articles of the live generation, without a model and with search away.

`Library` follows the live generation by itself: each call looks at ``current`` (one ``stat``) and opens the file it names.
Calls may come from any number of threads. Internal, draft and archived articles never come out of it, nor, where it knows
the articles' folder, what has been withdrawn since the generation was made.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from . import article_store, generations
from .exceptions import IndexUnusable, LibraryUnavailable
from .model import ArticleSummary, Category, KeywordHit, PublicArticle
from .withdrawal import Withdrawal

Result = TypeVar("Result")

# Hits asked for beyond the limit, for those that were withdrawn meanwhile.
SPARE = 5


class Library:
    """The articles under ``index_folder``. Every method raises `LibraryUnavailable` while there is no readable index."""

    def __init__(self, index_folder: Path, articles: Path | None = None) -> None:
        self._index = index_folder
        self._withdrawal = Withdrawal(articles) if articles else None
        self._lock = threading.Lock()
        self._verified: tuple[Path, generations.Stamp] | None = None
        self._made: datetime | None = None

    def article(self, slug: str) -> PublicArticle | None:
        """The public article of that slug, or None."""

        def read(connection: sqlite3.Connection) -> PublicArticle | None:
            article = article_store.public_article(connection, slug)
            if article is None or slug in (gone := self._gone(connection, {slug, *article.related})):
                return None
            return replace(article, related=tuple(one for one in article.related if one not in gone))

        return self._read(read)

    def articles(self) -> tuple[ArticleSummary, ...]:
        """Every public article, by category and title."""

        def read(connection: sqlite3.Connection) -> tuple[ArticleSummary, ...]:
            found = article_store.summaries(connection)
            gone = self._gone(connection, {one.slug for one in found})
            return tuple(one for one in found if one.slug not in gone)

        return self._read(read)

    def categories(self) -> tuple[Category, ...]:
        """The categories that have public articles, by name, with how many."""
        counted = Counter(article.category for article in self.articles())
        return tuple(Category(name, number) for name, number in sorted(counted.items()))

    def keyword_search(self, text: str, limit: int = 10) -> tuple[KeywordHit, ...]:
        """At most ``limit`` public articles that share words with ``text``, best first; none for a text without words."""

        def read(connection: sqlite3.Connection) -> tuple[KeywordHit, ...]:
            found = article_store.keyword_search(connection, text, limit + SPARE if limit > 0 else 0)
            gone = self._gone(connection, {one.slug for one in found})
            return tuple(one for one in found if one.slug not in gone)[: max(0, limit)]

        return self._read(read)

    def _gone(self, connection: sqlite3.Connection, slugs: set[str]) -> frozenset[str]:
        """Which of ``slugs`` were withdrawn since the generation was made."""
        withdrawal, made = self._withdrawal, self._made
        if withdrawal is None or made is None:
            return frozenset()
        paths = article_store.public_paths(connection)
        return frozenset(slug for slug in slugs if slug in paths and withdrawal.is_withdrawn(paths[slug], made))

    def generation(self) -> str:
        """The name of the generation that is read now."""
        return self._live_file().parent.name

    def _read(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return self._read_once(question)
        except LibraryUnavailable:
            # Between reading the name and opening the file the generation may have been replaced and removed.
            return self._read_once(question)

    def _read_once(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            with article_store.reading(self._live_file()) as connection:
                return question(connection)
        except IndexUnusable as cause:
            raise LibraryUnavailable(str(cause)) from cause

    def _live_file(self) -> Path:
        """The live ``articles.sqlite``, its checksum compared when it was not seen before or has changed on disk."""
        try:
            path = self._index / generations.current_name(self._index) / article_store.FILE_NAME
            seen = (path, generations.stamp(path))
            with self._lock:
                if self._verified != seen:
                    manifest = generations.verify(path.parent, (article_store.FILE_NAME,))
                    # A generation that does not say when it was made is not compared with files.
                    self._made = datetime.fromisoformat(manifest["created"]) if "created" in manifest else None
                    self._verified = seen
        except IndexUnusable as cause:
            raise LibraryUnavailable(str(cause)) from cause
        return path
