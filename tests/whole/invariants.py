"""What must hold in the database after anything that happened: read straight from its file, by nothing of the kit's own code."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

KINDS = {
    ("message", "customer", None): "question",
    ("message", "agent", None): "agent_reply",
    ("message", "bot", "offered_choices"): "suggestion",
    ("message", "bot", "guide_step"): "guide_step",
    ("owner", "queued", None): "handoff",
    ("owner", "agent", None): "queue_wait",
    ("owner", "bot", None): "return_to_bot",
    ("owner", "closed", None): "close",
    ("survey", None, None): "survey",
}
TRANSFERS = {"transferred", "agent_gone", "agent_away"}


def rows(database: Path, query: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of the database as it is on disk."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def violations(database: Path, removed: Container[int] = ()) -> list[str]:
    """Every way in which the database breaks a promise; empty when all is well.

    ``removed`` are numbers of the ledger whose rows a demo made and took away again: they alone may be missing.
    """
    return [*_gaps(database), *_outcomes(database), *_ledger(database), *_counters(database, removed)]


def _gaps(database: Path) -> Iterator[str]:
    """Numbers of a conversation's events run from 1 to its ``last``, each once."""
    seen = Counter[str]()
    for row in rows(database, "SELECT conversation_id, seq FROM events ORDER BY conversation_id, seq"):
        seen[row["conversation_id"]] += 1
        if row["seq"] != seen[row["conversation_id"]]:
            yield f"{row['conversation_id']}: event {row['seq']} where {seen[row['conversation_id']]} was next"
    for row in rows(database, "SELECT id, last FROM conversations"):
        if row["last"] != seen[row["id"]]:
            yield f"{row['id']}: last is {row['last']}, there are {seen[row['id']]} events"


def _outcomes(database: Path) -> Iterator[str]:
    """Each message of a customer has one turn, and each turn one outcome."""
    messages = {(row["conversation_id"], row["seq"]) for row in rows(database, "SELECT * FROM events WHERE sender = 'customer' AND type = 'message'")}
    turns = rows(database, "SELECT conversation_id, seq, outcome FROM turns")
    if messages != {(turn["conversation_id"], turn["seq"]) for turn in turns}:
        yield "messages and turns are not the same"
    for turn in turns:
        if turn["outcome"] is None:
            yield f"{turn['conversation_id']}: message {turn['seq']} has no outcome"
    for row in rows(
        database,
        "SELECT conversation_id, client_id, sender, count(*) AS times FROM events WHERE client_id IS NOT NULL GROUP BY 1, 2, 3 HAVING times > 1",
    ):
        yield f"{row['conversation_id']}: client_id {row['client_id']} is there {row['times']} times"


def _ledger(database: Path) -> Iterator[str]:
    """Each event has exactly one touchpoint that says the same, and no touchpoint names an event that is not there."""
    events = {(row["conversation_id"], row["seq"]): row for row in rows(database, "SELECT * FROM events")}
    recorded = Counter[tuple[str, int]]()
    query = "SELECT t.*, c.visitor_id AS visitor FROM touchpoints t LEFT JOIN conversations c ON c.id = t.conversation_id"
    for row in rows(database, query):
        number = json.loads(row["data"]).get("event")
        if number is None:
            continue
        key = (row["conversation_id"], number)
        recorded[key] += 1
        if key not in events:
            yield f"touchpoint {row['id']} names event {key}, which is not there"
            continue
        yield from _differences(events[key], row)
    for key in events:
        if recorded[key] != 1:
            yield f"event {key} has {recorded[key]} touchpoints"


def _differences(event: dict[str, Any], touchpoint: dict[str, Any]) -> Iterator[str]:
    data = json.loads(event["data"])
    about = data.get("author") if event["type"] == "message" else data.get("owner")
    kind = KINDS.get((event["type"], about, data.get("outcome"))) or KINDS.get((event["type"], about, None), "answer")
    if data.get("reason") in TRANSFERS:
        kind = "transfer"
    wanted = {"kind": kind, "actor": event["sender"].partition(":")[0], "at": event["at"], "visitor_id": touchpoint["visitor"]}
    if sources := data.get("sources"):
        wanted |= {"article": sources[0]["slug"], "confidence": sources[0]["confidence"], "outcome": data["outcome"]}
    for name, value in wanted.items():
        if touchpoint[name] != value:
            yield f"event {event['conversation_id']}/{event['seq']}: {name} is {touchpoint[name]!r} in the ledger, {value!r} by the event"


def _counters(database: Path, removed: Container[int]) -> Iterator[str]:
    """Recorded order has no gap but for what was removed, and no number was given out that is not there."""
    numbers = [row["seq"] for row in rows(database, "SELECT seq FROM touchpoints ORDER BY seq")]
    (counter,) = rows(database, "SELECT value FROM counters WHERE name = 'touchpoint'")
    if numbers != [number for number in range(1, counter["value"] + 1) if number not in removed]:
        yield "the ledger's numbers have a gap or a repeat"
