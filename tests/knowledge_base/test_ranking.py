"""The arithmetic: spelling, the head and its held-out answers, calibration, cut-offs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from knowledge_base.aim import Aim
from knowledge_base.calibration import (
    HIGHEST_CUTOFF,
    MODEL,
    NO_ARTICLE,
    TYPICAL_NEAR,
    WRONG_BUT_ANSWERABLE,
    HeldOut,
    calibrate,
    choose_cutoffs,
    coverage_table,
    matthews,
    model_for,
    near_level,
    signs,
    standard,
    usual_cutoffs,
)
from knowledge_base.head import choose_landmarks, kernel, train
from knowledge_base.head import fit as fit_head
from knowledge_base.lexical import index_texts
from knowledge_base.model import Cutoffs
from knowledge_base.ranking import CENTRE_SHARE, PHRASING, TITLE, Ranker, Rows, bounded, centres, highest
from knowledge_base.training import HURRIED_LANDMARKS, Learnable, as_if_new, as_if_unanswered, ask_rows, settle, spread, weighted
from knowledge_base.training import fit_head as fit_rows


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


def test_many_texts_at_once_are_as_alike_as_each_alone() -> None:
    """Runs that stand in most rows, in some and in none; texts without a word; an index without a row."""
    rows = [f"my {thing} number {number} blinks" for number, thing in enumerate(["router", "printer", "kettle"] * 20)] + ["x9"]
    index = index_texts(rows)
    asked = [*rows[:3], "x9", "zzz", "", "my ruoter is number 7"]
    assert np.allclose(index.matrix(asked), [index.similarities(text) for text in asked], atol=1e-6)
    assert index.matrix([]).shape == (0, 61)
    assert index_texts([]).matrix(["a"]).shape == (1, 0)


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


NEAR = (0.2, 0.05, 0.5, 0.3)


def held_out(count: int = 400, seed: int = 1, hit: float = 0.9) -> HeldOut:
    """Questions of which those with better signs are right more often, ``hit`` of those with an answer; every fourth has none."""
    random = np.random.default_rng(seed)
    answerable = np.arange(count) % 4 > 0
    right = answerable & (random.uniform(size=count) < hit)
    truth = np.where(answerable, random.integers(0, 5, count), NO_ARTICLE)
    best = np.where(right, truth, (truth + 1) % 5)
    score = random.normal(np.where(right, 0.4, 0.22), 0.07)
    found = np.stack([score, np.maximum(score - 0.15, 0), 0.3 + score, 0.1 + score], axis=1)
    return HeldOut(found, best, truth, np.ones(count))


def test_confidence_is_calibrated_by_trusted_phrasings():
    """In each fifth of the questions, mean confidence and share of right ones come nearer to each other than by the model alone."""
    known = held_out(2_000)
    calibration, model = calibrate(known, NEAR), calibrate(nothing(), NEAR)
    parts = np.array_split(np.argsort(known.signs[:, 0]), 5)
    errors = [[abs(one.probability(known.signs)[part].mean() - known.right[part].mean()) for part in parts] for one in (calibration, model)]
    assert sum(errors[0]) < sum(errors[1])
    assert max(errors[0]) < 0.2
    assert calibration.questions == int((known.truth != NO_ARTICLE).sum())


def test_phrasings_that_do_not_find_each_other_are_not_trusted():
    """Where fewer than half of them find their article, model and cut-offs stay what they are without them."""
    unlike, alike = calibrate(held_out(hit=0.4), NEAR, phrasings=5), calibrate(held_out(hit=0.9), NEAR, phrasings=5)
    assert (unlike.weights, unlike.cutoffs) == (MODEL, usual_cutoffs(5))
    assert alike.weights != MODEL
    assert (unlike.hit_at_1 or 1.0) < 0.5


def test_no_sign_counts_against_an_article():
    """Not even when held-out questions say so: the model is stretched, never turned around."""
    known = held_out(2_000)
    upside_down = HeldOut(-known.signs, known.best, known.truth, known.weight)
    for case in (known, upside_down):
        assert all(weight > 0 for weight in calibrate(case, NEAR).weights[1:])


def test_signs_are_measured_against_near_misses():
    """The same model serves where scores are high and where they are low: twice a near miss is twice a near miss."""
    few, many = np.array([[0.3, 0.1, 0.6, 0.4]]), np.array([[0.6, 0.2, 0.6, 0.4]])
    assert standard(few, (0.15, 0.05, 0.5, 0.3)) == pytest.approx(standard(many, (0.3, 0.1, 0.5, 0.3)))
    assert standard(few, (0.15, 0.05, 0.5, 0.3)) == pytest.approx(np.array([[2, 2 / 3, 0.1, 0.1]]))


def test_near_misses_of_few_questions_lean_on_what_is_typical():
    """None: what is typical; many phrasings: their middle; titles count for a little less than they show."""
    none, many = np.zeros((0, 4)), np.tile([0.8, 0.3, 0.7, 0.5], (1_000, 1))
    assert near_level(none, none) == TYPICAL_NEAR
    assert near_level(many, many) == pytest.approx((0.8, 0.3, 0.7, 0.5), abs=0.01)
    by_titles = near_level(none, many)
    assert all(lower < shown for lower, shown in zip(by_titles, (0.8, 0.3, 0.7, 0.5), strict=True))
    assert near_level(np.zeros((1_000, 4)), none)[0] > 0


def nothing() -> HeldOut:
    return HeldOut(np.zeros((0, 4)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def test_without_phrasings_the_model_holds():
    """Nothing to learn from, and still numbers and cut-offs, more careful than with phrasings."""
    calibration = calibrate(nothing(), NEAR)
    assert (calibration.weights, calibration.cutoffs, calibration.questions) == (MODEL, usual_cutoffs(0), 0)
    sure, unsure = calibration.probability(np.array([[0.6, 0.4, 0.9, 0.9], [0.1, 0.0, 0.2, 0.1]]))
    assert sure > calibration.cutoffs.answer > calibration.cutoffs.offer > unsure
    assert [usual_cutoffs(phrasings).answer for phrasings in (0, 1, 3, 10)] == pytest.approx([0.65, 0.6, 0.5, 0.5])


def test_confidence_follows_the_share_of_messages_without_an_answer():
    """The same signs mean more where every message has an answer, and less where most have none; the usual share changes nothing."""
    some = np.array([[0.4, 0.2, 0.7, 0.5]])
    by_share = [float(calibrate(nothing(), NEAR, aim=Aim(no_answer_share=share)).probability(some)[0]) for share in (0.0, 0.3, 0.6, 0.9)]
    assert by_share == sorted(by_share, reverse=True)
    assert model_for(0.3) == pytest.approx(MODEL)
    # Without the unanswerable, what is left of all that is not right is the part that has an answer all the same.
    odds = [np.exp(model_for(share)[0] - MODEL[0]) for share in (0.0, 0.3)]
    assert odds == pytest.approx([1 / WRONG_BUT_ANSWERABLE, 1])


def test_more_right_answers_cost_answers():
    """A higher wish means a higher cut-off, with questions to choose it by and without; what is offered stays below it."""
    for known in (nothing(), held_out(2_000)):
        cutoffs = [calibrate(known, NEAR, phrasings=5, aim=Aim(answers_right=wish)).cutoffs for wish in (0.5, 0.8, 0.9, 0.95, 0.99)]
        answers = [one.answer for one in cutoffs]
        assert answers == sorted(answers)
        assert answers[-1] > answers[2] > answers[0]
        assert all(one.offer <= one.answer for one in cutoffs)


def test_cutoffs_keep_their_order_and_their_bounds():
    """With much data or little, all right or all wrong."""
    for known in (held_out(), held_out(3), held_out(40, 9)):
        for best in (known.best, known.truth, np.full_like(known.best, 9)):
            cutoffs = calibrate(HeldOut(known.signs, best, known.truth, known.weight), NEAR, phrasings=3).cutoffs
            assert 0.05 <= cutoffs.offer <= cutoffs.answer <= HIGHEST_CUTOFF


def test_the_upper_cutoff_is_where_nine_in_ten_are_right():
    """On the questions it was chosen from, as far as they have a say and it lies within bounds."""
    random = np.random.default_rng(1)
    confidence = random.uniform(size=4_000)
    right = random.uniform(size=4_000) < np.minimum(1, confidence + 0.1)
    known = HeldOut(np.zeros((4_000, 4)), np.where(right, 1, 2), np.ones(4_000, np.int64), np.ones(4_000))
    cutoffs = choose_cutoffs(confidence, known, usual_cutoffs(0), 1.0)
    assert known.right[confidence >= cutoffs.answer].mean() == pytest.approx(0.9, abs=0.01)
    assert choose_cutoffs(confidence, known, usual_cutoffs(0), 0.0) == usual_cutoffs(0)
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


def test_questions_to_hold_out_are_spread_evenly():
    """All of few, 1,500 of many."""
    assert spread(np.arange(3)).tolist() == [0, 1, 2]
    many = spread(np.arange(5_000))
    assert (len(many), many[0], many[-1]) == (1_500, 0, 4_999)
    assert np.diff(many).max() <= 4


def test_the_centre_of_an_article_is_the_middle_of_its_rows():
    """Of unit length, rows in any order; a row that is alone is the centre itself."""
    vectors = unit_rows(5)
    found = centres(vectors, Rows(np.array([1, 0, 1, 1, 0]), np.zeros(5, np.int64), np.full(5, -1)))
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    middle = vectors[[0, 2, 3]].mean(axis=0)
    assert found[1] @ middle == pytest.approx(np.linalg.norm(middle))
    assert centres(vectors[:1], Rows(np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, -1)))[0] == pytest.approx(vectors[0])


@pytest.mark.parametrize("kind", [PHRASING, TITLE])
def test_a_question_held_out_is_asked_of_an_index_without_it(kind):
    """What settling says of one phrasing, or of its article's absence, is what a ranking without these rows says."""
    vectors, articles, kinds = unit_rows(24), np.arange(24) % 6, np.where(np.arange(24) < 6, TITLE, PHRASING)
    texts = [f"words{number % 7} and{number} more{number % 3}" for number in range(24)]
    data = Learnable(Rows(articles, kinds, np.full(24, -1)), texts, vectors, index_texts(texts))
    question = 3 if kind == TITLE else 15
    training = head_of(vectors, articles)
    asked = ask_rows(data, np.array([question]))
    for held, gone in ((as_if_new(training, asked), np.array([question])), (as_if_unanswered(training, asked), np.flatnonzero(articles == 3))):
        rest = np.setdiff1d(np.arange(24), gone)
        similarity = kernel(vectors @ vectors[rest].T, 0, 0)
        # Where the whole article goes it keeps its number and has no rows, so it is taken out of the comparison.
        targets = np.eye(6)[articles[rest]] - 1 / 7
        weights = np.linalg.solve(similarity[rest] + (1e-3 + 0.1) * np.eye(len(rest)), targets)
        sums = np.zeros((6, 16))
        np.add.at(sums, articles[rest], vectors[rest])
        middle = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        scores = similarity[question] @ weights + 1 / 7 + CENTRE_SHARE * middle @ vectors[question]
        if len(gone) > 1:
            scores[3] = -1
        assert held.best[0] == scores.argmax()
        assert held.signs[0, 0] == pytest.approx(scores.max(), abs=5e-3)


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
    ranker = Ranker(vectors, rows, lexical, head, calibrate(nothing(), NEAR))
    found = [ranker.rank(vectors[number], texts[number], 3) for number in range(0, count, 50)]
    assert np.mean([ranked[0].article == articles[number] for number, ranked in zip(range(0, count, 50), found, strict=True)]) > 0.9
    assert all(ranked[0].confidence >= ranked[1].confidence >= ranked[2].confidence for ranked in found)


def test_an_edit_of_many_rows_is_hurried():
    """On fewer landmarks, and still nearly every row finds its article; few rows are never hurried."""
    count = 2_100
    vectors, articles = unit_rows(count), np.arange(count) % 50
    vectors += unit_rows(50, 1)[articles]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [f"word{number}" for number in range(count)]
    many = Learnable(Rows(articles, np.full(count, PHRASING), np.full(count, -1)), texts, vectors, index_texts(texts))
    head = fit_rows(many, 0.0, hurried=True)
    assert len(head.landmarks) == HURRIED_LANDMARKS
    right = head.scores(kernel(vectors @ vectors[head.landmarks].T, 0, 0)).argmax(axis=1) == articles
    full = fit_rows(many, 0.0)
    assert right.mean() > 0.8 * (full.scores(kernel(vectors @ vectors[full.landmarks].T, 0, 0)).argmax(axis=1) == articles).mean()
    few = Learnable(Rows(articles[:900], np.full(900, PHRASING), np.full(900, -1)), texts[:900], vectors[:900], index_texts(texts[:900]))
    assert len(fit_rows(few, 0.0, hurried=True).landmarks) == 900


def test_one_article_alone_can_be_settled():
    """There is nothing to confuse it with, and nothing to learn from."""
    vectors = unit_rows(3)
    rows = Rows(np.zeros(3, np.int64), np.array([TITLE, PHRASING, PHRASING]), np.full(3, -1))
    texts = ["a title", "one question", "another question"]
    settled = settle(Learnable(rows, texts, vectors, index_texts(texts)), far=["hello"], far_vectors=unit_rows(1, 5), aim=Aim())
    assert (settled.calibration.questions, settled.calibration.near) == (0, TYPICAL_NEAR)


def test_titles_alone_settle_how_near_a_near_miss_is():
    """Without phrasings nothing is asked, but titles say how alike articles are."""
    vectors, texts = unit_rows(40), [f"title{number}" for number in range(40)]
    rows = Rows(np.arange(40), np.full(40, TITLE), np.full(40, -1))
    settled = settle(Learnable(rows, texts, vectors, index_texts(texts)), far=["hello"], far_vectors=unit_rows(1, 5), aim=Aim())
    assert settled.calibration.questions == 0
    assert settled.calibration.near != TYPICAL_NEAR
