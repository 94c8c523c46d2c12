"""What runs on this machine: processes by pid, and who holds a port. Read from /proc; elsewhere than on Linux the answers are empty.

A process is known by its pid *and* the moment it started, since a pid alone may belong to somebody else by now.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"  # state column of /proc/net/tcp


@dataclass(frozen=True)
class Process:
    """One live process. ``started`` is in clock ticks since boot; ``environment`` is that of its start, empty where it may not be read."""

    pid: int
    group: int
    started: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def read_process(pid: int) -> Process | None:
    """The process with this pid; None if there is none or it has ended and only waits to be collected."""
    folder = PROC / str(pid)
    try:
        # The name in the second column may hold blanks and brackets: what follows the last bracket is safe to split.
        columns = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        command = _texts(folder / "cmdline")
    except (OSError, ValueError):
        return None
    if not columns or columns[0] in "ZX":
        return None
    environment: dict[str, str] = {}
    with contextlib.suppress(OSError):
        environment = dict(text.partition("=")[::2] for text in _texts(folder / "environ") if "=" in text)
    return Process(pid, int(columns[2]), int(columns[19]), command, environment)


def processes() -> Iterator[Process]:
    """All live processes."""
    for pid in _pids():
        process = read_process(pid)
        if process is not None:
            yield process


def is_alive(process: Process) -> bool:
    """True while this very process, not a later one with its pid, is there."""
    now = read_process(process.pid)
    return now is not None and now.started == process.started


def port_holder(port: int) -> str:
    """Who listens on a TCP port of this machine, in words."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for pid in _pids() if wanted else ():
        if wanted & set(_open_files(pid)):
            process = read_process(pid)
            if process is not None:
                return f"pid {pid}: {shlex.join(process.command)[:200]}"
    return "another program (this user may not see which)" if PROC.is_dir() else "another program"


def _pids() -> Iterator[int]:
    if PROC.is_dir():
        yield from sorted(int(entry) for entry in os.listdir(PROC) if entry.isdigit())


def _texts(path: Path) -> tuple[str, ...]:
    return tuple(part.decode("utf-8", "replace") for part in path.read_bytes().split(b"\0") if part)


def _open_files(pid: int) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for entry in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(entry.readlink())


def _listening_inodes(port: int) -> Iterator[str]:
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / name).read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]
