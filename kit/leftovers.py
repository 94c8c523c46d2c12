"""Processes of an earlier run that was killed: found by their pid files and their mark, made sure of, and ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from kit.errors import ProcessFailed
from kit.process_table import Process, is_alive, processes

MARK = "KIT_PROGRAM"  # set for every program that the kit starts, with its name; no TOUCHDESK_ name, since it is no setting


def leftovers(var: Path) -> list[Process]:
    """Live processes that a kit with this var folder started, this process and its ancestors' other work excluded.

    One is ours if its start carried our mark with this var folder, or if a pid file names both its pid and the moment it started.
    """
    recorded = set(recorded_processes(var / "run"))
    return [process for process in processes() if _is_marked(process, var) or (process.pid, process.started) in recorded]


def recorded_processes(folder: Path) -> list[tuple[int, int]]:
    """Pid and start of every pid file; one that cannot be read counts for nothing."""
    found = []
    for path in sorted(folder.glob("*.pid")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(path.read_text(encoding="utf-8"))
            found.append((int(record["pid"]), int(record["started"])))
    return found


def end(victims: Iterable[Process], patience_s: float = 8.0) -> None:
    """Ask each process to stop, and kill what has not after ``patience_s``. Raises `ProcessFailed` if one outlives even that."""
    alive = list(victims)
    for process in alive:
        _send(process, signal.SIGTERM)
    alive = _wait_for_end(alive, patience_s)
    for process in alive:
        _send(process, signal.SIGKILL)
    alive = _wait_for_end(alive, 5.0)
    if alive:
        raise ProcessFailed(f"Process {alive[0].pid} of an earlier run cannot be ended: {' '.join(alive[0].command)[:200]}")


def _is_marked(process: Process, var: Path) -> bool:
    return MARK in process.environment and process.environment.get("TOUCHDESK_VAR") == str(var)


def _send(process: Process, number: signal.Signals) -> None:
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _wait_for_end(alive: list[Process], patience_s: float) -> list[Process]:
    end_at = time.monotonic() + patience_s
    while alive and time.monotonic() < end_at:
        time.sleep(0.05)
        alive = [process for process in alive if is_alive(process)]
    return alive
