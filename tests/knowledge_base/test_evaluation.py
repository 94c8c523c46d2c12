"""The figures of `evaluate`, against numbers worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from knowledge_base.aim import Aim
from knowledge_base.evaluation import Outcome, Question, auroc, calibration_error, evaluate, figures, read_questions, recall_at_precision
from knowledge_base.exceptions import KnowledgeBaseError
from knowledge_base.model import Cutoffs

PROMISED = {"questions", "answerable", "hit_at_1", "hit_at_3", "mrr", "auroc_answerable", "auroc_correct", "mcc", "answered", "answered_right"}
PROMISED |= {"wrongly_answered", "recall_at_precision_85", "ece", "brier", "build_s", "search_ms_p50", "search_ms_p95"}


def outcome(article: str | None, slugs: str, confidence: float, seconds: float = 0.001) -> Outcome:
    return Outcome(Question("?", article), tuple(slugs.split()), confidence, seconds)


def test_figures_of_five_questions():
    """Two right at once, one right in second place, one without an answer, one wrong."""
    outcomes = [
        outcome("a", "a b", 0.9),
        outcome("b", "b a", 0.7),
        outcome("c", "a c", 0.4),
        outcome(None, "a b", 0.2),
        outcome("d", "a b c", 0.8, 0.003),
    ]
    found = figures(outcomes, Cutoffs(answer=0.75, offer=0.3))
    assert (found["questions"], found["answerable"]) == (5, 4)
    assert found["hit_at_1"] == 0.5
    assert found["hit_at_3"] == 0.75
    assert found["mrr"] == pytest.approx((1 + 1 + 0.5 + 0) / 4)
    assert found["auroc_answerable"] == 1.0
    assert found["auroc_correct"] == pytest.approx(5 / 6, abs=1e-4)
    assert (found["answered"], found["answered_right"], found["wrongly_answered"]) == (0.4, 0.5, 0.2)
    assert found["recall_at_precision_85"] == 0.25
    assert found["brier"] == pytest.approx((0.1**2 + 0.3**2 + 0.4**2 + 0.2**2 + 0.8**2) / 5)
    assert found["search_ms_p50"] == 1.0
    # Said: a b a none a; true: a b c none d. Three of five agree.
    assert found["mcc"] == pytest.approx((3 * 5 - (3 * 1 + 1 + 1)) / np.sqrt((25 - 11) * (25 - 5)), abs=1e-4)


def test_undefined_figures_are_none():
    """No unanswerable questions, or none at all."""
    assert figures([outcome("a", "a", 0.9)], Cutoffs(0.5, 0.3))["auroc_answerable"] is None
    nothing = figures([], Cutoffs(0.5, 0.3))
    assert nothing["questions"] == 0
    assert nothing["hit_at_1"] is None
    assert figures([outcome("a", "", 0.0)], Cutoffs(0.5, 0.3))["hit_at_1"] == 0


def test_auroc_counts_ties_half():
    """As the definition has it."""
    confidence = np.array([0.9, 0.5, 0.5, 0.1])
    assert auroc(confidence, np.array([True, True, False, False])) == pytest.approx((2 + 1.5) / 4)


def test_recall_at_precision_does_not_part_equal_confidences():
    """A cut-off takes all of them or none."""
    right = np.array([True, True, False, True])
    assert recall_at_precision(np.array([0.9, 0.8, 0.8, 0.7]), right, 4, 0.85) == 0.25
    assert recall_at_precision(np.array([0.9, 0.8, 0.7, 0.6]), right, 4, 0.7) == 0.75
    assert recall_at_precision(np.array([0.9]), np.array([False]), 1, 0.85) == 0
    assert recall_at_precision(np.array([0.9]), np.array([False]), 0, 0.85) is None


def test_calibration_error_is_nothing_when_confidence_is_right():
    """And the whole distance when it is not."""
    random = np.random.default_rng(5)
    confidence = random.uniform(size=5_000)
    assert calibration_error(confidence, random.uniform(size=5_000) < confidence) < 0.03
    assert calibration_error(np.full(100, 0.9), np.zeros(100, bool)) == pytest.approx(0.9)


def test_evaluating_a_folder_gives_every_promised_figure(shop, tmp_path, embedder):
    """From an index of its own, which is gone afterwards."""
    questions = [
        Question("track my parcel please", "where-is-my-order"),
        Question("orange router lamp", "router-orange-light"),
        Question("xyzzy", None),
    ]
    found = evaluate(shop.folder, questions, embedder, Aim())
    assert set(found) == PROMISED
    assert found["hit_at_1"] == 1.0
    assert found["auroc_answerable"] == 1.0
    assert not (tmp_path / "index").exists()


def test_questions_are_read_from_lines(tmp_path):
    """Blank lines are passed over; a bad one is named."""
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "a", "article": "b"}\n\n{"question": "c", "article": null}\n')
    assert read_questions(file) == [Question("a", "b"), Question("c", None)]
    for line in ("{", "[]", '{"question": 1, "article": null}', '{"question": "a"}', '{"question": "a", "article": 1}'):
        file.write_text(json.dumps({"question": "a", "article": None}) + "\n" + line + "\n")
        with pytest.raises(KnowledgeBaseError, match=r"questions\.jsonl:2: wanted"):
            read_questions(file)
    with pytest.raises(KnowledgeBaseError, match="cannot be read"):
        read_questions(tmp_path / "gone")
