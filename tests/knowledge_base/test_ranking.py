"""The arithmetic: spelling, the head and its held-out answers, calibration, cut-offs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from knowledge_base.calibration import (
    HIGHEST_CUTOFF,
    NO_ARTICLE,
    PRIOR,
    PRIOR_CUTOFFS,
    HeldOut,
    calibrate,
    choose_cutoffs,
    coverage_table,
    fit,
    matthews,
    signs,
)
from knowledge_base.head import choose_landmarks, kernel, train
from knowledge_base.head import fit as fit_head
from knowledge_base.lexical import index_texts
from knowledge_base.model import Cutoffs
from knowledge_base.ranking import PASSAGE, PHRASING, TITLE, Ranker, Rows, bounded, highest
from knowledge_base.training import Learnable, choose_questions, settle, weighted


def unit_rows(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def head_of(vectors, articles, landmarks=None):
    landmarks = choose_landmarks(articles) if landmarks is None else landmarks
    return train(kernel(vectors @ vectors[landmarks].T, 0, 0), landmarks, articles, int(articles.max()) + 1, 0.0)


def test_spelling_of_equal_texts_is_one_and_of_foreign_ones_nothing():
    """Close for a typing mistake, and whatever signs a text is made of."""
    index = index_texts(["my router E34 blinks", "refund for a lamp", ""])
    assert index.similarities("My ROUTER e34 blinks!") == pytest.approx([1, index.similarities("my router E34 blinks")[1], 0], abs=1e-5)
    assert index.similarities("zzz kkk").max() == 0
    mistyped = index.similarities("my ruoter blinks")
    assert mistyped[0] > 0.4 > mistyped[1]
    for text in ("", "?!", "🙂", "a", "é" * 5000, "\ud800"):
        assert np.all((index.similarities(text) >= 0) & (index.similarities(text) <= 1.0001))
    assert index_texts([]).similarities("a").shape == (0,)


def test_runs_do_not_cross_words():
    """So the order of words does not count."""
    assert index_texts(["red light on router"]).similarities("router on light red") == pytest.approx([1], abs=1e-5)


@pytest.mark.parametrize("landmarks", [None, np.arange(0, 40, 2)])
def test_leaving_out_is_training_without(landmarks):
    """A row or a whole article left out gives what a head trained on the rest says, to rounding."""
    vectors, articles = unit_rows(40), np.arange(40) % 8
    landmarks = np.arange(40) if landmarks is None else landmarks
    training = head_of(vectors, articles, landmarks)
    gone = np.flatnonzero(articles == 3)
    similarity = kernel(vectors @ vectors[landmarks].T, 0, 0)
    for left_out in (np.array([5]), gone):
        rest = np.setdiff1d(np.arange(40), left_out)
        expected = _trained_on(similarity, landmarks, articles, rest)[left_out]
        assert training.without(left_out) == pytest.approx(expected, abs=1e-6)
    assert training.without_each(np.array([5, 7]))[0] == pytest.approx(training.without(np.array([5]))[0], abs=1e-9)


def _trained_on(similarity, landmarks, articles, rest):
    """Ridge regression in the landmarks' feature space on some rows, written out plainly."""
    root = np.linalg.cholesky(similarity[landmarks] + 1e-3 * np.eye(len(landmarks)))
    features = np.linalg.solve(root, similarity.T).T
    targets = np.eye(8)[articles] - 1 / 9
    known = features[rest]
    weights = np.linalg.solve(known.T @ known / 0.1 + np.eye(len(landmarks)), known.T @ targets[rest] / 0.1)
    return features @ weights + 1 / 9


@pytest.mark.parametrize("landmarks", [np.arange(30), np.arange(0, 30, 2)])
def test_the_quick_way_to_the_head_is_the_same_head(landmarks):
    """One linear system, with every row a landmark or half of them."""
    vectors, articles = unit_rows(30), np.arange(30) % 5
    similarity = kernel(vectors @ vectors[landmarks].T, 0, 0)
    quick = fit_head(similarity, landmarks, articles, 5, 0.0)
    assert quick.scores(similarity) == pytest.approx(head_of(vectors, articles, landmarks).head.scores(similarity), abs=5e-3)
    assert (quick.scores(similarity).argmax(axis=1) == articles).mean() > 0.5


def test_landmarks_are_spread_over_articles():
    """Every article keeps its first rows before any has many."""
    articles = np.repeat(np.arange(5), 10)
    chosen = choose_landmarks(articles, 15)
    assert np.bincount(articles[chosen]).tolist() == [3, 3, 3, 3, 3]
    assert choose_landmarks(articles, 50).tolist() == list(range(50))


def test_signs_of_a_ranking():
    """Score, lead, and how near the article's nearest row is."""
    scores, cosines, words = np.array([[0.2, 0.7, 0.4]]), np.array([[0.1, 0.8, 0.3]]), np.array([[0.0, 0.5, 0.1]])
    assert signs(scores, cosines, words, np.array([1])) == pytest.approx(np.array([[0.7, 0.3, 0.8, 0.5]]))
    assert signs(scores, cosines, words, np.array([2])) == pytest.approx(np.array([[0.4, -0.3, 0.3, 0.1]]))
    assert signs(scores[:, :1], cosines[:, :1], words[:, :1], np.array([0]))[0, 1] == pytest.approx(0.2)


def held_out(count: int = 400, seed: int = 1) -> HeldOut:
    """Questions of which the higher score is right more often; every fourth has no answer."""
    random = np.random.default_rng(seed)
    score = random.uniform(size=count)
    truth = random.integers(0, 5, count)
    right = random.uniform(size=count) < score
    best = np.where(right, truth, (truth + 1) % 5)
    truth = np.where(~right & (np.arange(count) % 4 == 0), NO_ARTICLE, truth)
    return HeldOut(np.stack([score, score / 2, score, 1 - score], axis=1), best, truth, np.ones(count))


def test_confidence_is_calibrated():
    """In each fifth of the questions, mean confidence and share of right ones agree."""
    known = held_out(2_000)
    calibration = calibrate(known)
    confidence = calibration.probability(known.signs)
    for part in np.array_split(np.argsort(confidence), 5):
        assert confidence[part].mean() == pytest.approx(known.right[part].mean(), abs=0.08)
    assert calibration.questions == int((known.truth != NO_ARTICLE).sum())


def test_no_sign_counts_against_an_article():
    """The last sign of these questions falls where they are right; it is left out, not turned around."""
    random = np.random.default_rng(3)
    found = random.uniform(size=(1_000, 4))
    right = random.uniform(size=1_000) < found[:, 0] * (1 - found[:, 3])
    weights = fit(found, right.astype(float), np.ones(1_000))
    assert np.all(weights[1:] >= 0)
    assert weights[4] == 0
    assert weights[1] > 1


def test_without_phrasings_the_prior_holds():
    """Nothing to learn from, and still numbers and cut-offs."""
    nothing = HeldOut(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    calibration = calibrate(nothing)
    assert (calibration.weights, calibration.cutoffs, calibration.questions) == (PRIOR, PRIOR_CUTOFFS, 0)
    sure, unsure = calibration.probability(np.array([[0.9, 0.8, 0.95, 0.9], [0.1, 0.0, 0.2, 0.1]]))
    assert sure > PRIOR_CUTOFFS.answer > PRIOR_CUTOFFS.offer > unsure


def test_cutoffs_keep_their_order_and_their_bounds():
    """With much data or little, all right or all wrong."""
    for known in (held_out(), held_out(3), held_out(40, 9)):
        for best in (known.best, known.truth, np.full_like(known.best, 9)):
            case = HeldOut(known.signs, best, known.truth, known.weight)
            cutoffs = choose_cutoffs(calibrate(case).probability(case.signs), case)
            assert 0.05 <= cutoffs.offer <= cutoffs.answer <= HIGHEST_CUTOFF


def test_the_upper_cutoff_is_where_nine_in_ten_are_right():
    """On the questions it was chosen from."""
    known = held_out(4_000)
    confidence = known.signs[:, 0]
    cutoffs = choose_cutoffs(confidence, known)
    assert cutoffs.answer == HIGHEST_CUTOFF
    assert known.right[confidence >= HIGHEST_CUTOFF].mean() == pytest.approx(0.88, abs=0.04)
    table = coverage_table(confidence, known)
    assert [row[0] for row in table][:2] == [0.05, 0.1]
    assert all(later[1] <= earlier[1] for earlier, later in pairwise(table))


def test_verdicts():
    """At a cut-off counts as above it."""
    cutoffs = Cutoffs(answer=0.6, offer=0.3)
    assert [cutoffs.verdict(confidence) for confidence in (0.6, 0.59, 0.3, 0.29)] == ["answer", "offer", "offer", "none"]


def test_matthews_correlation_is_that_of_the_books():
    """Two classes: (TP·TN − FP·FN) / √…; one class on either side is 0."""
    truth = np.array([0, 0, 0, -1, -1, -1, -1])
    said = np.array([0, 0, -1, -1, -1, -1, 0])
    assert matthews(said, truth, np.ones(7)) == pytest.approx((2 * 3 - 1 * 1) / np.sqrt(3 * 3 * 4 * 4))
    assert matthews(truth, truth, np.ones(7)) == pytest.approx(1)
    assert matthews(np.full(7, -1), truth, np.ones(7)) == 0


def test_misses_weigh_what_the_setting_says():
    """Three in ten messages have no answer, half of them near and half far."""
    parts = [HeldOut(np.zeros((n, 4)), np.zeros(n, np.int64), np.zeros(n, np.int64), np.ones(n)) for n in (10, 5, 20)]
    together = weighted(parts, 0.3)
    assert [together.weight[:10].sum(), together.weight[10:15].sum(), together.weight[15:].sum()] == pytest.approx([7, 1.5, 1.5])
    assert weighted(parts[:1], 0.3).weight.sum() == pytest.approx(10)


def test_who_is_asked():
    """Phrasings; where an article has none but a text, its title; evenly when there are too many."""
    rows = Rows(np.array([0, 0, 1, 1, 2]), np.array([TITLE, PHRASING, TITLE, PASSAGE, TITLE]), np.full(5, -1))
    assert choose_questions(rows).tolist() == [1, 2]
    many = Rows(np.zeros(5_000, np.int64), np.full(5_000, PHRASING), np.full(5_000, -1))
    assert len(choose_questions(many)) == 1_500


def test_confidences_of_later_hits_leave_room_for_the_first():
    """One article answers: what the first leaves is all the others can have."""
    assert bounded(np.array([0.9, 0.5, 0.6])) == pytest.approx([0.9, 0.1, 0.1])
    assert bounded(np.array([0.4, 0.5, 0.1])) == pytest.approx([0.4, 0.4, 0.1])
    assert bounded(np.array([0.4])) == pytest.approx([0.4])


def test_the_highest_of_each_article():
    """Rows in any order."""
    rows = Rows(np.array([1, 0, 1]), np.zeros(3, np.int64), np.full(3, -1))
    assert highest(np.array([[0.1, 0.2, 0.7]]), rows).tolist() == [[0.2, 0.7]]


def test_the_same_rows_give_the_same_ranking_however_many_there_are():
    """More rows than FAISS gives back, more rows than landmarks: the right article is first all the same."""
    count = 2_500
    vectors, articles = unit_rows(count), np.arange(count) % 250
    rows = Rows(articles, np.full(count, PHRASING), np.full(count, -1))
    texts = [f"word{number}" for number in range(count)]
    lexical = index_texts(texts)
    landmarks = choose_landmarks(articles)
    head = fit_head(kernel(vectors @ vectors[landmarks].T, 0, 0), landmarks, articles, 250, 0.0)
    nothing = HeldOut(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    ranker = Ranker(vectors, rows, lexical, head, calibrate(nothing))
    found = [ranker.rank(vectors[number], texts[number], 3) for number in range(0, count, 50)]
    assert np.mean([ranked[0].article == articles[number] for number, ranked in zip(range(0, count, 50), found, strict=True)]) > 0.9
    assert all(ranked[0].confidence >= ranked[1].confidence >= ranked[2].confidence for ranked in found)


def test_one_article_alone_can_be_settled():
    """There is nothing to confuse it with."""
    vectors = unit_rows(3)
    rows = Rows(np.zeros(3, np.int64), np.array([TITLE, PHRASING, PHRASING]), np.full(3, -1))
    texts = ["a title", "one question", "another question"]
    settled = settle(Learnable(rows, texts, vectors, index_texts(texts)), far=["hello"], far_vectors=unit_rows(1, 5), no_answer_share=0.3)
    assert settled.calibration.questions == 2
    assert settled.calibration.hit_at_1 == 1.0
