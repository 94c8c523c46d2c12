"""The database as it is on disk, read by nothing of the kit's own code."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


@dataclass
class Snapshot:
    """The rows that the invariants speak of. Events carry their ``data`` parsed; ``integrity`` is SQLite's own verdict."""

    conversations: Rows = field(default_factory=list)
    events: Rows = field(default_factory=list)
    turns: Rows = field(default_factory=list)
    touchpoints: Rows = field(default_factory=list)
    integrity: str = "ok"


def read_snapshot(database: Path) -> Snapshot:
    """Read a SQLite file in one transaction."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("BEGIN")

        def rows(query: str) -> Rows:
            return [dict(row) for row in connection.execute(query)]

        events = rows("SELECT conversation_id, seq, type, sender, client_id, data FROM events ORDER BY conversation_id, seq")
        for event in events:
            event["data"] = json.loads(event["data"])
        return Snapshot(
            conversations=rows("SELECT id, owner, last, agent_id FROM conversations"),
            events=events,
            turns=rows(
                "SELECT conversation_id, seq, status, outcome, dropped, claim, (julianday(finished_at) - julianday(accepted_at)) * 86400 AS took_s "
                "FROM turns ORDER BY conversation_id, seq"
            ),
            touchpoints=rows("SELECT conversation_id, kind, data FROM touchpoints WHERE conversation_id IS NOT NULL"),
            integrity=str(connection.execute("PRAGMA integrity_check").fetchone()[0]),
        )
