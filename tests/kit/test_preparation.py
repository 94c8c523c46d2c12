"""What is set up, and what of it is spared, repaired or taken away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kit import interpreters
from kit.errors import InterpreterMissing
from kit.preparation import data_steps, environment_steps, named_for, only_one_set_up, remove_unless_whole
from kit.settings import ROOT, Settings


def environment(folder: Path) -> interpreters.Interpreter:
    """A virtual environment as the set-up makes one, but with nothing in it."""
    python = interpreters.ask(sys.executable)
    assert python is not None
    subprocess.run([str(python.path), "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    return python


def test_a_whole_environment_stays(tmp_path: Path) -> None:
    """Its stamp says that its installation came to its end."""
    python = environment(tmp_path / "venv")
    (tmp_path / "stamp").touch()
    remove_unless_whole(tmp_path / "venv", tmp_path / "stamp", python)
    assert (tmp_path / "venv" / "bin" / "python").exists()


def test_an_installation_cut_off_is_begun_anew(tmp_path: Path) -> None:
    """Without a stamp nobody knows what is missing in it."""
    python = environment(tmp_path / "venv")
    remove_unless_whole(tmp_path / "venv", tmp_path / "stamp", python)
    assert not (tmp_path / "venv").exists()
    remove_unless_whole(tmp_path / "venv", tmp_path / "stamp", python)


def test_an_environment_whose_python_is_gone_is_begun_anew(tmp_path: Path) -> None:
    """As after an upgrade of the system or a version removed from pyenv."""
    python = environment(tmp_path / "venv")
    (tmp_path / "stamp").touch()
    (tmp_path / "venv" / "bin" / "python").unlink()
    (tmp_path / "venv" / "bin" / "python").symlink_to("/nowhere/python")
    remove_unless_whole(tmp_path / "venv", tmp_path / "stamp", python)
    assert not (tmp_path / "venv").exists()


def test_of_a_python_in_an_environment_the_one_beneath_is_taken(tmp_path: Path) -> None:
    """An activated environment would otherwise be the base of its own successor."""
    python = environment(tmp_path / "venv")
    assert interpreters.ask(str(tmp_path / "venv" / "bin" / "python")) == python


def test_each_half_is_made_of_its_own_lines() -> None:
    """A pin of Rasa's half does not make the web half set up anew, and a comment neither of them."""
    web, bot = named_for(interpreters.WEB), named_for(interpreters.BOT)
    assert any(line.startswith("torch==2.13.0") for line in web)
    assert not any(line.startswith(("rasa==", "#")) for line in web)
    assert any(line.startswith("rasa==3.6.21") for line in bot)
    assert not any(line.startswith("torch==") for line in bot)


def test_everything_named_is_pinned_to_one_version() -> None:
    """requirements.txt and constraints.txt hold exact versions only, and what the one names has the same version in the other."""
    for need in (interpreters.WEB, interpreters.BOT):
        pins = [line.partition(" ;")[0] for line in named_for(need)]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^*=<>]+", pin) for pin in pins)
        assert len(set(pins)) == len({pin.partition("==")[0] for pin in pins})


def test_the_dialogue_model_waits_for_the_export(tmp_path: Path) -> None:
    """Rasa's features are the exported model's vectors."""
    steps = {step.name: step for step in data_steps(Settings(var=tmp_path))}
    assert set(steps["train"].after) == {"bot-environment", "export"}
    assert "export" in steps["index"].after
    before = steps["train"].inputs()
    (tmp_path / "embedding").mkdir()
    (tmp_path / "embedding" / "manifest.json").write_text("another model")
    assert steps["train"].inputs() != before


def test_a_missing_python_is_told_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With nothing on PATH, in pyenv or from uv, no step is even made."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    with pytest.raises(InterpreterMissing, match=r"Python 3\.11 is missing"):
        environment_steps()


def test_a_second_set_up_waits_for_the_first() -> None:
    """`make run` and `make test` started together do not install into one folder at once."""
    code = "from kit.preparation import only_one_set_up\nwith only_one_set_up(lambda text: print(text, flush=True)): print('mine', flush=True)"
    said: list[str] = []
    with only_one_set_up(said.append):
        second = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert "waiting" in second.stdout.readline()
        assert second.poll() is None
    try:
        assert second.stdout.readline() == "mine\n"
        assert second.wait(10) == 0
    finally:
        second.kill()
        second.wait()
        second.stdout.close()
    assert said == []


def make(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60)


def test_a_wrong_setting_stops_the_command_with_one_sentence(tmp_path: Path) -> None:
    """Exit code, and no traceback."""
    done = make("run", TOUCHDESK_VAR=str(tmp_path), TOUCHDESK_PORT="eighty")
    assert done.returncode != 0
    assert "TOUCHDESK_PORT='eighty': wanted a port" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    """Even the search for a first Python ends in words."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    text = (ROOT / "kit" / "find_python.sh").read_text().replace("/usr/bin/python3", "/nowhere/python3")
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        env={"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "pyenv install 3.11 3.10" in done.stderr


def test_any_new_enough_python_can_run_the_kit() -> None:
    """The one found is a Python, not a shim that may refuse later."""
    found = subprocess.run(["sh", "kit/find_python.sh"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    assert interpreters.ask(found) is not None
    assert "shims" not in found
