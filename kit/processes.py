"""The kit's processes as one thing that can be started, watched, hurt and stopped: by `make run`, and by tests of the whole.

with RunningKit(trial_settings(folder), prepared=var) as kit:
    kit.wait_ready()
    kit.kill("rasa")
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from kit.errors import AlreadyRunning, ProcessFailed
from kit.launch import pid_file, write_table
from kit.leftovers import MARK, end, leftovers
from kit.ports import free_ports, is_listening, refuse_taken
from kit.process_table import Process, read_process
from kit.programs import WEB_PYTHON, Program, inherited, program_table, web_half
from kit.readiness import Readiness, ask_ready
from kit.settings import PREFIX, ROOT, Settings, with_secrets
from kit.supervision import LONGEST_SOCKET_PATH, Control, log_file, render

SUPERVISOR = "supervisord"
PREPARED = ("embedding", "index", "rasa")


def lock_folder(var: Path) -> IO[str]:
    """Take a var folder for this process, until what is given back is closed. Raises `AlreadyRunning`, with the other's pid."""
    for name in ("run", "log"):
        (var / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = open(var / "run" / "kit.lock", "a+", encoding="utf-8")  # noqa: SIM115 - held until the kit stops
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as cause:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        told = f"Touchdesk already runs from {var} (pid {pid}). Stop it first, or set TOUCHDESK_VAR to another folder."
        raise AlreadyRunning(told) from cause
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def trial_settings(var: Path, **changes: Any) -> Settings:
    """Settings for a kit of one's own: this var folder, free ports, and what ``changes`` names (fields of `Settings`)."""
    port, rasa, actions, search = free_ports(4)
    settings = Settings(var=var.resolve(), port=port, rasa_port=rasa, actions_port=actions, search_port=search)
    return replace(settings, **changes)


def copy_prepared(prepared: Path, var: Path) -> None:
    """Give ``var`` the model, index and embedding of a var folder that is set up. Files are linked: each of them is replaced whole, never changed."""
    for name in PREPARED:
        if (prepared / name).is_dir() and not (var / name).exists():
            shutil.copytree(prepared / name, var / name, symlinks=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target


def initialise_desk(settings: Settings) -> dict[str, str] | None:
    """Bring the database up to date and make the first staff account if there is none: its email and password, or None.

    Raises `ProcessFailed` with what the command said.
    """
    account = {PREFIX + "ADMIN_EMAIL": settings.admin_email, PREFIX + "ADMIN_PASSWORD": settings.admin_password}
    environment = {**inherited(), **web_half(settings), **{name: value for name, value in account.items() if value}}
    try:
        done = subprocess.run(
            [str(WEB_PYTHON), "-m", "desk", "init"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        created: dict[str, str] | None = json.loads(done.stdout.strip().splitlines()[-1])["created"]
    except subprocess.CalledProcessError as cause:
        raise ProcessFailed(f"The database could not be set up:\n{cause.stderr.strip()[-3000:]}") from cause
    except (subprocess.TimeoutExpired, ValueError, KeyError, IndexError) as cause:
        raise ProcessFailed(f"The database could not be set up: {cause!r}") from cause
    return created


class RunningKit:
    """All programs of the kit under one supervisord, from ``with`` to its end.

    ``only`` names the programs to start; ``programs`` replaces the table. ``prepared`` is a var folder already set up, whose model, index
    and embedding are taken over, and whose use also sets up the database. Leftovers of an earlier run in the same var folder are ended first.
    """

    def __init__(
        self, settings: Settings, *, programs: Sequence[Program] | None = None, only: Sequence[str] | None = None, prepared: Path | None = None
    ) -> None:
        self.settings = with_secrets(settings)
        table = program_table(self.settings) if programs is None else tuple(programs)
        self.programs = tuple(program for program in table if only is None or program.name in only)
        self.var = settings.var
        self.account: dict[str, str] | None = None
        self._prepared = prepared
        self._lock: IO[str] | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._control_folder: tempfile.TemporaryDirectory[str] | None = None
        self._control: Control | None = None

    def __enter__(self) -> RunningKit:
        try:
            self.lock()
            self.end_leftovers()
            if self._prepared is not None:
                copy_prepared(self._prepared, self.var)
                self.account = initialise_desk(self.settings)
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.settings.web_url

    @property
    def control(self) -> Control:
        """supervisord's control: `stop` and `start` a program by name, `states` of all."""
        if self._control is None:
            raise ProcessFailed("The kit is not started")
        return self._control

    def lock(self) -> None:
        """Take the var folder for this process. Raises `AlreadyRunning`, with the other's pid, if somebody has it.

        The system gives the lock back when its holder dies in whatever way, so it tells a running kit from leftovers.
        """
        self._lock = self._lock or lock_folder(self.var)

    def end_leftovers(self) -> list[Process]:
        """End what an earlier run left behind; gives back what it was. Only for the holder of the lock."""
        found = leftovers(self.var)
        end(found)
        for path in (self.var / "run").glob("*.pid"):
            path.unlink(missing_ok=True)
        return found

    def start(self) -> None:
        """Start supervisord, and by it all programs. Raises `PortsTaken`, or `ProcessFailed` if supervisord does not come up."""
        host = self.settings.host
        refuse_taken((host if program.name == "web" else "127.0.0.1", program.port) for program in self.programs if program.port)
        table = self.var / "run" / "programs.json"
        control, configuration = self._control_path(), self.var / "supervisord.conf"
        write_table(table, {SUPERVISOR: self._supervisor_entry(configuration), **{program.name: self._entry(program) for program in self.programs}})
        configuration.unlink(missing_ok=True)
        configuration.touch(mode=0o600)
        configuration.write_text(render(self.programs, var=self.var, control=control, table=table), encoding="utf-8")
        self._control = Control(control)
        with open(log_file(self.var, "start"), "wb") as said:
            # Its own session: Ctrl-C reaches only this process, which then stops the others in good order.
            self._supervisor = subprocess.Popen(
                [str(WEB_PYTHON), "-m", "kit.launch", str(table), SUPERVISOR],
                cwd=ROOT, env=inherited(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )  # fmt: skip
        self._wait_for_supervisor(15.0)

    def stop(self) -> None:
        """Stop everything and give the var folder free. Web first, so that turns under way end with rasa and search still there."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            with contextlib.suppress(ProcessFailed):
                if any(program.name == "web" for program in self.programs):
                    self.control.stop("web")
            supervisor.terminate()
            try:
                supervisor.wait(max(program.stop_s for program in self.programs) + 3)
            except subprocess.TimeoutExpired:
                supervisor.kill()
                supervisor.wait()
            self.end_leftovers()
        if self._control_folder is not None:
            self._control_folder.cleanup()
            self._control_folder = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def supervisor_is_alive(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    def pid(self, name: str) -> int | None:
        """Pid of a program (or of ``supervisord``); None while it is not there."""
        try:
            record = json.loads(pid_file(self.var / "run", name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        process = read_process(record["pid"])
        return process.pid if process is not None and process.started == record["started"] else None

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a program at once; gives back the pid it had. Raises `ProcessFailed` if it is not there."""
        pid = self.pid(name)
        if pid is None:
            raise ProcessFailed(f"{name} is not running")
        os.kill(pid, number)
        return pid

    def wait_restarted(self, name: str, old_pid: int, timeout_s: float = 20.0) -> int:
        """Wait until supervisord has a killed program back (started, not yet ready); gives back the new pid."""
        end_at = time.monotonic() + timeout_s
        while time.monotonic() < end_at:
            pid = self.pid(name)
            if pid is not None and pid != old_pid:
                return pid
            time.sleep(0.02)  # supervisord tells nobody; it can only be asked
        raise ProcessFailed(f"{name} was not started again within {timeout_s} s")

    def listening(self) -> dict[str, bool]:
        """Whether each program that has a port accepts connections."""
        return {program.name: is_listening(program.port) for program in self.programs if program.port}

    def readiness(self) -> Readiness:
        """What web says of itself and the others now; without web, whether every port is open."""
        silent = {name: "does not listen" for name, up in self.listening().items() if not up}
        if silent or not any(program.name == "web" for program in self.programs):
            return Readiness(not silent, silent)
        return ask_ready(self.url)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until every part answers. Raises `ProcessFailed` that names the parts which do not, with the end of their logs."""
        end_at = time.monotonic() + timeout_s
        state = self.readiness()
        while not state.ready:
            if time.monotonic() > end_at:
                raise ProcessFailed("\n".join(f"{name} is not ready ({why}):\n{self.log(name)[-1500:]}" for name, why in state.waiting_for.items()))
            time.sleep(0.1)  # readiness can only be asked for
            state = self.readiness()

    def log(self, name: str) -> str:
        """All that a program has said since its log file was begun."""
        with contextlib.suppress(OSError):
            return log_file(self.var, name).read_text(encoding="utf-8", errors="replace")
        return ""

    def _entry(self, program: Program) -> dict[str, Any]:
        environment = {**inherited(), **program.environment, MARK: program.name, PREFIX + "VAR": str(self.var)}
        return {**asdict(program), "environment": environment, "folder": str(ROOT)}

    def _supervisor_entry(self, configuration: Path) -> dict[str, Any]:
        command = (str(WEB_PYTHON), "-m", "supervisor.supervisord", "-n", "-c", str(configuration))
        return self._entry(Program(SUPERVISOR, command))

    def _control_path(self) -> Path:
        path = self.var / "run" / "supervisor.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        self._control_folder = self._control_folder or tempfile.TemporaryDirectory(prefix="touchdesk-")
        return Path(self._control_folder.name) / "supervisor.sock"

    def _wait_for_supervisor(self, timeout_s: float) -> None:
        end_at = time.monotonic() + timeout_s
        while not self.control.is_up():
            if not self.supervisor_is_alive() or time.monotonic() > end_at:
                raise ProcessFailed(f"supervisord did not start:\n{self.log('start')[-2000:]}")
            time.sleep(0.05)  # it makes its socket some time after its start and tells nobody
