"""Everything an editor should put right, over all articles: what reading found, and what stands between articles."""

from __future__ import annotations

import posixpath

from .guides import guide_faults
from .model import Article, Problem
from .reading import Reading
from .rendering import render


def check(reading: Reading) -> tuple[Problem, ...]:
    """All problems by file and line: those of reading, related articles that do not exist, Markdown that is not parsed, and faults of guides."""
    slugs = frozenset(article.slug for article in reading.articles)
    problems = list(reading.problems)
    for article in reading.articles:
        problems += _unknown_related(article, slugs)
        problems += _body_problems(article, slugs)
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.line, problem.reason)))


def _unknown_related(article: Article, slugs: frozenset[str]) -> list[Problem]:
    return [Problem(article.path, 1, f"the related article {slug!r} does not exist") for slug in article.related if slug not in slugs]


def _body_problems(article: Article, slugs: frozenset[str]) -> list[Problem]:
    page = render(article.markdown, posixpath.dirname(article.path))
    if page.plain:
        return [Problem(article.path, article.body_line, "the Markdown is too intricate and is shown as plain text")]
    faults = guide_faults(page, article.slug, slugs) if article.kind == "guide" else []
    return [Problem(article.path, article.body_line + fault.line, fault.reason) for fault in faults]
