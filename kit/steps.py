"""Steps of the set-up: each is run when what it is made from has changed, and those that do not wait for each other run side by side."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.errors import StepFailed
from kit.settings import ROOT


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Step:
    """Commands that make ``outputs`` from what ``inputs`` stands for.

    ``inputs`` is asked when the steps named in ``after`` are done. ``stamp`` keeps its answer from the last time the step came to its end; it is
    taken away before the first command, so a step cut off is done again. ``prepare`` is called before that, and so still sees the stamp.
    """

    name: str
    says: str
    commands: Sequence[Sequence[str]]
    inputs: Callable[[], str]
    stamp: Path
    outputs: tuple[Path, ...] = ()
    after: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = _nothing
    limit_s: float = 1800.0


def fingerprint(*parts: Path | str) -> str:
    """SHA-256 over texts and files (a folder: every file below it, by name); bytecode left out, a missing file counts as such."""
    digest = hashlib.sha256()
    for part in parts:
        for name, content in [("", part.encode())] if isinstance(part, str) else _files(part):
            digest.update(json.dumps([name, hashlib.sha256(content).hexdigest()]).encode())
    return digest.hexdigest()


def _files(path: Path) -> Iterable[tuple[str, bytes]]:
    if path.is_dir():
        inside = sorted(entry for entry in path.rglob("*") if entry.is_file() and "__pycache__" not in entry.parts)
        return [(str(entry.relative_to(path)), entry.read_bytes()) for entry in inside]
    return [(path.name, path.read_bytes() if path.exists() else b"missing")]


def is_done(step: Step) -> bool:
    """True if the step came to its end with these same inputs and its outputs are still there."""
    try:
        return step.stamp.read_text(encoding="utf-8") == step.inputs() and all(path.exists() for path in step.outputs)
    except OSError:
        return False


class _Running:
    """One step under way: its commands, one after another, in process groups of their own so that they can be ended whole."""

    def __init__(self, step: Step, log: Path) -> None:
        self.step, self.log, self.began = step, log, time.monotonic()
        self._left = list(step.commands)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.step.prepare()
        self.step.stamp.unlink(missing_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        self._next()

    def _next(self) -> None:
        with open(self.log, "ab") as said:
            environment = {**os.environ, **self.step.environment}
            self._process = subprocess.Popen(
                self._left.pop(0), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )

    def is_over(self) -> bool:
        """Go on to the next command if it is time. Raises `StepFailed`."""
        code = self._process.poll() if self._process else None
        if code is None and time.monotonic() - self.began < self.step.limit_s:
            return False
        if code != 0:
            self.end()
            raise StepFailed(self.step.says, self.log, self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        if self._left:
            self._next()
            return False
        self.step.stamp.parent.mkdir(parents=True, exist_ok=True)
        self.step.stamp.write_text(self.step.inputs(), encoding="utf-8")
        return True

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(3)


def run_steps(steps: Sequence[Step], log_folder: Path, say: Callable[[str], None]) -> dict[str, float]:
    """Run what has to be run; gives back the seconds each took. Whatever ends this call also ends the commands under way.

    Raises `StepFailed`.
    """
    waiting, done, took = list(steps), set[str](), dict[str, float]()
    running: list[_Running] = []
    try:
        while waiting or running:
            for step in [step for step in waiting if done.issuperset(set(step.after) & {other.name for other in steps})]:
                waiting.remove(step)
                if is_done(step):
                    done.add(step.name)
                    continue
                say(f"  {step.says} ...")
                running.append(_Running(step, log_folder / f"setup-{step.name}.log"))
                running[-1].start()  # listed before it is started, so that an interruption finds it
            for current in [current for current in running if current.is_over()]:
                running.remove(current)
                took[current.step.name] = time.monotonic() - current.began
                say(f"  {current.step.says}: done in {took[current.step.name]:.0f} s")
                done.add(current.step.name)
            if running:
                time.sleep(0.05)
    finally:
        for current in running:
            current.end()
    return took
