"""The log of every process: one JSON object a line on standard error, which never holds up what it tells of.

    {"at": "2026-11-21T22:08:31.123Z", "level": "WARNING", "program": "web", "logger": "desk.turns", "event": "turn …", …}

``event`` is what our own code says; ``fields`` given with ``extra=told(...)`` stand beside it, and ``error`` is the chain of types of an
exception with the places it came through. What an exception of somebody else says, and what a library logs once customers are served, is
left out: either could hold a customer's words, their e-mail address or a token, and no list of patterns would find them all. Where the
line comes from is always there.

Each half of the kit has this file: ``bot/logs.py`` and ``actions/logs.py`` are links to it. It needs the standard library alone.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

OURS = frozenset({"kit", "knowledge_base", "touchpoints", "desk", "widget", "demo", "bot", "actions", "__main__"})
MOST_LINES = 5000
"""Lines that wait for a sink that does not take them; more are dropped and counted. About 1 MiB."""
LONGEST_EVENT = 2000
MOST_PLACES = 12
LAST_LINES_S = 1.0
"""How long the end of a process waits for its last lines to be taken."""


def told(**fields: Any) -> dict[str, Any]:
    """Fields of a line, for ``extra=``: ids, counts, names of routes; never what somebody wrote."""
    return {"told": fields}


class Lines(logging.Formatter):
    """Turns records into lines. `libraries_may_speak` is true until customers are served: what went wrong at a start is told whole."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self.program = program
        self.libraries_may_speak = True

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object, without line breaks whatever is in it."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"at": at, "level": record.levelname, "program": self.program, "logger": record.name}
        if is_ours(record.name) or self.libraries_may_speak:
            line["event"] = _event(record)[:LONGEST_EVENT]
        else:
            line["place"] = f"{record.module}:{record.lineno}"
        line.update(getattr(record, "told", {}))
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = [trace(error) for error in chain(record.exc_info[1])]
        return json.dumps(line, ensure_ascii=True, default=lambda value: type(value).__name__)


class Heard(logging.Filter):
    """Lets our own lines through from INFO on, those of libraries from WARNING on."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is worth a line."""
        return record.levelno >= logging.WARNING or is_ours(record.name)


class Patient(logging.Handler):
    """Hands lines to a thread that writes them to a file descriptor; whoever logs never waits, even for a pipe that nobody reads."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str] = queue.Queue(MOST_LINES)
        self._dropped = 0
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; past the limit it is dropped and counted."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._dropped += 1
        except (TypeError, ValueError, KeyError, AttributeError):  # cannot be formatted; that must not break its sender
            self._dropped += 1

    def flush(self) -> None:
        """Wait until all is written, for at most `LAST_LINES_S`."""
        end_at = time.monotonic() + LAST_LINES_S
        while self._lines.unfinished_tasks and time.monotonic() < end_at:
            time.sleep(0.01)  # a queue can be waited for without an end only

    def _write_all(self) -> None:
        while True:
            line = self._lines.get()
            self._write(line)
            self.acquire()  # lines are handed over under the same lock, so none goes uncounted
            dropped, self._dropped = self._dropped, 0
            self.release()
            if dropped:
                record = logging.LogRecord("kit.logs", logging.WARNING, "", 0, "lines were dropped: nobody took them", None, None)
                record.__dict__.update(told(dropped=dropped))
                self._write(self.format(record))
            self._lines.task_done()

    def _write(self, line: str) -> None:
        left = f"{line}\n".encode()
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except OSError:  # nobody reads any more, or no space is left: there is no place to tell of it
                return


def start_logging(program: str, descriptor: int = 2) -> None:
    """Send all that is logged, warned of or broken off in this process to standard error, as lines."""
    root = logging.getLogger()
    handler = Patient(descriptor)
    handler.setFormatter(Lines(program))
    handler.addFilter(Heard())
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _broke_off
    threading.excepthook = lambda broken: _broke_off(broken.exc_type, broken.exc_value, broken.exc_traceback)
    atexit.register(handler.flush)


def customers_are_served() -> None:
    """From now on what libraries say may hold a customer's words, and is left out."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Lines):
            handler.formatter.libraries_may_speak = False


def is_ours(logger: str) -> bool:
    """Whether a logger belongs to the kit."""
    return logger.partition(".")[0] in OURS


def chain(error: BaseException) -> list[BaseException]:
    """An exception and what caused it, the last one first."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return found


def trace(error: BaseException) -> str:
    """Type of an exception and the last places it came through, ``StoreError at answer (desk/turns.py:12) < …``, without its words."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_name} ({'/'.join(code.co_filename.rsplit('/', 2)[-2:])}:{step.tb_lineno})")
        step = step.tb_next
    return " < ".join([f"{type(error).__name__} at {places.pop()}" if places else type(error).__name__, *places[:-MOST_PLACES:-1]])


def _event(record: logging.LogRecord) -> str:
    """What is said, exceptions of others in it by their type alone."""
    if not is_ours(record.name):
        return record.getMessage()
    arguments = record.args
    if isinstance(arguments, Mapping):
        shown: Any = {name: _shown(value) for name, value in arguments.items()}
    else:
        shown = tuple(_shown(value) for value in arguments or ())
    return str(record.msg) % shown if shown else str(record.msg)


def _shown(value: Any) -> Any:
    if isinstance(value, BaseException) and not is_ours(type(value).__module__):
        return type(value).__name__
    return value


def _broke_off(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("kit.logs").critical("broke off", exc_info=(kind, error, where) if error is not None else None)
