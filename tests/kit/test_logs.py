"""The log: lines that a machine reads, nothing of what customers wrote, and nobody who waits for it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kit.logs import LAST_LINES_S, Heard, Lines, Patient, chain, customers_are_served, told
from kit.settings import ROOT

CANARY = "zq7canary"


@pytest.fixture
def lines() -> Lines:
    """The lines of a program that serves customers."""
    formatter = Lines("web")
    formatter.libraries_may_speak = False
    return formatter


def record(logger: str, level: int, message: str, *arguments: Any, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    """What a logger would hand on."""
    info = (type(error), error, error.__traceback__) if error is not None else None
    made = logging.LogRecord(logger, level, "/somewhere/desk/turns.py", 12, message, arguments, info)
    made.__dict__.update(told(**fields))
    return made


def raised(function: Callable[[], Any]) -> BaseException:
    """The exception that a function ends with, its places with it."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is
        function()
    return caught.value


def test_a_line_says_when_who_what_and_whatever_stands_beside_it(lines: Lines) -> None:
    """One JSON object in one line, the time in UTC, fields as they were given."""
    written = lines.format(record("desk.turns", logging.WARNING, "turn %s/%d\nis late", "abc", 3, conversation="abc", ms=12))
    assert "\n" not in written
    line = json.loads(written)
    assert line.pop("at").endswith("Z")
    expected = {"level": "WARNING", "program": "web", "logger": "desk.turns", "event": "turn abc/3\nis late", "conversation": "abc", "ms": 12}
    assert line == expected


def test_an_exception_leaves_types_and_places_and_none_of_its_words(lines: Lines) -> None:
    """Neither those of the exception, nor of its cause, nor of one that was handed to the message."""

    def answer() -> None:
        try:
            int(CANARY)
        except ValueError as cause:
            raise KeyError(CANARY) from cause

    error = raised(answer)
    written = lines.format(record("widget.errors", logging.ERROR, "it broke: %s", error, error=error))
    assert CANARY not in written
    line = json.loads(written)
    assert line["event"] == "it broke: KeyError"
    assert [told.partition(" ")[0] for told in line["error"]] == ["KeyError", "ValueError"]
    assert "answer (kit/test_logs.py:" in line["error"][0]


def test_a_chain_that_bites_its_tail_ends(lines: Lines) -> None:
    """Exceptions may be linked in a ring."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert chain(one) == [one, two]


def test_words_of_libraries_are_told_at_the_start_and_left_out_once_customers_are_served() -> None:
    """What keeps a process from starting must be readable; afterwards only where it was said is kept."""
    formatter = Lines("rasa")
    foreign = record("rasa.core.agent", logging.ERROR, f"no model for {CANARY}")
    assert json.loads(formatter.format(foreign))["event"] == f"no model for {CANARY}"
    formatter.libraries_may_speak = False
    line = json.loads(formatter.format(foreign))
    assert (line["logger"], line["place"]) == ("rasa.core.agent", "turns:12")
    assert CANARY not in json.dumps(line)


def test_libraries_are_heard_from_warnings_on() -> None:
    """Their news is none of ours; our own is."""
    heard = Heard()
    assert not heard.filter(record("sanic.access", logging.INFO, "a request"))
    assert heard.filter(record("sanic.root", logging.WARNING, "a warning"))
    assert heard.filter(record("desk.turns", logging.INFO, "ours"))


def test_serving_is_told_to_the_handlers_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """`customers_are_served` reaches the lines that `start_logging` set up, and leaves other handlers alone."""
    ours, other = logging.StreamHandler(), logging.StreamHandler()
    ours.setFormatter(Lines("web"))
    monkeypatch.setattr(logging.getLogger(), "handlers", [ours, other])
    customers_are_served()
    assert isinstance(ours.formatter, Lines)
    assert not ours.formatter.libraries_may_speak


@pytest.fixture
def sink(lines: Lines) -> Iterator[tuple[int, Patient]]:
    """The end of a pipe to read from, and a handler that writes into it; its lines are gone before the descriptors are."""
    reads, writes = os.pipe()
    handler = Patient(writes)
    handler.setFormatter(lines)
    yield reads, handler
    os.close(reads)
    handler.flush()
    os.close(writes)


def test_a_sink_that_nobody_reads_holds_nobody_up(sink: tuple[int, Patient]) -> None:
    """Twenty thousand lines into a full pipe: each is handed over at once, and each is read later or told as dropped."""
    reads, handler = sink
    took = []
    for number in range(20_000):
        before = time.monotonic()
        handler.handle(record("desk.turns", logging.INFO, "line %d", number))
        took.append(time.monotonic() - before)
    assert sorted(took)[-10] < 0.1  # nine for what else the machine does
    read = dropped = 0
    with os.fdopen(os.dup(reads)) as said:
        while read + dropped < 20_000:
            line = json.loads(said.readline())
            dropped += line.get("dropped", 0)
            read += line["event"].startswith("line ")
    assert read + dropped == 20_000
    assert 5000 < read < 15_000


def test_a_closed_sink_is_borne(lines: Lines) -> None:
    """Nobody reads any more: there is no place to tell of it, and all else goes on."""
    reads, writes = os.pipe()
    os.close(reads)
    handler = Patient(writes)
    handler.setFormatter(lines)
    handler.handle(record("desk.turns", logging.INFO, "to nobody"))
    began = time.monotonic()
    handler.flush()
    assert time.monotonic() - began < LAST_LINES_S
    os.close(writes)


def test_a_record_that_cannot_be_formatted_breaks_nothing(sink: tuple[int, Patient]) -> None:
    """It is counted as dropped; the next line comes."""
    reads, handler = sink
    handler.handle(record("desk.turns", logging.INFO, "%d things", "no number"))
    handler.handle(record("desk.turns", logging.INFO, "after it"))
    handler.flush()
    said = os.read(reads, 1 << 16).decode()
    assert "after it" in said
    assert '"dropped": 1' in said


PROCESS = f"""
import logging, threading, warnings
from kit.logs import customers_are_served, start_logging
start_logging("search")
customers_are_served()
logging.getLogger("desk.turns").info("ours")
warnings.warn("{CANARY}")
thread = threading.Thread(target=lambda: int("{CANARY}"))
thread.start(); thread.join()
raise RuntimeError("{CANARY}")
"""


def test_whatever_breaks_off_in_a_process_is_a_line_too() -> None:
    """A warning, an exception in a thread and the one that ends the process: all as lines, none with its words, none lost at the end."""
    ended = subprocess.run([sys.executable, "-c", PROCESS], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert CANARY not in ended.stderr + ended.stdout
    said = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["logger"] for line in said] == ["desk.turns", "py.warnings", "kit.logs", "kit.logs"]
    assert [line["error"][0].partition(" ")[0] for line in said[2:]] == ["ValueError", "RuntimeError"]


def test_both_halves_have_the_same_log() -> None:
    """The half on Python 3.10 imports nothing of the other; its log is the same file."""
    for package in ("bot", "actions"):
        assert (ROOT / package / "logs.py").resolve() == ROOT / "kit" / "logs.py"
