"""The foreground of `make run`: what it says, and what its signals, its crashes and foreign ports lead to. Stand-ins for the programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit.errors import AlreadyRunning, PortsTaken
from kit.leftovers import leftovers
from kit.process_table import processes
from kit.processes import RunningKit, trial_settings
from kit.service import serve
from kit.settings import ROOT
from tests.kit.stand_ins import web_and_search

SERVE = """
import sys
from pathlib import Path
from kit.__main__ import say
from kit.processes import RunningKit, trial_settings
from kit.service import serve
from kit.steps import Step, run_steps
from tests.kit.stand_ins import web_and_search
var = Path(sys.argv[1])
settings = trial_settings(var)
def quick(kit, say):
    kit.account = {"email": "ada@example.com", "password": "once-only"}
def slow(kit, say):
    command = [sys.executable, "-c", "import time; time.sleep(600)", str(var)]
    run_steps([Step("slow", "Slow set-up", [command], str, var / "stamp")], var / "log", say)
serve(RunningKit(settings, programs=web_and_search(settings)), say, quick if sys.argv[2] == "quick" else slow)
"""


def run(var: Path, *numbers: signal.Signals, wait_for: str = "Ctrl-C stops", set_up: str = "quick") -> tuple[int, str]:
    """Serve in a process of its own, which gets these signals once it says ``wait_for``; its exit code and all its words."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(var), set_up], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if wait_for in line:
                time.sleep(0.3)  # to be in the middle of it
                for number in numbers:
                    process.send_signal(number)
                    time.sleep(0.05)
        return process.wait(30), "".join(said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("numbers", [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT, signal.SIGINT, signal.SIGINT)])
def test_one_signal_stops_everything_in_good_order(tmp_path: Path, numbers: tuple[signal.Signals, ...]) -> None:
    """Addresses and account are shown; then Ctrl-C, SIGTERM, a closed terminal, or an impatient row of them ends all processes with exit code 0."""
    code, said = run(tmp_path, *numbers)
    assert code == 0, said
    for text in ("/shop", "/help", "/desk", "ada@example.com", "once-only", "Ready after", "Stopped."):
        assert text in said
    assert leftovers(tmp_path) == []


def test_after_kill_nine_of_the_kit_itself_the_next_run_cleans_up(tmp_path: Path) -> None:
    """The dead one's programs still run; the next one finds them by pid, ends them, says so, and serves."""
    code, _ = run(tmp_path, signal.SIGKILL)
    assert code == -signal.SIGKILL
    left = leftovers(tmp_path)
    assert {process.environment["KIT_PROGRAM"] for process in left} == {"supervisord", "web", "search"}
    code, said = run(tmp_path, signal.SIGINT)
    assert code == 0
    assert "Ended what an earlier run had left" in said
    assert all(f"pid {process.pid}" in said for process in left)
    assert leftovers(tmp_path) == []


def test_ctrl_c_during_the_set_up_ends_what_it_was_doing(tmp_path: Path) -> None:
    """Nothing is started, nothing runs on, and the step is not taken for done."""
    code, said = run(tmp_path, signal.SIGINT, wait_for="Slow set-up", set_up="slow")
    assert code == 0
    assert said.endswith("Stopped.\n")
    assert "Starting" not in said
    assert not (tmp_path / "stamp").exists()
    assert not [process for process in processes() if str(tmp_path) in process.command]


def test_a_taken_port_stops_the_run_before_any_set_up(tmp_path: Path) -> None:
    """One does not wait minutes for an installation to learn of it, and the var folder is free again."""
    settings = trial_settings(tmp_path)
    steps: list[str] = []
    kit = RunningKit(settings, programs=web_and_search(settings))
    with (
        socket.create_server(("127.0.0.1", settings.rasa_port)),
        pytest.raises(PortsTaken, match=f"Port {settings.rasa_port} is taken by pid {os.getpid()}"),
    ):
        serve(kit, steps.append, lambda kit, say: steps.append("set up"))
    assert steps == []
    kit.lock()
    kit.stop()


def test_a_second_run_is_refused_before_any_set_up(tmp_path: Path) -> None:
    """And does not touch the processes of the first."""
    settings = trial_settings(tmp_path)
    with RunningKit(settings, programs=web_and_search(settings)) as first:
        first.wait_ready(15)
        with pytest.raises(AlreadyRunning):
            serve(RunningKit(settings), print, lambda kit, say: pytest.fail("set up"))
        assert first.readiness().ready
