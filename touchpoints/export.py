"""The ledger as a stream in three forms: CSV, JSON lines, and XES (IEEE 1849), which process-mining tools read."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from touchpoints.model import Recorded

COLUMNS = (
    "seq",
    "id",
    "at",
    "recorded_at",
    "visitor_id",
    "conversation_id",
    "stage",
    "channel",
    "kind",
    "actor",
    "article",
    "outcome",
    "confidence",
    "emotion",
    "latency_ms",
    "data",
)
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""How a cell begins that a spreadsheet may run: blanks before it are passed over, and some take the full-width signs for the plain ones."""


def as_row(recorded: Recorded) -> dict[str, Any]:
    """A touchpoint as a JSON object; times in ISO 8601."""
    values = {"seq": recorded.seq, "recorded_at": recorded.recorded_at.isoformat(), **vars(recorded.touchpoint)}
    values["at"] = recorded.touchpoint.at.isoformat()
    return {name: values[name] for name in COLUMNS}


def as_jsonl(pages: Iterable[list[Recorded]]) -> Iterator[str]:
    """One JSON object a line."""
    for page in pages:
        yield "".join(json.dumps(as_row(recorded)) + "\n" for recorded in page)


def as_csv(pages: Iterable[list[Recorded]]) -> Iterator[str]:
    """A heading line, then a line each; a text that a spreadsheet would run as a formula gets a quote before it."""
    yield ",".join(COLUMNS) + "\r\n"
    for page in pages:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerows([_cell(value) for value in as_row(recorded).values()] for recorded in page)
        yield out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        value = json.dumps(value)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def as_xes(pages: Iterable[list[Recorded]]) -> Iterator[str]:
    """One trace an entry with the visitor as ``concept:name`` of the case: importers join traces of one name."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0" xmlns="http://www.xes-standard.org/">\n'
    yield '<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>\n'
    yield '<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>\n'
    yield '<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>\n'
    for page in pages:
        yield "".join(_trace(recorded) for recorded in page)
    yield "</log>\n"


def _trace(recorded: Recorded) -> str:
    entry = recorded.touchpoint
    case = entry.visitor_id or f"anonymous-{recorded.seq}"
    shown: dict[str, str | None] = {"concept:name": entry.kind, "org:resource": entry.actor, "stage": entry.stage, "channel": entry.channel}
    shown |= {"outcome": entry.outcome, "article": entry.article, "conversation": entry.conversation_id}
    strings = "".join(f"<string key={quoteattr(key)} value={quoteattr(value)}/>" for key, value in shown.items() if value)
    time = f'<date key="time:timestamp" value={quoteattr(entry.at.isoformat())}/>'
    return f'<trace><string key="concept:name" value={quoteattr(case)}/><event>{strings}{time}</event></trace>\n'


FORMATS: dict[str, tuple[str, Callable[[Iterable[list[Recorded]]], Iterator[str]]]] = {
    "csv": ("text/csv", as_csv),
    "jsonl": ("application/x-ndjson", as_jsonl),
    "xes": ("application/xml", as_xes),
}
"""Media type and writer of each form."""
