"""Search put together in the bench is the search that customers get, and leaving a part out leaves just that out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.search.ablation import ALL, WITHOUT_PART, Ablated, ablate, differences
from benchmarks.search.composing import Composed, Parts, material, reduced
from benchmarks.search.measuring import measure
from benchmarks.search.sets import Case
from benchmarks.search.vectors import as_asked, embed_once, texts_of
from knowledge_base.aim import Aim
from knowledge_base.embedding import Embedder
from knowledge_base.evaluation import Outcome, Question
from knowledge_base.ranking import PHRASING, TITLE


def test_with_all_parts_it_says_what_search_says(case: Case, embedder: Embedder):
    """The same articles in the same order, as sure, with the same cut-offs."""
    measured = measure(case, embedder, Aim())
    composed = Composed(material(case, embedder), Parts(), Aim())
    found = composed.ask(case.questions, embedder.embed(list(as_asked(case))))
    assert [one.slugs for one in found] == [one.slugs for one in measured.outcomes]
    assert [one.confidence for one in found] == pytest.approx([one.confidence for one in measured.outcomes], abs=2e-4)
    assert composed.cutoffs == measured.cutoffs
    assert sum(one.right for one in found) == 4


def test_settling_again_without_a_part_left_out_changes_nothing(case: Case, embedder: Embedder):
    """What is settled for another head or without centres is settled as the build does it."""
    whole = material(case, embedder)
    composed = Composed(whole, Parts(), Aim())
    again = composed._calibration(whole, Aim())
    assert again.weights == pytest.approx(composed._settled.calibration.weights, abs=1e-3)
    assert again.near == pytest.approx(composed._settled.calibration.near, abs=1e-4)
    assert again.cutoffs.answer == pytest.approx(composed.cutoffs.answer, abs=0.011)


def test_each_part_changes_something(case: Case, embedder):
    """A part that is left out and changes no confidence was not left out; and each text is embedded once."""
    known = embed_once(embedder, texts_of(case) * 2)
    found = ablate(case, known, {}, Aim()).outcomes
    sure = {name: [one.confidence for one in outcomes] for name, outcomes in found.items()}
    assert set(sure) == {ALL, *WITHOUT_PART}
    assert [name for name in WITHOUT_PART if sure[name] == sure[ALL]] == []
    assert len(embedder.embedded) == len(set(embedder.embedded)) == len(known.known)


def test_an_article_keeps_its_title_where_it_has_nothing_else(case: Case, embedder: Embedder):
    """Five articles stay; the four with phrasings lose their titles."""
    whole = material(case, embedder)
    data = reduced(whole.data, Parts(without=frozenset({TITLE})))
    assert data.rows.articles == 5
    assert [data.texts[row] for row in np.flatnonzero(data.rows.kind == TITLE)] == ["About the empty"]
    assert not (reduced(whole.data, Parts(without=frozenset({PHRASING}))).rows.kind == PHRASING).any()


def test_another_model_is_asked_too(case: Case, embedder: Embedder):
    """Under the name of what it lacks; nothing is left out of it."""
    known = embed_once(embedder, texts_of(case))
    muddled = replace(known, known=dict(zip(known.known, reversed(known.known.values()), strict=True)))
    found = ablate(case, known, {"muddled": muddled}, Aim(), {}).outcomes
    assert set(found) == {ALL, "muddled"}
    assert sum(one.right for one in found["muddled"]) < sum(one.right for one in found[ALL]) == 4


def test_differences_are_paired_and_averaged():
    """One question in ten is lost in one set, none in the other, which lacks the part: half of a tenth in the mean."""
    right = tuple(Outcome(Question(str(number), "a"), ("a",), number / 100, 0.0) for number in range(100))
    fewer = tuple(replace(one, slugs=("b",)) if number % 10 == 0 else one for number, one in enumerate(right))
    table = differences([Ablated("one", {ALL: right, "no part": fewer}), Ablated("two", {ALL: right})], "hit_at_1")
    assert table["no part"]["one"].value == pytest.approx(-0.1)
    assert table["no part"]["mean"].value == pytest.approx(-0.05)
    assert "two" not in table["no part"]
    assert table[ALL]["mean"].value == 1.0
