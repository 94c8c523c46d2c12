"""What lint works on and what it gives back: all articles as read, and findings by file and line.

An *error* is what a customer would run into, or what keeps an article from being found: a link to nowhere, a picture that is not
there, something internal given away. A *warning* is what somebody should look at. What would be an error in a published article is a
warning in a draft, which need not be finished.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .model import Article
from .reading import Reading
from .rendering import Page, render
from .source_lines import SourceLines, source_lines


@dataclass(frozen=True, order=True)
class Finding:
    """Something an editor has to put right, or, when it is no error, to look at. ``line`` counts from 1."""

    path: str
    line: int
    reason: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'' if self.is_error else 'warning: '}{self.reason}"


@dataclass(frozen=True)
class Shelf:
    """All articles as read, by slug, with their parsed Markdown and the lines of their front matter; ``folder`` is where they lie."""

    folder: Path
    articles: Mapping[str, Article]
    pages: Mapping[str, Page]
    lines: Mapping[str, SourceLines]

    @property
    def public(self) -> list[Article]:
        return [article for article in self.articles.values() if article.is_public]


def shelve(reading: Reading, folder: Path) -> Shelf:
    """Parse every article."""
    articles = {article.slug: article for article in reading.articles}
    pages = {article.slug: render(article.markdown, posixpath.dirname(article.path)) for article in reading.articles}
    return Shelf(folder, articles, pages, {article.slug: source_lines(folder, article) for article in reading.articles})


def softened(article: Article, findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one article as they count: in one that is not published there are only warnings."""
    return [finding if article.status == "published" else replace(finding, is_error=False) for finding in findings]


def meant(name: str, names: Iterable[str]) -> str:
    """A half sentence that offers the name most like the one that does not exist; empty when none is like it."""
    close = difflib.get_close_matches(name, list(names), 1, 0.7)
    return f"; did you mean {close[0]!r}?" if close else ""
