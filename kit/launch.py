"""Become a program of the kit: write its pid file, then replace this process by it.

``python -m kit.launch TABLE NAME`` reads command, environment and folder from a JSON table that only the owner may read, so no
secret stands on a command line, and none in the supervisor's configuration.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.process_table import read_process

MOST_FILES = 65536  # one stream is one open socket; the usual soft limit of 1,024 would be the first to be met


def write_table(path: Path, table: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the programs that can be launched, for the owner's eyes only."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(table, out)


def pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pid"


def write_pid(folder: Path, name: str, pid: int) -> None:
    """Record ``{"pid", "started"}``; whoever reads it sees the whole record or the one before."""
    process = read_process(pid)
    path = pid_file(folder, name)
    temporary = path.with_name(f"{path.name}.{pid}")
    temporary.write_text(json.dumps({"pid": pid, "started": process.started if process else 0}), encoding="utf-8")
    temporary.replace(path)


def raise_file_limit() -> None:
    """Allow as many open files as the system lets this user have, up to `MOST_FILES`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def launch(table: Path, name: str) -> None:
    """Never returns: the program takes over this process, its pid and its open files."""
    program = json.loads(table.read_text(encoding="utf-8"))[name]
    raise_file_limit()
    write_pid(table.parent, name, os.getpid())
    os.chdir(program["folder"])
    os.execve(program["command"][0], program["command"], program["environment"])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    launch(Path(sys.argv[1]), sys.argv[2])
