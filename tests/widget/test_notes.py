"""What whoever starts the kit is told about the company's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge_base import article_store, generations
from knowledge_base.library import Library
from knowledge_base.reading import read_folder
from touchpoints.clock import SteadyClock, system_clock
from widget.brand.file import BrandFile
from widget.notes import clock_notes, notes

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
NOBODY = 65534


@pytest.fixture
def brand(tmp_path: Path) -> BrandFile:
    (tmp_path / "brand.yml").write_text("name: Kestrel Lamps\n", encoding="utf-8")
    return BrandFile(tmp_path / "brand.yml")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library without a single public article."""
    index = tmp_path / "index"
    folder = index / "building-1"
    folder.mkdir(parents=True)
    article_store.write_articles(folder / article_store.FILE_NAME, [])
    generations.finish(folder, {})
    generations.make_live(index, folder, generations.new_name(NOW))
    return Library(index)


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user with no rights of its own; root may read everything."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)


def test_a_folder_that_is_not_there(tmp_path: Path, library: Library, brand: BrandFile) -> None:
    """What and where, and what customers meet instead."""
    assert notes(tmp_path / "away", library, brand) == [f"{tmp_path / 'away'}: there is no such folder. The chat offers a person instead of answers."]


def test_a_folder_without_a_single_article(tmp_path: Path, library: Library, brand: BrandFile) -> None:
    """Empty, or with other files only."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "notes.txt").write_text("later", encoding="utf-8")
    assert notes(folder, library, brand)[0].startswith(f"{folder}: there are no articles in it, not one .md file.")


def test_a_folder_whose_articles_are_all_faulty(tmp_path: Path, library: Library, brand: BrandFile) -> None:
    """The way to find out is told."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "lamp.md").write_text("no title\n", encoding="utf-8")
    assert "python -m knowledge_base check" in notes(folder, library, brand)[0]


def test_a_folder_that_may_not_be_read(tmp_path: Path, library: Library, brand: BrandFile) -> None:
    """Told by the notes and by the reading of the articles, each with the reason."""
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    tmp_path.chmod(0o755)
    folder = tmp_path / "articles"
    folder.mkdir(mode=0o700)
    (folder / "lamp.md").write_text("---\ntitle: Lamp\n---\n", encoding="utf-8")
    folder.chmod(0o000)
    with as_nobody():
        told, read = notes(folder, library, brand), read_folder(folder)
    folder.chmod(0o700)
    assert told[0].startswith(f"{folder}: cannot be read: Permission denied.")
    assert [problem.reason for problem in read.problems] == ["cannot be read: Permission denied"]


def test_while_the_index_is_being_made_nothing_is_said_of_articles(tmp_path: Path, brand: BrandFile) -> None:
    """That there is none yet is what the parts of /readyz say."""
    assert notes(tmp_path / "away", Library(tmp_path / "none"), brand) == []


def test_a_quick_topic_without_article_is_told(tmp_path: Path, library: Library) -> None:
    """By the name in brand.yml."""
    place = tmp_path / "brand.yml"
    place.write_text("topics: [lamp]\n", encoding="utf-8")
    assert f"{place}: topics: 'lamp' is not a published public article" in notes(tmp_path / "away", library, BrandFile(place))


def test_a_clock_that_was_set_is_told_until_it_is_caught_up_with() -> None:
    """Small differences, and clocks that take every step, are not worth a word."""
    off_s = [0.0]
    clock = SteadyClock(lambda: 1_800_000_000.0 + off_s[0], lambda: 0.0)
    assert clock_notes(clock) == clock_notes(system_clock) == []
    off_s[0] = 59.0
    assert clock_notes(clock) == []
    off_s[0] = -3600.0
    (note,) = clock_notes(clock)
    assert "set by -3600 s" in note
