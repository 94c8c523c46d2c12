"""Web processes that are there at once: forked from one that has everything imported and has done nothing yet.

Each fork is web as it is run, ``widget.__main__.main`` in a process of its own, which may be killed like any other; only the second that Python
takes to read its modules is saved. ``python -m tests.faults.web_forks`` takes one JSON object a line and answers with one.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from kit.failpoints import arm
from kit.settings import ROOT, Settings, as_environment

PDEATHSIG = 1
CAPABILITY_VERSION = 0x20080522
CAP_DAC_OVERRIDE = 1


class Forks:
    """The process that forks, from ``with`` to its end; its forks end with it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Forks:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.web_forks"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def fork(self, settings: Settings, **options: Any) -> Fork:
        """Start a web. Options: ``point`` and ``passes`` (see `kit.failpoints.arm`), ``largest_file`` (bytes), ``clock`` (a file that holds the
        seconds by which this web's wall clock is off), ``obedient`` (the permissions of files hold for it even if it is root's)."""
        environment = {**as_environment(settings), "TOUCHDESK_VAR": str(settings.var)}
        log = str(settings.var / "web.log")
        return Fork(self, int(self._ask("fork", environment=environment, log=log, **options)["pid"]))

    def ended(self, pid: int, timeout_s: float) -> int | None:
        """The exit code of a fork, negative for a signal; None while it lives on."""
        code: int | None = self._ask("wait", pid=pid, timeout_s=timeout_s)["code"]
        return code

    def _ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@dataclass
class Fork:
    """One web process."""

    forks: Forks = field(repr=False)
    pid: int
    code: int | None = None

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its end: the exit code, or None when it still lives."""
        if self.code is None:
            self.code = self.forks.ended(self.pid, timeout_s)
        return self.code

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        if self.wait(0) is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.send(signal.SIGKILL)
        assert self.wait(10) is not None

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.send(signal.SIGTERM)
        code = self.wait(25)
        if code is None:
            self.kill()
            raise AssertionError("web did not stop when asked")
        return code


class _Server:
    """The other side: forks, waits, answers."""

    def __init__(self) -> None:
        self._alive: set[int] = set()
        self._codes: dict[int, int] = {}

    def serve(self) -> None:
        for line in iter(sys.stdin.readline, ""):
            request = json.loads(line)
            do = request.pop("do")
            answer = {"pid": self._fork(**request)} if do == "fork" else {"code": self._wait(**request)}
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
        for pid in list(self._alive):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self, environment: dict[str, str], log: str, **options: Any) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = _become_web(parent, environment, log, **options)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        self._alive.add(pid)
        # Numbers come back after some ten thousand processes: how an earlier one ended says nothing of this one.
        self._codes.pop(pid, None)
        return pid

    def _wait(self, pid: int, timeout_s: float) -> int | None:
        end_at = time.monotonic() + timeout_s
        while pid not in self._codes:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._alive.discard(pid)
                self._codes[pid] = os.waitstatus_to_exitcode(status)
            elif time.monotonic() >= end_at:
                return None
            else:
                select.select([], [], [], 0.004)
        return self._codes[pid]


def _become_web(
    parent: int,
    environment: dict[str, str],
    log: str,
    *,
    point: str | None = None,
    passes: int = 0,
    largest_file: int | None = None,
    clock: str | None = None,
    obedient: bool = False,
) -> int:
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    os.environ.update(environment)
    told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(told, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if point is not None:
        arm(point, passes)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    if obedient:
        _obey_permissions()
    from widget import __main__ as web

    return web.main(**({"wall": _off_by(Path(clock))} if clock else {}))


def _obey_permissions() -> None:
    """Give up root's right to write where permissions forbid it; others have no such right, and nothing happens."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) or (sets.__setitem__(0, sets[0] & ~(1 << CAP_DAC_OVERRIDE)), libc.capset(header, sets))[1]:
        raise OSError(ctypes.get_errno(), "capabilities cannot be changed")


def _off_by(file: Path) -> Any:
    """A wall clock that is off by as many seconds as the file says."""
    return lambda: time.time() + float(file.read_text(encoding="utf-8") or 0)


def main() -> None:
    """Import what web is made of, and serve."""
    import widget.__main__  # noqa: F401

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Server().serve()


if __name__ == "__main__":
    main()
