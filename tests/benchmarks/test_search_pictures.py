"""What the pictures show, and that they are the same each time."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.pictures import CALIBRATION, COVERAGE, Curve, chosen_point, coverage_and_error, draw_pictures, reliability
from benchmarks.search.resampling import Answers, answers_of
from knowledge_base.evaluation import Outcome, Question
from knowledge_base.model import Cutoffs


def answers(count: int = 200, upper: float = 0.6) -> Answers:
    """Right as often as they are sure."""
    draw = random.Random(7)
    outcomes = []
    for number in range(count):
        sure = round(draw.random(), 2)
        outcomes.append(Outcome(Question(str(number), "a" if draw.random() < sure else "b"), ("a",), sure, 0.0))
    return answers_of(outcomes, Cutoffs(upper, 0.3))


def test_points_of_calibration_lie_near_the_line():
    """Ten points, each as right as it is sure, within what twenty questions can tell."""
    sure, right = reliability([answers(4000)])
    assert len(sure) == 10
    assert np.abs(sure - right).max() < 0.06


def test_coverage_ends_with_everything_answered():
    """At the right end all are answered, and as many are wrong as there are."""
    one = answers()
    given, wrong = coverage_and_error(one)
    assert (np.diff(given) > 0).all()
    assert (given[-1], wrong[-1]) == (1.0, pytest.approx(1 - one.right.mean()))
    assert given[0] >= 0.1


def test_the_chosen_point_lies_on_the_curve():
    """The cut-off of the build is one of those drawn."""
    one = answers()
    given, wrong = coverage_and_error(one)
    point = chosen_point(one)
    assert point is not None
    assert wrong[np.flatnonzero(np.isclose(given, point[0]))] == pytest.approx([point[1]])
    assert chosen_point(answers(upper=2.0)) is None


def test_pictures_are_the_same_each_time(tmp_path: Path):
    """Two drawings have the same bytes, name every set, and hold neither date nor script."""
    pytest.importorskip("matplotlib", reason="needed for the pictures of the bench alone")
    for folder in ("one", "two"):
        draw_pictures([Curve("a set", [answers()]), Curve("another", [answers(60, upper=2.0)])], tmp_path / folder)
    for name in (CALIBRATION, COVERAGE):
        drawn = (tmp_path / "one" / name).read_bytes()
        assert drawn == (tmp_path / "two" / name).read_bytes()
        assert b"a set" in drawn
        assert b"another" in drawn
        assert b"<dc:date" not in drawn
        assert b"<script" not in drawn
        assert len(drawn) < 200_000
