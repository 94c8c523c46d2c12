"""A database file that is broken is never worked on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from desk.migrate import migrate
from touchpoints.database import open_database
from touchpoints.exceptions import StoreDamaged

INDEX_LEAF = 0x0A
"""The first byte of a page that holds rows of an index, or of a table without numbers of its own."""


def test_a_damaged_page_is_found_before_anything_is_done(tmp_path: Path) -> None:
    """Whoever starts on such a file is told which command puts the backup back; a whole one passes."""
    path = tmp_path / "touchdesk.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    database.check_whole()
    database.engine.dispose()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096)
    damaged = open_database(f"sqlite:///{path}")
    with pytest.raises(StoreDamaged, match="make restore"):
        migrate(damaged)
    damaged.engine.dispose()


def test_pages_in_each_others_place_are_found(tmp_path: Path) -> None:
    """Each of them is whole, so that only the order of the rows tells."""
    path = tmp_path / "touchdesk.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE said (number INTEGER PRIMARY KEY, words TEXT) WITHOUT ROWID")
        connection.executemany("INSERT INTO said VALUES (?, ?)", [(number, f"words {number} " * 20) for number in range(200)])
    content = path.read_bytes()
    pages = [content[start : start + 4096] for start in range(0, len(content), 4096)]
    first, second = [number for number, page in enumerate(pages) if page[0] == INDEX_LEAF][:2]
    pages[first], pages[second] = pages[second], pages[first]
    path.write_bytes(b"".join(pages))
    swapped = open_database(f"sqlite:///{path}")
    with pytest.raises(StoreDamaged):
        swapped.check_whole()
    swapped.engine.dispose()
