"""A line of the reliability table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MISSED = "**missed** "
"""How ``found`` begins when it falls short of what was wanted."""


@dataclass(frozen=True)
class Row:
    """One figure: what is wanted, what was found, and over how many it was counted."""

    figure: str
    wanted: str
    found: str
    counted: str

    @property
    def is_met(self) -> bool:
        return not self.found.startswith(MISSED)


def row(figure: str, wanted: str, found: str, counted: str, *, met: bool) -> Row:
    """A row that says so itself when the figure is missed."""
    return Row(figure, wanted, found if met else MISSED + found, counted)


def as_markdown(rows: Iterable[Row]) -> list[str]:
    """The rows as a Markdown table."""
    lines = ["| figure | wanted | found | counted over |", "|---|---|---|---|"]
    for one in rows:
        cells = (one.figure, one.wanted, one.found, one.counted)
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return lines
