"""Everything an editor should put right, over all articles: what reading found, and what stands between articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from .guides import guide_faults, target_of
from .holding_out import Opened
from .lint import Finding, Shelf, shelve, softened
from .lint_likeness import Entry, copy_findings, entries, near_finding, near_spelling, same_findings
from .lint_links import link_findings, related_findings
from .lint_meaning import near_meaning, same_meaning_findings, title_findings
from .lint_pages import REVIEW_DAYS, heading_findings, review_findings
from .model import Article
from .reading import Reading
from .references import LINK, references
from .rendering import resolved_link


def check(reading: Reading, folder: Path, *, today: date, review_days: int = REVIEW_DAYS, opened: Opened | None = None) -> tuple[Finding, ...]:
    """All findings by file and line. ``folder`` is where ``reading`` was read from; ``opened`` an index of it.

    Without an index, what only meaning can tell is left out.
    """
    shelf = shelve(reading, folder)
    findings = [Finding(problem.path, problem.line, problem.reason) for problem in reading.problems]
    for article in shelf.articles.values():
        findings += softened(article, _of_one(article, shelf, today, review_days))
    findings += _between(shelf, opened)
    return tuple(sorted(set(findings)))


def _of_one(article: Article, shelf: Shelf, today: date, review_days: int) -> Iterator[Finding]:
    yield from review_findings(article, shelf, today, review_days)
    if article.status == "archived":
        return
    yield from related_findings(article, shelf)
    if shelf.pages[article.slug].plain:
        yield Finding(article.path, article.body_line, "the Markdown is too intricate and is shown as plain text")
        return
    yield from heading_findings(article, shelf)
    links = list(link_findings(article, shelf))
    yield from links
    if article.kind == "guide":
        told = {finding.line for finding in links}
        yield from (finding for finding in _guide_findings(article, shelf) if finding.line not in told)


def _guide_findings(article: Article, shelf: Shelf) -> Iterator[Finding]:
    """Faults of a guide, those of a choice on the line of its link."""
    links = [(target_of(resolved_link(link.target)), link.line) for link in references(article.markdown) if link.kind == LINK]
    for fault in guide_faults(shelf.pages[article.slug], article.slug, frozenset(shelf.articles)):
        lines = [line for target, line in links if fault.target and target == fault.target and line >= fault.line]
        yield Finding(article.path, article.body_line + (lines or [fault.line])[0], fault.reason)


def _between(shelf: Shelf, opened: Opened | None) -> Iterator[Finding]:
    found = entries(shelf)
    yield from same_findings(found)
    yield from (near_finding(one, other) for one, other in _near(found, opened))
    copies = list(copy_findings(shelf))
    yield from copies
    if opened:
        yield from title_findings(shelf, opened)
        told = {finding.path for finding in copies}
        yield from (finding for finding in same_meaning_findings(shelf, opened) if finding.path not in told)


def _near(found: list[Entry], opened: Opened | None) -> list[tuple[Entry, Entry]]:
    """Near pairs by spelling and by meaning, each once."""
    pairs = [*near_spelling(found), *(near_meaning(found, opened) if opened else ())]
    return list({(one.place, other.place): (one, other) for one, other in pairs}.values())
