"""What is wrong with the files that a company writes itself: nothing stops for it, but whoever starts the kit is told."""

from __future__ import annotations

from pathlib import Path

from knowledge_base.exceptions import LibraryUnavailable
from knowledge_base.library import Library
from knowledge_base.reading import folder_problem
from touchpoints.clock import Clock, SteadyClock
from widget.brand.file import BrandFile
from widget.brand.pages import topic_titles

CLOCK_NOTE_S = 60.0
"""A difference that people would notice."""


def notes(articles: Path, library: Library, brand: BrandFile) -> list[str]:
    """A sentence each: file, line or field, and reason. ``articles`` is the folder of the Markdown files."""
    loaded = brand.load()
    unknown = [slug for slug, title in topic_titles(library, loaded).items() if title is None]
    return [
        *articles_notes(articles, library),
        *(str(problem) for problem in loaded.problems),
        *(f"{brand.path}: topics: {slug!r} is not a published public article" for slug in unknown),
    ]


def articles_notes(folder: Path, library: Library) -> list[str]:
    """Why customers find no article at all; nothing while they find some, or while the index is still being made."""
    try:
        if library.articles():
            return []
    except LibraryUnavailable:
        return []
    reason = folder_problem(folder) or "no published public article in it; python -m knowledge_base check says what is wrong with each file"
    return [f"{folder}: {reason}. The chat offers a person instead of answers."]


def clock_notes(clock: Clock) -> list[str]:
    """That somebody has set the machine's clock, as long as web's own has not caught up with it."""
    ahead_s = clock.behind_s() if isinstance(clock, SteadyClock) else 0.0
    if abs(ahead_s) < CLOCK_NOTE_S:
        return []
    return [f"the machine's clock: it was set by {ahead_s:+.0f} s while web runs; web follows slowly, or at once when it is started anew"]
