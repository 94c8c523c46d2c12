"""Finding a Python of a wanted version: on PATH (where pyenv's shims obey .python-version), among pyenv's versions, or through uv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.errors import InterpreterMissing
from kit.settings import ROOT

# venv and ensurepip are what Debian keeps in a package of its own. Of a Python in a virtual environment, such as an activated .venv that may be
# about to be made anew, the one beneath is meant.
PROBE = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3]); print(getattr(sys, '_base_executable', sys.executable))"


@dataclass(frozen=True)
class Need:
    """A half of the kit and the versions it runs on, best first."""

    half: str
    why: str
    versions: tuple[str, ...]


WEB = Need("web", "web, search and the tests need it", ("3.11", "3.12", "3.13"))
BOT = Need("bot", "Rasa 3.6 needs it and runs on nothing newer", ("3.10",))


@dataclass(frozen=True)
class Interpreter:
    """A Python that works and can make virtual environments; ``version`` like 3.11.7."""

    path: Path
    version: str


def ask(command: str) -> Interpreter | None:
    """What a Python says of itself; None if it does not run or cannot make virtual environments."""
    try:
        done = subprocess.run([command, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
        version, executable = done.stdout.split("\n")[:2]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Interpreter(Path(executable), version) if re.fullmatch(r"\d+\.\d+\.\d+", version) else None


def find(need: Need, *, candidates: Callable[[str], Iterable[str]] | None = None) -> Interpreter:
    """The first Python that fits. Raises `InterpreterMissing`, which names it and how to get it."""
    looked_at = []
    for version in need.versions:
        for command in (candidates or all_candidates)(version):
            looked_at.append(command)
            found = ask(command)
            if found is not None and found.version.startswith(f"{version}."):
                return found
    raise InterpreterMissing(missing_text(need, looked_at))


def missing_text(need: Need, looked_at: Iterable[str]) -> str:
    """What the person reads when there is no such Python."""
    version = need.versions[0]
    broken = [command for command in looked_at if Path(command).is_absolute()]
    seen = f"\nFound, but not usable (it does not run, or lacks venv and ensurepip): {', '.join(broken)}" if broken else ""
    return (
        f"Python {version} is missing: {need.why}. Get it in one of these ways, then run the command again:\n"
        f"  pyenv install {version}\n"
        f"  uv python install {version}\n"
        f"  apt-get install python{version} python{version}-venv   (where the system has it){seen}"
    )


def all_candidates(version: str) -> Iterator[str]:
    """Commands that may be a Python of this version, the cheapest to find first; the last one is downloaded by uv where that can be done."""
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    yield from pyenv_versions(version)
    uv = shutil.which("uv")
    if uv:
        yield from _uv_find(uv, version)
        if _run_uv(uv, "python", "install", version) is not None:
            yield from _uv_find(uv, version)


def pyenv_versions(version: str, root: Path | None = None) -> list[str]:
    """Pythons of this version that pyenv has, newest first, whether or not its shims are on PATH."""
    root = root or Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [path for path in (root / "versions").glob(f"{version}.*") if path.name.split(".")[-1].isdigit()]
    folders.sort(key=lambda path: int(path.name.split(".")[-1]), reverse=True)
    return [str(path / "bin" / f"python{version}") for path in folders]


def _uv_find(uv: str, version: str) -> Iterator[str]:
    found = _run_uv(uv, "python", "find", "--no-project", version)
    if found:
        yield found


def _run_uv(uv: str, *arguments: str) -> str | None:
    try:
        return subprocess.run([uv, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
