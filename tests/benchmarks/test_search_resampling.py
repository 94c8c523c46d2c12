"""Figures over draws of questions, against the figures of `evaluate` on the questions drawn."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.search.resampling import FIGURES, Floats, answers_of, bins, draws, estimate, estimate_of, sampled
from knowledge_base.evaluation import Outcome, Question, figures
from knowledge_base.model import Cutoffs

CUTOFFS = Cutoffs(answer=0.6, offer=0.3)
SAME = set(FIGURES) - {"answerable_answered", "brier_of_base_rate"}


def made_up(count: int, seed: int, answerable: float = 0.6) -> list[Outcome]:
    """Outcomes of which many are equally sure."""
    draw = random.Random(seed)
    outcomes = []
    for number in range(count):
        truth = draw.choice("abcde") if draw.random() < answerable else None
        slugs = draw.sample("abcde", 3)
        outcomes.append(Outcome(Question(str(number), truth), tuple(slugs), round(draw.random(), 1), 0.0))
    return outcomes


def value_of(values: Floats, row: int) -> float | None:
    return None if np.isnan(values[row]) else float(values[row])


@pytest.mark.parametrize("name", sorted(SAME))
def test_a_figure_of_a_draw_is_that_of_evaluate(name: str):
    """For the questions themselves, and for three draws of them with replacement."""
    outcomes = made_up(57, seed=1)
    counts = draws("a set", len(outcomes), 3)
    values = sampled(FIGURES[name], [answers_of(outcomes, CUTOFFS)], counts)
    for row in range(4):
        drawn = [outcome for outcome, times in zip(outcomes, counts[row], strict=True) for _ in range(int(times))]
        assert value_of(values, row) == pytest.approx(figures(drawn, CUTOFFS)[name], abs=6e-5), row


def test_undefined_figures_stay_so():
    """Where every question has an answer there is nothing to tell apart, in no draw."""
    answers = answers_of(made_up(20, seed=2, answerable=1.0), CUTOFFS)
    assert estimate(FIGURES["auroc_answerable"], [answers], draws("a set", 20)).value is None


def test_draws_of_phrasings_are_averaged():
    """Two draws of the same set: the figure is the mean of theirs."""
    both = [answers_of(made_up(40, seed), CUTOFFS) for seed in (3, 4)]
    counts = draws("a set", 40, 5)
    each = [sampled(FIGURES["hit_at_1"], [one], counts) for one in both]
    np.testing.assert_allclose(sampled(FIGURES["hit_at_1"], both, counts), (each[0] + each[1]) / 2)


def test_base_rate_and_answerable_answered():
    """One right of four, three of them answerable; two answered, of which one is answerable."""
    outcomes = [
        Outcome(Question("1", "a"), ("a",), 0.9, 0.0),
        Outcome(Question("2", None), ("a",), 0.7, 0.0),
        Outcome(Question("3", "b"), ("a", "b"), 0.5, 0.0),
        Outcome(Question("4", "c"), ("a",), 0.1, 0.0),
    ]
    answers, once = [answers_of(outcomes, CUTOFFS)], draws("a set", 4, 0)
    assert estimate(FIGURES["brier_of_base_rate"], answers, once).value == pytest.approx(0.25 * 0.75)
    assert estimate(FIGURES["answerable_answered"], answers, once).value == pytest.approx(1 / 3)


def test_interval_of_a_share_is_that_of_the_binomial():
    """Of 400 questions half are right: 0.5 ± 1.96 · sqrt(0.25 / 400)."""
    outcomes = [Outcome(Question(str(number), "a"), ("a" if number % 2 else "b",), 0.5, 0.0) for number in range(400)]
    found = estimate(FIGURES["hit_at_1"], [answers_of(outcomes, CUTOFFS)], draws("a set", 400))
    assert found.value == 0.5
    assert (found.low, found.high) == (pytest.approx(0.451, abs=0.006), pytest.approx(0.549, abs=0.006))


def test_pairing_takes_away_what_both_share():
    """Better by the same five questions in every hundred: the interval of the difference is narrower than that of either."""
    worse = [Outcome(Question(str(n), "a"), ("a" if n % 2 else "b",), 0.5, 0.0) for n in range(400)]
    better = [Outcome(one.question, ("a",), 0.5, 0.0) if n % 20 == 0 else one for n, one in enumerate(worse)]
    counts = draws("a set", 400)
    values = [sampled(FIGURES["hit_at_1"], [answers_of(ones, CUTOFFS)], counts) for ones in (better, worse)]
    difference = estimate_of(values[0] - values[1])
    assert difference.value == pytest.approx(0.05)
    assert difference.low > 0.02
    assert difference.high < 0.08


def test_draws_are_the_same_each_time_and_differ_by_set():
    """So figures can be compared from run to run."""
    np.testing.assert_array_equal(draws("shop", 30, 4), draws("shop", 30, 4))
    assert not np.array_equal(draws("shop", 30, 4)[1:], draws("curekart", 30, 4)[1:])
    assert (draws("shop", 30, 4).sum(axis=1) == 30).all()


def test_bins_hold_equally_many():
    """Twenty-five questions in ten bins: five of three, five of two, and all their rights."""
    answers = answers_of(made_up(25, seed=5), CUTOFFS)
    mass, sure, right = bins(answers, np.ones(25))
    assert sorted(mass) == [2] * 5 + [3] * 5
    assert (np.diff(sure) >= 0).all()
    assert (mass * right).sum() == pytest.approx(answers.right.sum())
