"""supervisord: its configuration as text, and its control over the socket in the var folder."""

from __future__ import annotations

import http.client
import os
import shlex
import socket
import xmlrpc.client
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kit.errors import ProcessFailed, SettingError
from kit.programs import WEB_PYTHON, Program
from kit.settings import ROOT

GROUP = "touchdesk"
LONGEST_SOCKET_PATH = 90  # a Unix socket's address has 108 bytes, and supervisord appends its pid while it makes one


def render(programs: Iterable[Program], *, var: Path, control: Path, table: Path) -> str:
    """The configuration: restarts without end, whole groups stopped, one log file a program.

    The delay between two tries of a program that dies in its first second grows by a second each time, so `startretries` is a number that is
    not reached. All programs form one group, because supervisord stops groups one after another but the programs of a group together.
    """
    programs = list(programs)
    sections = [
        _section("unix_http_server", file=control, chmod="0700"),
        _section(
            "supervisord",
            nodaemon="true",
            silent="true",
            identifier=GROUP,
            directory=ROOT,
            umask="077",
            pidfile=var / "run" / "supervisord.number",
            logfile=var / "log" / "supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups=2,
            **({"user": "root"} if os.getuid() == 0 else {}),  # says that root is meant; otherwise a warning at each start
        ),
        _section("rpcinterface:supervisor", **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"}),
        *(_program_section(program, var=var, table=table) for program in programs),
        _section(f"group:{GROUP}", programs=",".join(program.name for program in programs)),
    ]
    return "\n".join(sections)


def _program_section(program: Program, *, var: Path, table: Path) -> str:
    return _section(
        f"program:{program.name}",
        command=shlex.join([str(WEB_PYTHON), "-m", "kit.launch", str(table), program.name]),
        autostart="true",
        autorestart="true",
        startsecs=1,
        startretries=1000000,
        stopwaitsecs=program.stop_s,
        stopasgroup="true",
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=log_file(var, program.name),
        stdout_logfile_maxbytes="10MB",
        stdout_logfile_backups=3,
    )


def log_file(var: Path, name: str) -> Path:
    return var / "log" / f"{name}.log"


def _section(title: str, **values: object) -> str:
    """Raises `SettingError` for a value that its format cannot hold: supervisord reads % in some values once and in others twice."""
    for value in values.values():
        if set(str(value)) & set("%;#\n"):
            raise SettingError(f"The kit cannot be run from, or keep its data in, a folder whose name holds one of the signs % ; #: {value}")
    return "\n".join([f"[{title}]", *(f"{key}={value}" for key, value in values.items()), ""])


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.timeout)
            sock.connect(str(self._path))
        except OSError:
            sock.close()
            raise
        self.sock = sock


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path, self._timeout_s = path, timeout_s

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _UnixConnection(self._path, self._timeout_s)
        self._connection = (host, connection)  # where `close` looks for it
        return connection


class Control:
    """supervisord's own calls, each with a timeout. Raises `ProcessFailed` when it does not answer or refuses."""

    def __init__(self, path: Path, timeout_s: float = 20.0) -> None:
        self._path, self._timeout_s = path, timeout_s

    def is_up(self) -> bool:
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except ProcessFailed:
            return False

    def states(self) -> dict[str, str]:
        """State of each program in supervisord's words: STARTING, RUNNING, BACKOFF, STOPPED, EXITED ..."""
        return {info["name"]: info["statename"] for info in self._call("getAllProcessInfo")}

    def stop(self, name: str) -> None:
        """Stop a program and wait until it has ended; it stays stopped. One that does not run is left so."""
        self._call("stopProcess", f"{GROUP}:{name}", forgiven="NOT_RUNNING")

    def start(self, name: str) -> None:
        """Start a stopped program, without waiting until it is ready."""
        self._call("startProcess", f"{GROUP}:{name}", False, forgiven="ALREADY_STARTED")

    def _call(self, method: str, *arguments: object, forgiven: str = "") -> Any:
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self._path, self._timeout_s)) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if forgiven and fault.faultString.startswith(forgiven):
                return None
            raise ProcessFailed(f"supervisord refused {method} {arguments}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as cause:
            raise ProcessFailed(f"supervisord does not answer {method}: {cause}") from cause
