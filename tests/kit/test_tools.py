"""Chromium and Node, found or refused by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kit.errors import ToolMissing
from kit.tools import CHROMIUM, NODE, Tool, find, major_version, require

NOBODY_HAS = Tool("Zither", ("zither-of-nobody", "zither"), "zither", 3)


def says(folder: Path, name: str, version: str) -> None:
    """A command that tells this version."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is looked in before all others."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_the_first_new_enough_one_is_found(on_path: Path) -> None:
    """An old one under the first name does not hide a new one under the second."""
    says(on_path, "zither-of-nobody", "zither 2.9")
    assert find(NOBODY_HAS) is None
    says(on_path, "zither", "Zither v3.1.4")
    assert find(NOBODY_HAS) == on_path / "zither"


def test_a_tool_that_says_no_version_is_none(on_path: Path) -> None:
    """Neither words without a number nor a crash are a version."""
    says(on_path, "zither", "hello")
    assert major_version(str(on_path / "zither")) is None
    assert major_version(str(on_path / "absent")) is None


def test_a_missing_tool_is_refused_with_the_command_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be installed, the message names tool, version and command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"need Node 18 or newer.*apt-get install --no-install-recommends nodejs"):
        require(NODE, lambda text: None)


def test_apt_is_asked_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root on Debian the tool is installed, without what is only recommended."""
    if os.getuid() != 0:
        with pytest.raises(ToolMissing):
            require(NOBODY_HAS, lambda text: None)
        return
    diary = tmp_path / "diary"
    installs = f'printf "#!/bin/sh\\necho 3.0\\n" > {tmp_path}/zither; /bin/chmod +x {tmp_path}/zither'
    install = f'echo "$@" >> {diary}\ncase "$*" in *install*) {installs};; esac\n'
    (tmp_path / "apt-get").write_text(f"#!/bin/sh\n{install}")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert require(NOBODY_HAS, lambda text: None) == tmp_path / "zither"
    assert diary.read_text().splitlines() == ["update -q", "install -q -y --no-install-recommends zither"]


def test_what_the_tests_need_is_here() -> None:
    """`make test` has seen to it before this test runs."""
    assert find(CHROMIUM)
    assert find(NODE)
