"""Two pictures of confidence, as SVG that is the same each time: how far it can be believed, and what answering more costs.

matplotlib is needed here alone. The drawing stands on a white card, so that it reads the same on light and dark pages.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .resampling import Answers, Floats, bins

CALIBRATION, COVERAGE = "search-calibration.svg", "search-coverage.svg"
MISSING = "The pictures were not drawn: `.venv/bin/pip install matplotlib` and `make bench` again draw them too."
# Told apart also without colour, by their marks and dashes (colours: Okabe and Ito 2008).
STYLES = (("#0072b2", "o", "-"), ("#d55e00", "s", "--"), ("#009e73", "^", "-."), ("#8a4f7d", "D", (0, (1, 1.4))), ("#806000", "v", (0, (5, 1, 1, 1))))
INK, FAINT, GRID = "#1d2733", "#5b6673", "#dfe4ea"
SIZE = (7.2, 4.6)
SETTINGS = {
    "svg.hashsalt": "touchdesk",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
}
# Fewer answers than this say nothing of how many are wrong.
LEAST_ANSWERS = 20


@dataclass(frozen=True)
class Curve:
    """What is drawn of a set: all draws of its phrasings."""

    name: str
    answers: Sequence[Answers]


def can_draw() -> bool:
    """Whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_pictures(curves: Sequence[Curve], folder: Path) -> None:
    """Write both pictures to ``folder``."""
    import matplotlib

    matplotlib.use("svg")
    with matplotlib.rc_context(SETTINGS):
        _save(_calibration(curves), folder / CALIBRATION)
        _save(_coverage(curves), folder / COVERAGE)


def reliability(answers: Sequence[Answers]) -> tuple[Floats, Floats]:
    """Mean confidence and share of right ones (10,), in the mean over draws of phrasings."""
    each = [bins(one, np.ones(len(one.confidence))) for one in answers]
    return np.mean([sure for _, sure, _ in each], axis=0), np.mean([right for _, _, right in each], axis=0)


def coverage_and_error(answers: Answers) -> tuple[Floats, Floats]:
    """The share of questions answered from each confidence on, rising, and the share of these answers that are wrong."""
    starts = answers.groups
    counts, right = np.diff(np.append(starts, len(answers.right))), np.add.reduceat(answers.right.astype(np.int64), starts)
    given, found = np.cumsum(counts[::-1]), np.cumsum(right[::-1])
    enough = given >= min(LEAST_ANSWERS, len(answers.right))
    return given[enough] / len(answers.right), 1 - found[enough] / given[enough]


def chosen_point(answers: Answers) -> tuple[float, float] | None:
    """The same at the upper cut-off that the build chose; None when nothing is answered."""
    given = answers.confidence >= answers.cutoffs.answer
    return (float(given.mean()), float(1 - answers.right[given].mean())) if given.any() else None


def _calibration(curves: Sequence[Curve]) -> Any:
    figure, axes = _card("How far confidence can be believed", "confidence, mean of a tenth of the questions", "share of these that are right")
    for curve, (colour, mark, dash) in zip(curves, STYLES, strict=False):
        axes.plot(*reliability(curve.answers), color=colour, marker=mark, linestyle=dash, linewidth=1.8, markersize=5.5, label=curve.name)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, dashes=(2, 3), zorder=1, label="as sure as right")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left", fontsize=10, borderaxespad=0.2)
    return figure


def _coverage(curves: Sequence[Curve]) -> Any:
    figure, axes = _card("What answering more costs", "share of all questions answered", "share of these answers that are wrong")
    axes.axhline(0.1, color=FAINT, linewidth=1, dashes=(2, 3), zorder=1)
    for curve, (colour, mark, dash) in zip(curves, STYLES, strict=False):
        axes.plot(*coverage_and_error(curve.answers[0]), color=colour, linestyle=dash, linewidth=1.8)
        axes.plot([], [], color=colour, marker=mark, linestyle=dash, linewidth=1.8, markersize=6, label=curve.name)
        point = chosen_point(curve.answers[0])
        if point:
            axes.plot(*point, color=colour, marker=mark, markersize=9, markeredgecolor="white", markeredgewidth=1.2, zorder=4)
    axes.set(xlim=(0, 1), ylim=(0, max(0.3, axes.get_ylim()[1])))
    axes.text(0.995, 0.094, "one in ten wrong", color=FAINT, fontsize=9, va="top", ha="right")
    if curves:
        axes.legend(
            loc="upper left", fontsize=10, borderaxespad=0.2, title="mark: the cut-off that the build chose", title_fontsize=9, alignment="left"
        )
    return figure


def _card(title: str, along: str, upwards: str) -> tuple[Any, Any]:
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=SIZE, facecolor="none")
    card = FancyBboxPatch((0.012, 0.012), 0.976, 0.976, boxstyle="round,pad=0,rounding_size=0.02", mutation_aspect=SIZE[0] / SIZE[1])
    card.set(transform=figure.transFigure, facecolor="white", edgecolor=GRID, linewidth=1, zorder=-1)
    figure.add_artist(card)
    axes = figure.add_axes((0.125, 0.14, 0.82, 0.745), facecolor="none")
    figure.text(0.125, 0.925, title, fontsize=13, fontweight="bold")
    axes.set(xlabel=along, ylabel=upwards)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
