"""Finding the two Pythons, played with small scripts that claim to be one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kit import interpreters
from kit.errors import InterpreterMissing
from kit.interpreters import BOT, WEB, find, pyenv_versions


def claims_to_be(folder: Path, name: str, version: str) -> str:
    """A command that answers as a Python of this version would."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {version}\necho {path}\n")
    path.chmod(0o755)
    return str(path)


def does_not_run(folder: Path, name: str) -> str:
    """As pyenv's shim of a version that is not installed, or a Debian Python without its venv package."""
    path = folder / name
    path.write_text("#!/bin/sh\necho 'No module named ensurepip' >&2\nexit 1\n")
    path.chmod(0o755)
    return str(path)


def test_the_first_that_works_and_has_the_version_is_taken(tmp_path: Path) -> None:
    """A broken one and one of another version are passed over."""
    commands = [does_not_run(tmp_path, "a"), claims_to_be(tmp_path, "b", "3.9.1"), claims_to_be(tmp_path, "c", "3.10.13")]
    found = find(BOT, candidates=lambda version: commands)
    assert (found.path, found.version) == (tmp_path / "c", "3.10.13")


def test_a_newer_python_will_do_for_web_if_the_best_is_missing(tmp_path: Path) -> None:
    """The versions are tried best first."""
    newer = claims_to_be(tmp_path, "python3.12", "3.12.1")
    assert find(WEB, candidates=lambda version: [newer] if version == "3.12" else []).version == "3.12.1"


def test_a_missing_python_is_named_with_the_ways_to_get_it(tmp_path: Path) -> None:
    """The error says which, why, how to get it, and what was found but cannot be used."""
    broken = does_not_run(tmp_path, "python3.10")
    with pytest.raises(InterpreterMissing) as refusal:
        find(BOT, candidates=lambda version: [broken])
    for text in (
        "Python 3.10 is missing",
        "Rasa",
        "pyenv install 3.10",
        "uv python install 3.10",
        "apt-get install python3.10 python3.10-venv",
        broken,
    ):
        assert text in str(refusal.value)


def test_three_one_is_not_three_ten(tmp_path: Path) -> None:
    """Versions are compared by number, not by how they begin."""
    commands = [claims_to_be(tmp_path, "a", "3.1.4"), claims_to_be(tmp_path, "b", "3.100.0")]
    with pytest.raises(InterpreterMissing):
        find(BOT, candidates=lambda version: commands)


def test_pyenv_has_its_newest_patch_first(tmp_path: Path) -> None:
    """Its versions are found without its shims, and 3.10.9 is older than 3.10.13."""
    for version in ("3.10.9", "3.10.13", "3.11.2", "3.10-dev"):
        (tmp_path / "versions" / version).mkdir(parents=True)
    assert [Path(found).parent.parent.name for found in pyenv_versions("3.10", tmp_path)] == ["3.10.13", "3.10.9"]


def test_uv_finds_a_python_or_fetches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither PATH nor pyenv has one, uv is asked, first for what it has and then to get it."""
    python = claims_to_be(tmp_path, "fetched", "3.10.13")
    has_it = tmp_path / "installed"
    (tmp_path / "uv").write_text(f'#!/bin/sh\ncase "$2" in install) : > {has_it};; find) [ -e {has_it} ] && echo {python};; esac\n')
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert list(interpreters.all_candidates("3.10")) == [python]
    assert find(BOT).version == "3.10.13"


def test_this_python_describes_itself() -> None:
    """The probe runs on a real Python."""
    found = interpreters.ask(sys.executable)
    assert found is not None
    assert found.version == ".".join(map(str, sys.version_info[:3]))


def test_what_is_not_a_python_is_none() -> None:
    """Neither an absent command nor one that answers something else is an error."""
    assert interpreters.ask("/nowhere/python") is None
    assert interpreters.ask("/bin/echo") is None
