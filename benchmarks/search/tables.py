"""The tables of quality, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import references
from .ablation import ALL
from .references import Reference
from .resampling import FIGURES, Answers, Estimate, estimate
from .resampling import draws as draws_of_questions
from .sets import BANKING, CUREKART, SHOP_QUESTIONS, set_name

Found = dict[str, Estimate]
OURS = "**this kit**"


@dataclass(frozen=True)
class SetFigures:
    """All figures of a set. ``answers`` are those of each draw of its phrasings."""

    name: str
    answers: tuple[Answers, ...]
    figures: Found

    @property
    def questions(self) -> int:
        return len(self.answers[0].confidence)


def set_figures(name: str, answers: Sequence[Answers]) -> SetFigures:
    """Work out every figure with its interval."""
    counts = draws_of_questions(name, len(answers[0].confidence))
    return SetFigures(name, tuple(answers), {figure: estimate(work, answers, counts) for figure, work in FIGURES.items()})


def banking_table(sets: Mapping[str, SetFigures]) -> list[str]:
    """hit_at_1 beside what others reach."""
    ours = {str(number): sets[name].figures["hit_at_1"] for number in BANKING.phrasings if (name := set_name(BANKING.name, number)) in sets}
    columns = [str(number) for number in BANKING.phrasings]
    heading = ["banking77, hit_at_1", *(f"{column} phrasing{'s' if column != '1' else ''}" for column in columns)]
    return [*_beside(heading, columns, references.BANKING_HIT_AT_1, ours, (references.BANKING_WANTED,)), "", references.BANKING_SOURCE]


def curekart_table(found: Found) -> list[str]:
    """The five figures beside the platforms'."""
    heading = [CUREKART.name, *references.CUREKART_COLUMNS]
    goals = (references.CUREKART_WANTED, references.CUREKART_STRETCH)
    return [*_beside(heading, references.CUREKART_COLUMNS, references.CUREKART, found, goals), "", references.CUREKART_SOURCE]


def _beside(heading: Sequence[str], columns: Sequence[str], others: Sequence[Reference], ours: Found, goals: Sequence[Reference]) -> list[str]:
    lines = [_row(heading), _row(["---"] * len(heading))]
    lines += [_row([other.who, *(_plain(other.values.get(column)) for column in columns)]) for other in others]
    lines.append(_row([OURS, *(shown(ours[column]) if column in ours else "" for column in columns)]))
    for goal in goals:
        lines.append(_row([goal.who, *(_judged(ours.get(column), goal.values.get(column)) for column in columns)]))
    return lines


def all_figures_table(sets: Sequence[SetFigures]) -> list[str]:
    """Every figure of every set, a column a set."""
    names = [f"{one.name} ({one.questions})" for one in sets]
    lines = [_row(["figure", *names]), _row(["---"] * (len(names) + 1))]
    return lines + [_row([f"`{figure}`", *(shown(one.figures[figure]) for one in sets)]) for figure in FIGURES]


def goals_table(sets: Sequence[SetFigures]) -> list[str]:
    """What was promised of confidence, set by set."""
    lines = [_row(["set", "ece", "brier", "answers given that are right", "answerable questions answered"]), _row(["---"] * 5)]
    shop = [name for name, _ in SHOP_QUESTIONS]
    for one in sets:
        found = one.figures
        brier, base = found["brier"].value or 0.0, found["brier_of_base_rate"].value or 0.0
        cells = [one.name, _at_most(found["ece"].value, references.WANTED_ECE), f"{brier:.3f} < {base:.3f}: {_mark(brier < base)}"]
        if one.name in shop:
            cells += [_judged(found["answered_right"], references.WANTED_ANSWERED_RIGHT)]
            cells += [_judged(found["answerable_answered"], references.WANTED_ANSWERABLE_ANSWERED)]
        lines.append(_row(cells + [""] * (5 - len(cells))))
    return lines


def told_table(shares: Mapping[str, float], usual: Sequence[SetFigures], told: Sequence[SetFigures]) -> list[str]:
    """Calibration by the usual share of messages without an answer, and by the set's own."""
    lines = [_row(["set", "without an answer", "ece, usual share", "ece, own share"]), _row(["---"] * 4)]
    for before, after in zip(usual, told, strict=True):
        cells = [f"{shares[before.name]:.0%}", shown(before.figures["ece"]), _at_most(after.figures["ece"].value, references.WANTED_ECE)]
        lines.append(_row([before.name, *cells]))
    return lines


def ablation_table(figure: str, table: Mapping[str, Mapping[str, Estimate]], names: Sequence[str]) -> list[str]:
    """How a figure changes without each part: bold where the interval leaves out nothing."""
    columns = [*names, "mean"]
    lines = [_row([f"`{figure}`", *columns]), _row(["---"] * (len(columns) + 1))]
    lines.append(_row([ALL, *(shown(table[ALL][name]) for name in columns)]))
    for part, changes in table.items():
        if part != ALL:
            lines.append(_row([part, *(_change(changes.get(name)) for name in columns)]))
    return lines


def shown(found: Estimate) -> str:
    """A figure with its interval; nothing where it is undefined."""
    return "" if found.value is None else f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})"


def _change(found: Estimate | None) -> str:
    if found is None or found.value is None or found.low is None or found.high is None:
        return ""
    text = f"{_signed(found.value)} ({_signed(found.low)} to {_signed(found.high)})"
    return f"**{text}**" if found.low > 0 or found.high < 0 else text


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _judged(found: Estimate | None, wanted: float | None) -> str:
    if wanted is None:
        return ""
    return _plain(wanted) if found is None or found.value is None else f"{wanted:.3f}: {_mark(found.value >= wanted)}"


def _at_most(value: float | None, wanted: float) -> str:
    return "" if value is None else f"{value:.3f} ≤ {wanted:.2f}: {_mark(value <= wanted)}"


def _mark(is_reached: bool) -> str:
    return "reached" if is_reached else "**missed**"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
