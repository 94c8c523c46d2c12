"""A database file that is broken is never worked on."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.migrate import migrate
from touchpoints.database import open_database
from touchpoints.exceptions import StoreDamaged


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
