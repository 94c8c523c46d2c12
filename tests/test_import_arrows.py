"""Imports go one way: kit <- knowledge_base <- touchpoints <- desk <- widget <- demo, and the two halves know each other only over HTTP."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.settings import ROOT

ORDER = ("kit", "knowledge_base", "touchpoints", "desk", "widget")
DEMO_INSIDE = {"web.py", "stage.py", "__main__.py"}
"""What of the demo builds the web process or opens the database; its people and their play know the kit over HTTP alone."""
MAY_IMPORT = {
    **{package: set(ORDER[: place + 1]) for place, package in enumerate(ORDER)},
    # The half on Python 3.10 stands apart. Rasa loads bot by name; rasa-sdk loads actions.
    "bot": {"bot"},
    "actions": {"actions"},
    "demo": {"demo", *ORDER},
}
BY_CALL = ("__import__", "import_module", "importlib.import_module")
BUILD_ONLY = ("torch", "sentence_transformers", "transformers", "sklearn", "scipy")


def imported_packages(source: str, package: str, path: str = "<source>") -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import in a module, wherever in it; a relative one counts as ``package``."""
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, package if node.level else (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_CALL and node.args and isinstance(node.args[0], ast.Constant):
            yield node.lineno, str(node.args[0].value).partition(".")[0]


def wrong_arrows(root: Path) -> list[str]:
    """Every import below ``root`` that goes against the order, as ``file:line: imports package``."""
    found = []
    for package, allowed in MAY_IMPORT.items():
        for path in sorted((root / package).rglob("*.py")):
            for line, target in imported_packages(path.read_text(encoding="utf-8"), package, str(path)):
                if target in MAY_IMPORT and target not in allowed:
                    found.append(f"{path.relative_to(root)}:{line}: imports {target}")
    return found


def foreign_imports(root: Path, package: str) -> set[str]:
    """Top-level packages outside the standard library and itself that a package imports."""
    sources = (path.read_text(encoding="utf-8") for path in (root / package).rglob("*.py"))
    return {target for source in sources for _, target in imported_packages(source, package)} - set(sys.stdlib_module_names) - {package}


def test_every_import_follows_the_order() -> None:
    """No package reaches forward, and neither half imports the other."""
    assert wrong_arrows(ROOT) == []


def test_the_people_of_the_demo_use_the_contract_alone() -> None:
    """Nothing but HTTP leads from what they do to the kit: none of its packages is imported."""
    looked_at = {path.name: path for path in (ROOT / "demo").glob("*.py")}
    assert set(looked_at) >= {*DEMO_INSIDE, "people.py", "play.py", "scripts.py", "calendar.py", "clock.py"}
    for name in set(looked_at) - DEMO_INSIDE:
        targets = {target for _, target in imported_packages(looked_at[name].read_text(encoding="utf-8"), "demo")}
        assert targets & {*MAY_IMPORT} <= {"demo"}, name


def test_all_packages_are_looked_at() -> None:
    """The check looks at real modules, not at folders that have moved away."""
    assert [package for package in MAY_IMPORT if not list((ROOT / package).rglob("*.py"))] == []


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("kit", "import desk"),
        ("knowledge_base", "from touchpoints.model import Touchpoint"),
        ("touchpoints", "def late():\n    from desk import model"),
        ("desk", "import widget.chat.api as api"),
        ("widget", "import bot.channel"),
        ("actions", "from kit.settings import Settings"),
        ("bot", "from actions import state"),
        ("widget", "from demo.clock import PlayClock"),
        ("desk", "import importlib\nimportlib.import_module('widget.app')"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path: Path, package: str, line: str) -> None:
    """The check can fail: each kind of wrong import is named with file and line."""
    (tmp_path / package / "deep").mkdir(parents=True)
    (tmp_path / package / "deep" / "module.py").write_text(f"import json\n{line}\n")
    assert len(wrong_arrows(tmp_path)) == 1
    assert wrong_arrows(tmp_path)[0].startswith(f"{package}/deep/module.py:")


def test_right_arrows_are_not_found(tmp_path: Path) -> None:
    """Backward, inward and outside imports are free."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "turns.py").write_text(
        "import flask\nfrom kit.settings import Settings\nfrom touchpoints import store\nfrom . import model\nfrom .. import x"
    )
    assert wrong_arrows(tmp_path) == []


def test_the_kit_needs_the_standard_library_alone() -> None:
    """It runs before anything is installed."""
    assert foreign_imports(ROOT, "kit") == set()


@pytest.mark.parametrize("module", ["knowledge_base.library", "knowledge_base.search_client", "knowledge_base.serving"])
def test_serving_loads_no_library_that_only_building_needs(module: str) -> None:
    """torch and its kin alone would fill the memory that the whole kit may have."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert module in loaded
    assert set(loaded) & set(BUILD_ONLY) == set()
