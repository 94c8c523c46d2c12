"""The tables say what was reached and what was missed."""

from __future__ import annotations

from benchmarks.search.ablation import ALL
from benchmarks.search.resampling import NOTHING, Estimate, answers_of
from benchmarks.search.tables import (
    SetFigures,
    ablation_table,
    all_figures_table,
    banking_table,
    curekart_table,
    goals_table,
    set_figures,
    shown,
    told_table,
)
from knowledge_base.evaluation import Outcome, Question
from knowledge_base.model import Cutoffs


def around(value: float) -> Estimate:
    return Estimate(value, value - 0.01, value + 0.02)


def test_banking_table_holds_ours_beside_theirs():
    """0.75 with one phrasing reaches 0.74, 0.79 with three misses 0.80; what was not measured is not judged."""
    sets = {
        name: SetFigures(name, (), {"hit_at_1": around(value)}) for name, value in (("banking77, 1 phrasing", 0.75), ("banking77, 3 phrasings", 0.79))
    }
    lines = banking_table(sets)
    assert "| nearest phrasing | 0.534 | 0.680 | 0.750 | 0.819 |" in lines
    assert "| **this kit** | 0.750 (0.740–0.770) | 0.790 (0.780–0.810) |  |  |" in lines
    assert "| to reach | 0.740: reached | 0.800: **missed** | 0.830 | 0.885 |" in lines


def test_curekart_table_holds_both_goals():
    """The stretch names no hit_at_1."""
    names = ("hit_at_1", "auroc_answerable", "auroc_correct", "mcc", "recall_at_precision_85")
    lines = curekart_table(dict(zip(names, map(around, (0.88, 0.91, 0.89, 0.66, 0.61)), strict=True)))
    assert "| to reach | 0.870: reached | 0.905: reached | 0.900: **missed** | 0.660: reached | 0.540: reached |" in lines
    assert "| stretch |  | 0.920: **missed** | 0.920: **missed** | 0.690: **missed** | 0.600: reached |" in lines
    assert sum(line.startswith("| ") for line in lines) == 2 + 7 + 1 + 2


def test_goals_of_confidence():
    """Ten questions, all surely right: calibration is off by a tenth, and the base rate cannot be beaten; the shop alone is asked for coverage."""
    outcomes = [Outcome(Question(str(number), "a"), ("a",), 0.9, 0.0) for number in range(10)]
    answers = [answers_of(outcomes, Cutoffs(0.5, 0.3))]
    lines = goals_table([set_figures("shop", answers), set_figures("curekart", answers)])
    assert lines[-2] == "| shop | 0.100 ≤ 0.05: **missed** | 0.010 < 0.000: **missed** | 0.900: reached | 0.800: reached |"
    assert lines[-1].endswith("| 0.010 < 0.000: **missed** |  |  |")
    assert "| figure | shop (10) | curekart (10) |" in all_figures_table([set_figures("shop", answers), set_figures("curekart", answers)])


def test_what_the_owner_tells_is_shown_beside():
    """The share of questions without an answer, and calibration without and with it."""
    before, after = (SetFigures("curekart", (), {"ece": around(value)}) for value in (0.094, 0.027))
    assert told_table({"curekart": 0.544}, [before], [after])[-1] == "| curekart | 54% | 0.094 (0.084–0.114) | 0.027 ≤ 0.05: reached |"


def test_ablation_marks_what_is_sure():
    """Bold where the interval leaves out nothing; empty where there is no such part."""
    table = {
        ALL: {"one": around(0.8), "two": around(0.7), "mean": around(0.75)},
        "no titles": {"one": Estimate(-0.05, -0.08, -0.02), "mean": Estimate(-0.025, -0.06, 0.01)},
    }
    lines = ablation_table("hit_at_1", table, ["one", "two"])
    assert lines[0] == "| `hit_at_1` | one | two | mean |"
    assert lines[-1] == "| no titles | **−0.050 (−0.080 to −0.020)** |  | −0.025 (−0.060 to +0.010) |"


def test_what_is_undefined_is_empty():
    """Nothing is shown of it."""
    assert shown(NOTHING) == ""
