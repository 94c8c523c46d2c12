"""The running kit, with stand-ins for its programs under a real supervisord."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kit.errors import AlreadyRunning, PortsTaken, ProcessFailed, SettingError
from kit.leftovers import leftovers
from kit.ports import is_listening
from kit.process_table import read_process
from kit.processes import RunningKit, copy_prepared, trial_settings
from tests.kit.stand_ins import DIES, HAS_CHILD, STUBBORN, listening, script, web_and_search


def eventually(is_so: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Whether it becomes so in time."""
    end_at = time.monotonic() + within_s
    while time.monotonic() < end_at:
        if is_so():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    return read_process(pid) is not None


def started_kit(var: Path) -> RunningKit:
    settings = trial_settings(var)
    return RunningKit(settings, programs=web_and_search(settings))


def test_all_programs_are_started_and_all_are_stopped(tmp_path: Path) -> None:
    """Within the `with` every part answers; after it not one process is left."""
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        pids = [kit.pid(name) for name in ("supervisord", "web", "search")]
        assert all(pid is not None and alive(pid) for pid in pids)
        assert kit.readiness().ready
        assert "listening" in kit.log("web")
    assert not any(pid is not None and alive(pid) for pid in pids)
    assert leftovers(tmp_path) == []


def test_a_killed_program_comes_back_alone(tmp_path: Path) -> None:
    """Its neighbours keep their pids, and it is back within seconds, however often."""
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        web = kit.pid("web")
        for _ in range(3):
            old = kit.kill("search")
            assert kit.wait_restarted("search", old) != old
        kit.wait_ready(15)
        assert kit.pid("web") == web


def test_a_program_that_dies_at_once_is_tried_again_and_named(tmp_path: Path) -> None:
    """The rest runs on, and its words are in its log."""
    settings = trial_settings(tmp_path)
    with RunningKit(settings, programs=[listening("search", settings.search_port), script("rasa", DIES)]) as kit:
        assert eventually(lambda: kit.control.states()["rasa"] == "BACKOFF")
        assert eventually(lambda: kit.log("rasa").count("no database") >= 2)
        assert eventually(lambda: kit.listening()["search"])


def test_a_program_can_be_away_for_a_while(tmp_path: Path) -> None:
    """`control.stop` keeps it away, `control.start` brings it back; asked twice does no harm."""
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        kit.control.stop("search")
        kit.control.stop("search")
        assert kit.pid("search") is None
        assert kit.readiness().waiting_for == {"search": "does not listen"}
        with pytest.raises(ProcessFailed, match="search is not running"):
            kit.kill("search")
        kit.control.start("search")
        kit.control.start("search")
        kit.wait_ready(15)


def test_a_late_part_is_named_with_its_log(tmp_path: Path) -> None:
    """Waiting in vain says for whom."""
    settings = trial_settings(tmp_path)
    late = replace(script("search", STUBBORN), port=settings.search_port)
    with RunningKit(settings, programs=[listening("rasa", settings.rasa_port), late]) as kit:
        assert eventually(lambda: "deaf" in kit.log("search"))
        with pytest.raises(ProcessFailed, match=r"search is not ready \(does not listen\):\ndeaf"):
            kit.wait_ready(1)


def test_what_will_not_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    """Stopping ends whole groups and is bounded in time."""
    settings = trial_settings(tmp_path)
    with RunningKit(settings, programs=[script("stubborn", STUBBORN), script("parent", HAS_CHILD)]) as kit:
        assert eventually(lambda: "deaf" in kit.log("stubborn") and kit.log("parent").strip().isdigit())
        child = int(kit.log("parent"))
        pids = [kit.pid("stubborn"), child]
        began = time.monotonic()
    assert time.monotonic() - began < 15
    assert not any(pid is not None and alive(pid) for pid in pids)


def test_a_second_kit_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """It names the pid of the first, which goes on undisturbed."""
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        with pytest.raises(AlreadyRunning, match=rf"already runs from {tmp_path} \(pid {os.getpid()}\)"), started_kit(tmp_path):
            pass
        assert kit.readiness().ready


def test_a_taken_port_is_refused_with_its_holder(tmp_path: Path) -> None:
    """Nothing is started, and the message names port, pid and command."""
    settings = trial_settings(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", listening("x", 1).command[2], str(settings.search_port)])
    try:
        assert eventually(lambda: is_listening(settings.search_port))
        with pytest.raises(PortsTaken) as refusal, RunningKit(settings, programs=web_and_search(settings)):
            pass
        assert set(refusal.value.taken) == {settings.search_port}
        assert f"Port {settings.search_port} is taken by pid {holder.pid}: {sys.executable}" in str(refusal.value)
        assert leftovers(tmp_path) == []
    finally:
        holder.kill()
        holder.wait()


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next_start(tmp_path: Path) -> None:
    """kill -9 of supervisord leaves its children listening; the next kit ends them and takes their ports."""
    settings = trial_settings(tmp_path)
    first = RunningKit(settings, programs=web_and_search(settings))
    with first:
        first.wait_ready(15)
        orphans = [first.pid("web"), first.pid("search")]
        first.kill("supervisord")
        assert eventually(lambda: not first.supervisor_is_alive())
        assert all(pid is not None and alive(pid) for pid in orphans)
        found = first.end_leftovers()
        assert sorted(process.pid for process in found) == sorted(pid for pid in orphans if pid)
        first.start()
        first.wait_ready(15)
        assert first.pid("web") not in orphans


def test_a_foreign_process_is_never_taken_for_a_leftover(tmp_path: Path) -> None:
    """A pid file whose number belongs to somebody else by now ends nobody, and neither does the var folder in somebody's environment."""
    environment = {**os.environ, "TOUCHDESK_VAR": str(tmp_path)}
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env=environment)
    try:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "web.pid").write_text(json.dumps({"pid": stranger.pid, "started": 12345}))
        (tmp_path / "run" / "rasa.pid").write_text("not a record")
        assert leftovers(tmp_path) == []
        with started_kit(tmp_path) as kit:
            kit.wait_ready(15)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_secrets_stand_neither_on_command_lines_nor_where_others_can_read(tmp_path: Path) -> None:
    """They reach the programs by their environment, from a file of the owner's."""
    settings = trial_settings(tmp_path, inner_secret="deeply hidden", signing_key="also hidden")
    with RunningKit(settings, programs=[listening("web", settings.port, {"TOUCHDESK_INNER_SECRET": settings.inner_secret})]) as kit:
        kit.wait_ready(15)
        with urllib.request.urlopen(kit.url, timeout=5) as answer:
            told = json.load(answer)
        assert told["TOUCHDESK_INNER_SECRET"] == "deeply hidden"
        assert told["TOUCHDESK_VAR"] == str(tmp_path)
        for name in ("supervisord", "web"):
            process = read_process(kit.pid(name) or 0)
            assert process is not None
            assert "hidden" not in " ".join(process.command)
        configuration = tmp_path / "supervisord.conf"
        assert configuration.stat().st_mode & 0o777 == 0o600
        assert "hidden" not in configuration.read_text()
        assert (tmp_path / "run" / "programs.json").stat().st_mode & 0o777 == 0o600


def test_settings_of_this_process_do_not_leak_into_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program is told its settings one by one; what happens to be exported here is not among them."""
    monkeypatch.setenv("TOUCHDESK_SITES", "https://elsewhere.example")
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        with urllib.request.urlopen(kit.url, timeout=5) as answer:
            assert "TOUCHDESK_SITES" not in json.load(answer)


def test_a_var_folder_with_a_long_name_will_do(tmp_path: Path) -> None:
    """A Unix socket's address is short, but does not bound the folder's name."""
    with started_kit(tmp_path / ("a folder, 'quoted' " * 6)) as kit:
        kit.wait_ready(15)
        assert eventually(lambda: kit.control.states() == {"web": "RUNNING", "search": "RUNNING"})


@pytest.mark.parametrize("name", ["100%", "a;b", "c #d"])
def test_a_folder_that_supervisord_cannot_work_in_is_refused(tmp_path: Path, name: str) -> None:
    """Better a plain sentence than a configuration that is read as another one."""
    with pytest.raises(SettingError, match="holds one of the signs"), started_kit(tmp_path / name):
        pass


def test_another_signal_than_kill_can_be_sent(tmp_path: Path) -> None:
    """A program that hangs (SIGSTOP) is still there, but silent."""
    with started_kit(tmp_path) as kit:
        kit.wait_ready(15)
        pid = kit.kill("search", signal.SIGSTOP)
        assert kit.pid("search") == pid
        kit.kill("search", signal.SIGCONT)
        kit.wait_ready(15)


def test_prepared_data_is_taken_over_without_copying(tmp_path: Path) -> None:
    """Model, index and embedding are linked, pointers included; nothing else comes along."""
    prepared = tmp_path / "prepared"
    (prepared / "index" / "g1").mkdir(parents=True)
    (prepared / "index" / "g1" / "vectors").write_text("1 2 3")
    (prepared / "index" / "current").write_text("g1")
    (prepared / "touchdesk.sqlite").write_text("somebody's conversations")
    copy_prepared(prepared, tmp_path / "trial")
    linked = tmp_path / "trial" / "index" / "g1" / "vectors"
    assert linked.samefile(prepared / "index" / "g1" / "vectors")
    assert sorted(path.name for path in (tmp_path / "trial").iterdir()) == ["index"]
