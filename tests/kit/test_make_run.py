"""`make run` itself, as typed at a terminal: with real parts, on ports and in a var folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from kit.leftovers import leftovers
from kit.processes import copy_prepared, trial_settings
from kit.settings import ROOT, Settings, as_environment, read_settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A var folder as an earlier `make run` has left it, but for the database."""
    var, prepared = tmp_path_factory.mktemp("var"), read_settings().var
    copy_prepared(prepared, var)
    shutil.copytree(prepared / "stamps", var / "stamps")
    return trial_settings(var)


def make_run(settings: Settings) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal gives it one."""
    environment = {**os.environ, **as_environment(settings)}
    return subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What is said up to and with the line that holds ``text``, or to the end."""
    said = ""
    for line in process.stdout or ():
        said += line
        if text in line:
            break
    return said


@pytest.fixture
def running(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A kit that is ready, and what it has said so far; stopped by Ctrl-C if the test has not done so."""
    process = make_run(settings)
    try:
        yield process, read_until(process, "Ctrl-C stops everything")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=30)


def page(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(answer.status)


@pytest.mark.timeout(180)
def test_one_command_from_a_terminal(running: tuple[subprocess.Popen[str], str], settings: Settings) -> None:
    """It is ready within 30 s, tells its addresses and the first account, keeps a second one away, and leaves nothing behind after Ctrl-C."""
    process, said = running
    ready = re.search(r"Ready after (\d+) s", said)
    assert ready, said
    assert int(ready.group(1)) <= 30
    addresses = dict(re.findall(r"(Shop page|Help centre|Desk) +(http\S+)", said))
    assert set(addresses) == {"Shop page", "Help centre", "Desk"}
    assert [page(address) for address in addresses.values()] == [200, 200, 200]
    assert re.search(r"First staff account: \S+@\S+ with the password \S{8,}", said)

    second = make_run(settings)
    refusal = second.communicate(timeout=60)[0]
    assert second.returncode != 0
    assert f"already runs from {settings.var}" in refusal
    assert page(addresses["Help centre"]) == 200

    os.killpg(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=20)[0]
    assert "Stopped." in rest
    assert process.returncode in (0, 2, 130, -signal.SIGINT)
    assert leftovers(settings.var) == []
