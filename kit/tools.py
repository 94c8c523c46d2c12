"""Programs that the tests need and pip does not bring: Chromium and Node. Found, else installed where that can be done, else refused by name."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit.errors import ToolMissing
from kit.preparation import apt_can_install, apt_install


@dataclass(frozen=True)
class Tool:
    """A program under any of several names; ``least`` is the first major version that will do."""

    title: str
    commands: tuple[str, ...]
    package: str
    least: int


CHROMIUM = Tool("Chromium", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"), "chromium", 100)
NODE = Tool("Node", ("node", "nodejs"), "nodejs", 18)


def find(tool: Tool) -> Path | None:
    """Where the tool is, if it is there and new enough."""
    for command in tool.commands:
        path = shutil.which(command)
        if path and (major_version(path) or 0) >= tool.least:
            return Path(path)
    return None


def major_version(path: str) -> int | None:
    """The first number that a program says of its version; None if it says none."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+", said)
    return int(number.group()) if number else None


def require(tool: Tool, say: Callable[[str], None] = print) -> Path:
    """The tool, installed if need be and if that can be done (Debian as root). Raises `ToolMissing`, which names the command to run."""
    found = find(tool)
    if found is None and apt_can_install():
        say(f"  {tool.title} is missing: installing it with apt-get ...")
        apt_install(tool.package)
        found = find(tool)
    if found is None:
        raise ToolMissing(
            f"The tests need {tool.title} {tool.least} or newer, and none is on PATH ({', '.join(tool.commands)}). "
            f"Install it, on Debian and Ubuntu with: sudo apt-get install --no-install-recommends {tool.package}"
        )
    return found
