"""Whether to adapt is found out from the knowledge base alone, on phrasings and articles that the adapted model has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from knowledge_base import adaptation
from knowledge_base.adaptation import Material, Tried, can_pay, changed_much, folds, is_better, key, marks, tried
from knowledge_base.adapting import material_of, steps_for, subjects
from knowledge_base.aim import Aim
from knowledge_base.calibration import NO_ARTICLE
from knowledge_base.ranking import ANSWER, PASSAGE, PHRASING, TITLE, Rows
from knowledge_base.reading import read_folder
from knowledge_base.training import Settled

WORDS = ["router", "parcel", "refund", "lamp", "invoice", "voucher", "battery", "camera", "window", "garden", "kettle", "ladder"]


def material(articles: int = 20, phrasings: int = 10) -> Material:
    """Articles of a title and some phrasings, every text another one."""
    rows = [(number, kind) for number in range(articles) for kind in (TITLE, *[PHRASING] * phrasings)]
    texts = [f"{WORDS[place % 12]} text {place}" for place in range(len(rows))]
    columns = np.array([[article, kind, -1] for article, kind in rows], np.int64).T
    return Material(Rows(*columns), tuple(texts), tuple(f"far message {number}" for number in range(30)))


def vectors(of: Material, noise: float, seed: int = 0) -> np.ndarray:
    """Unit vectors around a direction for each article, as far from it as ``noise`` says; far messages lie anywhere."""
    draw = np.random.default_rng(seed)
    directions = np.random.default_rng(7).normal(size=(of.rows.articles, 48))
    own = directions[of.rows.article] + noise * draw.normal(size=(len(of.texts), 48))
    found = np.concatenate([own, draw.normal(size=(len(of.far), 48))]).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def reached(of: Material, noise: float) -> Tried:
    return tried(of, [(fold, vectors(of, noise)) for fold in folds(of.rows)], Aim())


@pytest.mark.parametrize(
    ("phrasings", "expected"),
    [([8] * 25, True), ([8] * 24, False), ([7] * 40, False), ([40] * 5 + [1] * 6, False), ([5] * 102, False), ([300], False), ([], False)],
)
def test_it_is_tried_where_there_are_many_phrasings(articles, phrasings, expected):
    """Of the middle article and in all; one article alone has nothing to be told apart from."""
    for number, count in enumerate(phrasings):
        articles.add(f"a{number}", f"Article {number}", *(f"question {number} {other}" for other in range(count)))
    assert can_pay(read_folder(articles.folder).articles) is expected


def test_what_customers_are_not_shown_does_not_count(articles):
    """Neither for the rule nor for how much is new."""
    for number in range(25):
        articles.add(f"a{number}", f"Article {number}", *(f"question {number} {other}" for other in range(8)), audience="internal")
    read = read_folder(articles.folder).articles
    assert not can_pay(read)
    assert not marks(read)


def test_a_tenth_of_new_phrasings_is_much(articles):
    """Those that have gone are not; one that has moved to another article is new there."""
    for number in range(10):
        articles.add(f"a{number}", f"Article {number}", f"question {number}")
    then = marks(read_folder(articles.folder).articles)
    assert len(then) == 10
    assert not changed_much(then, then)
    assert not changed_much(frozenset(list(then)[:5]), then)
    articles.add("a0", "Article 0", "question 1")
    articles.add("a1", "Article 1", "question 0")
    assert changed_much(marks(read_folder(articles.folder).articles), then)


def test_the_key_says_texts_model_share_and_method():
    """Not in which order the articles stand."""
    some = material(3, 2)
    own = key(some, "base", Aim())
    in_another_order = Material(Rows(2 - some.rows.article, some.rows.kind, some.rows.passage), some.texts, some.far)
    assert key(in_another_order, "base", Aim()) == own
    other_text = replace(some, texts=("x", *some.texts[1:]))
    assert len({own, key(some, "other", Aim()), key(some, "base", Aim(0.4)), key(other_text, "base", Aim())}) == 4
    assert len(own) == 32


def test_what_is_asked_in_a_fold_was_not_learnt_from():
    """15 % of the articles are hidden, 20 % of the phrasings of the others held out; the folds ask different ones."""
    rows = material(40, 10).rows
    found = folds(rows)
    assert len(found) == adaptation.MOST_FOLDS
    for fold in found:
        assert not set(fold.kept) & ({*fold.asked} | {*fold.near} | {*fold.titles})
        hidden = set(rows.article[fold.near])
        assert len(hidden) == 6 == len(fold.titles)
        assert not hidden & set(rows.article[fold.kept])
        assert set(rows.article[fold.asked]) == set(range(40)) - hidden == set(rows.article[fold.kept])
        assert len(fold.asked) == 34 * 2
        assert set(rows.kind[fold.asked]) == {PHRASING}
    assert not set(found[0].asked) & set(found[1].asked)
    assert not set(rows.article[found[0].near]) & set(rows.article[found[1].near])


def test_many_questions_need_one_fold():
    """For a large knowledge base each costs minutes."""
    assert len(folds(material(200, 15).rows)) == 1


def test_a_model_that_tells_articles_apart_is_found_to_be_better():
    """By the same questions; what is the same gains nothing."""
    some = material()
    near, far = reached(some, 0.5), reached(some, 4.0)
    assert near.questions == far.questions == sum(len(fold.asked) for fold in folds(some.rows))
    assert near.hit_at_1 > far.hit_at_1 + 0.05
    assert is_better(near, far)
    assert not is_better(far, near)
    assert not is_better(far, far)
    assert near.auroc_near > far.auroc_near


@pytest.mark.parametrize(
    ("hit_at_1", "auroc", "expected"), [(0.81, 0.9, True), (0.809, 0.9, False), (0.81, 0.895, True), (0.9, 0.894, False), (0.9, 0.99, True)]
)
def test_a_point_must_be_gained_and_half_a_point_may_be_lost(hit_at_1, auroc, expected):
    """Found more of the held-out phrasings, told near misses as well."""
    settled = reached(material(6, 6), 0.5).settled
    assert is_better(Tried(hit_at_1, auroc, 100, settled), Tried(0.8, 0.9, 100, settled)) is expected


def test_what_is_settled_comes_from_questions_that_were_not_learnt_from():
    """As many questions as were held out; confident where they are found, careful where they are not."""
    some = material()
    settled = reached(some, 0.5).settled
    assert isinstance(settled, Settled)
    assert settled.calibration.questions == reached(some, 0.5).questions
    assert settled.calibration.hit_at_1 == reached(some, 0.5).hit_at_1
    fold = folds(some.rows)[0]
    found = adaptation.answers(some, vectors(some, 0.5), fold, settled.lexical_share)
    sure = settled.calibration.probability(found.asked.signs).mean()
    assert sure > 0.7
    assert settled.calibration.probability(found.near.signs).mean() < sure - 0.3
    assert settled.calibration.probability(found.far.signs).mean() < 0.2
    assert set(found.near.truth) == set(found.titles.truth) == set(found.far.truth) == {NO_ARTICLE}
    assert not set(found.near.best) & set(some.rows.article[fold.near])


def test_hidden_articles_are_never_the_answer():
    """Best articles are named by their numbers in the whole knowledge base."""
    some = material(30, 8)
    for fold in folds(some.rows):
        found = adaptation.answers(some, vectors(some, 0.3), fold, 0.05)
        assert (found.asked.best == some.rows.article[fold.asked]).mean() > 0.9
        assert not set(found.asked.best) & set(some.rows.article[fold.near])


def test_passages_are_not_taught(shop):
    """They say too many things at once. Each article teaches its own rows among those that are to be learnt."""
    some = material_of(read_folder(shop.folder).articles)
    taught = subjects(some, range(len(some.texts)))
    assert len(taught) == some.rows.articles == 5
    wanted = {text for text, kind in zip(some.texts, some.rows.kind, strict=True) if kind != PASSAGE}
    assert {text for one in taught for text in one.texts} == wanted
    assert ANSWER in some.rows.kind
    few = np.flatnonzero(some.rows.article < 2).tolist()
    assert len(subjects(some, few)) == 2


def test_steps_grow_with_the_phrasings():
    """Within bounds, so that it ends."""
    counts = [steps_for(phrasings) for phrasings in (1, 200, 1000, 2000, 10**6)]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (120, 480)
