"""Reading the public articles of the live generation, without a model and with search away.

`Library` follows the live generation by itself: each call looks at ``current`` (one ``stat``) and opens the file it names.
Calls may come from any number of threads. Internal, draft and archived articles never come out of it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from . import article_store, generations
from .exceptions import IndexUnusable, LibraryUnavailable
from .model import ArticleSummary, Category, KeywordHit, PublicArticle

Result = TypeVar("Result")


class Library:
    """The articles under ``index_folder``. Every method raises `LibraryUnavailable` while there is no readable index."""

    def __init__(self, index_folder: Path) -> None:
        self._index = index_folder
        self._lock = threading.Lock()
        self._verified: tuple[Path, generations.Stamp] | None = None

    def article(self, slug: str) -> PublicArticle | None:
        """The public article of that slug, or None."""
        return self._read(lambda connection: article_store.public_article(connection, slug))

    def articles(self) -> tuple[ArticleSummary, ...]:
        """Every public article, by category and title."""
        return self._read(article_store.summaries)

    def categories(self) -> tuple[Category, ...]:
        """The categories that have public articles, by name, with how many."""
        return self._read(article_store.categories)

    def keyword_search(self, text: str, limit: int = 10) -> tuple[KeywordHit, ...]:
        """At most ``limit`` public articles that share words with ``text``, best first; none for a text without words."""
        return self._read(lambda connection: article_store.keyword_search(connection, text, limit))

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
                    generations.verify(path.parent, (article_store.FILE_NAME,))
                    self._verified = seen
        except IndexUnusable as cause:
            raise LibraryUnavailable(str(cause)) from cause
        return path
