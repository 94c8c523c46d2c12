"""Brings the database to the schema of this version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from touchpoints.database import Database


def migrate(database: Database) -> None:
    """Apply what is missing, each migration in one transaction; safe to run again. Raises `StoreDamaged` before it touches a broken file."""
    database.check_whole()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
