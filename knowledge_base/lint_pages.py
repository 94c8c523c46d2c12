"""What can be wrong with one article by itself: its headings, and a review that is overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from .lint import Finding, Shelf
from .model import Article

# How long an article may go unlooked at that names a day it was `checked` but none to be looked at next.
REVIEW_DAYS = 365


def heading_findings(article: Article, shelf: Shelf) -> Iterator[Finding]:
    """Headings that leave out a level: screen readers and the table of contents go by levels. The title is level 1."""
    above = 1
    for section in shelf.pages[article.slug].sections:
        if section.heading is None:
            continue
        level = section.heading.level
        if level > above + 1:
            signs = "#" * (above + 1)
            reason = f"the heading {section.heading.text!r} is of level {level} below one of level {above}: wanted {signs}"
            yield Finding(article.path, article.body_line + section.line, reason, is_error=False)
        above = level


def review_findings(article: Article, shelf: Shelf, today: date, review_days: int) -> Iterator[Finding]:
    """A review that is due: on ``review_by``, or ``review_days`` after it was ``checked`` when that was later or no day is named."""
    if article.status != "published":
        return
    lines, whose = shelf.lines[article.slug], f" (owner: {article.owner})" if article.owner else ""
    if article.checked and article.checked > today:
        yield Finding(article.path, lines.of("checked"), f"checked on {article.checked}, a day that has not come yet", is_error=False)
    if article.review_by and not (article.checked and article.checked >= article.review_by):
        if article.review_by < today:
            yield Finding(article.path, lines.of("review_by"), f"the review is overdue since {article.review_by}{whose}", is_error=False)
    elif article.checked and article.checked + timedelta(days=review_days) < today:
        reason = f"last checked on {article.checked}, more than {review_days} days ago{whose}"
        yield Finding(article.path, lines.of("checked"), reason, is_error=False)
