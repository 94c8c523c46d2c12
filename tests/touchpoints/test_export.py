"""The ledger as files: what a spreadsheet, a program and a process-mining tool get to read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from tests.touchpoints.entries import NOON, touchpoint
from touchpoints.export import COLUMNS, FORMATS, as_csv, as_jsonl, as_row, as_xes
from touchpoints.ledger import Ledger
from touchpoints.model import Recorded
from touchpoints.schema import touchpoints

XES = "{http://www.xes-standard.org/}"


def recorded(seq: int, **values: object) -> Recorded:
    return Recorded(seq=seq, recorded_at=NOON + timedelta(seconds=seq), touchpoint=touchpoint(id=f"t{seq}", **values))


ANSWER = recorded(
    1,
    kind="answer",
    visitor_id="ada",
    conversation_id="c",
    actor="bot",
    article="a&b",
    outcome='"sure" <so>',
    confidence=0.5,
    latency_ms=12,
    data={"event": 2},
)
VISIT = recorded(2)
PAGES = [[ANSWER, VISIT], [recorded(3, visitor_id="ada", kind="phone_call", channel="phone")]]


def rows(pages: list[list[Recorded]]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(as_csv(pages)), newline="")))


def traces(pages: list[list[Recorded]]) -> list[ElementTree.Element]:
    log = ElementTree.fromstring("".join(as_xes(pages)))
    assert log.tag == f"{XES}log"
    return log.findall(f"{XES}trace")


def values(element: ElementTree.Element) -> dict[str, str]:
    return {child.attrib["key"]: child.attrib["value"] for child in element if "key" in child.attrib}


def test_a_row_has_every_column_of_the_ledger() -> None:
    """All of them, under their names, with times that everybody reads; that a row is made up is said in its data."""
    row = as_row(ANSWER)
    assert list(row) == list(COLUMNS)
    assert set(COLUMNS) == set(touchpoints.columns.keys()) - {"demo"}
    assert (row["at"], row["recorded_at"]) == ("2026-11-21T12:00:00+00:00", "2026-11-21T12:00:01+00:00")
    assert (row["seq"], row["data"], row["emotion"]) == (1, {"event": 2}, None)


def test_json_lines_hold_a_touchpoint_each() -> None:
    """Page by page, each line a whole object, every line ended."""
    lines = "".join(as_jsonl(PAGES)).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [as_row(entry) for page in PAGES for entry in page]


def test_csv_has_a_heading_and_a_line_each() -> None:
    """What is not known is empty; quotes and commas survive."""
    table = rows(PAGES)
    assert list(table[0]) == list(COLUMNS)
    assert [row["id"] for row in table] == ["t1", "t2", "t3"]
    assert (table[0]["outcome"], table[0]["confidence"], json.loads(table[0]["data"])) == ('"sure" <so>', "0.5", {"event": 2})
    assert (table[1]["visitor_id"], table[1]["article"], table[1]["latency_ms"]) == ("", "", "")


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-2", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("http://thief.example","click")'])
def test_no_cell_runs_as_a_formula(text: str) -> None:
    """A customer's words stay words in a spreadsheet."""
    assert rows([[recorded(1, outcome=text)]])[0]["outcome"] == f"'{text}"


def test_words_that_are_no_formula_stay_as_they_are() -> None:
    """Nothing else gets a quote."""
    table = rows([[recorded(1, outcome="1=1, so", article="a-b")]])
    assert (table[0]["outcome"], table[0]["article"]) == ("1=1, so", "a-b")


def test_a_process_mining_tool_sees_cases_and_activities() -> None:
    """The visitor is the case, the kind is the activity; names, times and the rest are where such tools look."""
    found = traces(PAGES)
    assert [values(trace)["concept:name"] for trace in found] == ["ada", "anonymous-2", "ada"]
    events = [trace.findall(f"{XES}event") for trace in found]
    assert [len(event) for event in events] == [1, 1, 1]
    assert values(events[0][0]) == {
        "concept:name": "answer",
        "org:resource": "bot",
        "stage": "awareness",
        "channel": "web",
        "outcome": '"sure" <so>',
        "article": "a&b",
        "conversation": "c",
        "time:timestamp": "2026-11-21T12:00:00+00:00",
    }
    assert set(values(events[1][0])) == {"concept:name", "org:resource", "stage", "channel", "time:timestamp"}


@pytest.mark.parametrize(("name", "empty"), [("csv", ",".join(COLUMNS) + "\r\n"), ("jsonl", "")])
def test_an_empty_ledger_is_an_empty_file(name: str, empty: str) -> None:
    """A heading where the form has one, and nothing else."""
    _, written = FORMATS[name]
    assert "".join(written([])) == empty


def test_an_empty_ledger_is_a_whole_xes_log() -> None:
    """It names what its keys mean, and has no trace."""
    log = ElementTree.fromstring("".join(as_xes([])))
    assert [child.attrib["prefix"] for child in log] == ["concept", "time", "org"]


def test_pages_are_written_as_they_are_read() -> None:
    """No export waits for the end of the ledger, so none needs the memory for it."""
    taken: list[int] = []

    def pages() -> Iterator[list[Recorded]]:
        for number, page in enumerate(PAGES):
            taken.append(number)
            yield page

    lines = as_jsonl(pages())
    next(lines)
    assert taken == [0]


def test_what_was_recorded_comes_out_in_every_form(ledger: Ledger) -> None:
    """From the database to the file, whatever the words are."""
    words = 'caf\u00e9 \U0001f6dc, "quoted"\r\n<b>bold</b> & more'
    ledger.article_feedback("router-red-light", False, words)
    assert json.loads("".join(as_jsonl(ledger.pages())))["data"] == {"reason": words}
    (row,) = rows(list(ledger.pages()))
    assert json.loads(row["data"]) == {"reason": words}
    (trace,) = traces(list(ledger.pages()))
    assert values(trace[1])["article"] == "router-red-light"


def test_each_form_says_what_it_is() -> None:
    """The media type goes with the writer."""
    assert {"csv": ("text/csv", as_csv), "jsonl": ("application/x-ndjson", as_jsonl), "xes": ("application/xml", as_xes)} == FORMATS
