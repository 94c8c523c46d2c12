"""Known holes of what is installed: ``python -m kit.advisories`` asks the package index's advisory records about both environments.

It asks what pip-audit asks, ``https://pypi.org/pypi/NAME/VERSION/json``. pip-audit itself reports "no known vulnerabilities" for packages that
the index does not know in that version, which behind a partial mirror is all of them; here what could not be asked is said, and never
counts as well. A hole in the web half fails; one in the bot half fails unless advisories.toml has a waiver for that package, version and id.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from kit.programs import BOT_PYTHON, WEB_PYTHON

SERVICE = "https://pypi.org/pypi"
TIMEOUT_S = 10.0
AT_ONCE = 8
WAIVERS = Path(__file__).with_name("advisories.toml")
NOT_CHECKED = "NOT CHECKED"
"""Stands in what is printed, and in the summary of `make test`, when the advisory service could not be asked."""


class ServiceAway(Exception):
    """The advisory service does not answer, or not about single versions."""


@dataclass(frozen=True)
class Installed:
    """A package in one of the halves, ``web`` or ``bot``."""

    half: str
    name: str
    version: str


@dataclass(frozen=True)
class Hole:
    """What the service knows about an installed package; ``ids`` are all names of one advisory."""

    package: Installed
    ids: frozenset[str]


Ask = Callable[[Installed], list[Hole]]


def installed(half: str, python: Path) -> list[Installed]:
    """What an environment holds, by its metadata."""
    folders = [str(path) for path in (python.parent.parent / "lib").glob("python3*/site-packages")]
    found = {one.metadata["Name"]: one.version.partition("+")[0] for one in distributions(path=folders)}
    return [Installed(half, name, version) for name, version in sorted(found.items())]


def both_halves() -> list[Installed]:
    """All packages of both environments."""
    return installed("web", WEB_PYTHON) + installed("bot", BOT_PYTHON)


def ask_index(package: Installed, service: str = SERVICE) -> list[Hole]:
    """The advisories of one installed version that were not withdrawn. Raises `ServiceAway`."""
    url = f"{service}/{urllib.parse.quote(package.name)}/{urllib.parse.quote(package.version)}/json"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:  # noqa: S310 - the scheme is ours
            known = json.load(response)["vulnerabilities"]
    except (OSError, urllib.error.URLError, ValueError, KeyError) as cause:
        raise ServiceAway(f"{package.name} {package.version}: {type(cause).__name__} {getattr(cause, 'code', '')}".strip()) from cause
    return [Hole(package, frozenset([one["id"], *one.get("aliases", ())])) for one in known if not one.get("withdrawn")]


def read_table(path: Path = WAIVERS) -> Mapping[str, list[dict[str, Any]]]:
    """Waivers and floors."""
    import tomllib  # Python 3.11; this module is not needed before there is one

    table: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return table


def is_waived(hole: Hole, waivers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a hole of the bot half has a waiver for exactly this package, version and advisory; one of the web half never has."""
    return hole.package.half == "bot" and any(
        normal(waiver["package"]) == normal(hole.package.name) and waiver["installed"] == hole.package.version and hole.ids & set(waiver["ids"])
        for waiver in waivers
    )


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def check(packages: list[Installed], waivers: Iterable[Mapping[str, Any]], ask: Ask, say: Callable[[str], None]) -> int:
    """Ask about every package, tell what is known, give back the exit code: 1 for a hole without a waiver.

    The first question goes alone: where the service is away, the others are spared the waiting.
    """
    waivers = list(waivers)
    try:
        holes = ask(packages[0])
    except ServiceAway as away:
        say(f"Advisories {NOT_CHECKED}: the advisory service gave no answer ({away}). Nothing is known about {len(packages)} packages.")
        return 0
    silent: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for found in threads.map(lambda package: _asked(package, ask), packages[1:]):
            if isinstance(found, ServiceAway):
                silent.append(str(found))
            else:
                holes += found
    open_holes = [hole for hole in holes if not is_waived(hole, waivers)]
    for hole in open_holes:
        say(f"{hole.package.half} half: {hole.package.name} {hole.package.version} has {', '.join(sorted(hole.ids))}")
    for one in silent:
        say(f"Advisories {NOT_CHECKED}: {one}")
    asked, waived = len(packages) - len(silent), len(holes) - len(open_holes)
    say(f"{asked} packages asked about: {len(open_holes)} holes, {waived} waived; {len(silent)} not checked.")
    return 1 if open_holes else 0


def _asked(package: Installed, ask: Ask) -> list[Hole] | ServiceAway:
    try:
        return ask(package)
    except ServiceAway as away:
        return away


def main() -> int:
    """Check what is installed."""
    return check(both_halves(), read_table().get("waiver", []), ask_index, lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
