"""The docs say what is so: every setting, every command and every link in them is held against the thing itself."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from kit.__main__ import COMMANDS, FILE_COMMANDS
from kit.settings import PREFIX, ROOT, Settings

DOCUMENTS = sorted(path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
TOLD_TO_THE_DIALOGUE_HALF = {"TOUCHDESK_SEARCH_URL", "TOUCHDESK_ACTIONS_URL", "TOUCHDESK_ACTIONS_PORT"}


def setting_rows() -> list[tuple[str, ...]]:
    """Rows of the table in docs/settings.md: variable, default, wanted, meaning."""
    lines = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith(f"| `{PREFIX}")]


def as_shown(value: object) -> str:
    """A default as the table shows it."""
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}`"
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value}`" if value not in ((), "") else "empty"


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    """Same rows, same order, same defaults, same words."""
    table = [(f"`{PREFIX}{row.name.upper()}`", as_shown(row.default), row.metadata["wanted"], row.metadata["help"]) for row in fields(Settings)]
    assert setting_rows() == table


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_setting_that_is_not_one(document: Path) -> None:
    """A setting renamed or gone is gone from the prose too."""
    known = {PREFIX + row.name.upper() for row in fields(Settings)} | TOLD_TO_THE_DIALOGUE_HALF
    assert set(re.findall(r"TOUCHDESK_[A-Z_]*[A-Z]", document.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_to_files_lead_somewhere(document: Path) -> None:
    """Every relative link and picture is there, and so is the heading it names."""
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), f"{document.name}: {target}"
        if heading:
            assert heading in headings(path), f"{document.name}: {target}"


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def headings(path: Path) -> set[str]:
    """Anchors as code hosts make them from headings."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_command_in_the_docs_exists(document: Path) -> None:
    """And `make` hands each of them to the kit."""
    targets = re.search(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets
    known = {*COMMANDS, *FILE_COMMANDS}
    assert set(targets.group(1).split()) == known
    assert set(re.findall(r"`(?:TOUCHDESK_\S+ )*make ([a-z-]+)(?: [A-Z]+=[^`]*)?`", document.read_text(encoding="utf-8"))) <= known


def test_the_readme_shows_the_two_commands_and_every_document() -> None:
    """From the front page one reaches everything."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for needed in (
        "make run",
        "make test",
        "LICENSE",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
    ):
        assert needed in readme, needed


def test_continuous_integration_runs_make_test() -> None:
    """What CI runs is what everybody runs."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text(encoding="utf-8")
