"""The section of the results, from a small knowledge base: all but the models, which the real bench loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.search import pictures
from benchmarks.search.running import Running
from benchmarks.search.sets import Case
from benchmarks.search.vectors import embed_once, texts_of
from benchmarks.search_quality import Wanted, ablation_lines, introduction, picture_lines, quality_lines, set_figures_by_name, told_lines
from knowledge_base.aim import Aim


def test_section_of_a_small_knowledge_base(case: Case, embedder, tmp_path: Path):
    """Measured in processes beside, with each part left out, and told as Markdown; without public sets a line says which belong there."""
    vectors = embed_once(embedder, texts_of(case))
    case = replace(case, name="shop")
    draws = [case, replace(case, questions=tuple(reversed(case.questions)))]
    with Running(Aim()) as running:
        measuring, ablating = running.measure(draws, vectors), running.ablate([case], vectors, {"no other model": vectors})
        telling = running.measure_as_told(draws, vectors)
        measured, told, ablated = ([one.result(100) for one in some] for some in (measuring, telling, ablating))
    sets = set_figures_by_name(measured)
    assert list(sets) == ["shop"]
    assert len(sets["shop"].answers) == 2
    lines = [
        *introduction(Wanted(None, tmp_path)),
        *quality_lines(sets),
        *told_lines({"shop": 0.0}, sets, set_figures_by_name(told)),
        *ablation_lines(ablated),
        *picture_lines(sets, tmp_path),
    ]
    text = "\n".join(lines)
    assert "2003.04807" in text
    assert "2020.insights-1.16" in text
    assert "| `hit_at_1` | 1.000 (1.000–1.000) |" in text
    assert "| no other model | +0.000 (+0.000 to +0.000) | +0.000 (+0.000 to +0.000) |" in text
    assert "| shop | 0% |" in text
    assert "| no trained head: the nearest row |" in text
    assert (pictures.MISSING in text) != (pictures.CALIBRATION in text) == (tmp_path / pictures.CALIBRATION).exists()


def test_with_public_sets_no_line_asks_for_them(tmp_path: Path):
    """And a trial says that it is one."""
    lines = introduction(Wanted(tmp_path, tmp_path, seeds=1, questions=60))
    assert not any("DATA=" in line for line in lines)
    assert "**A trial**: 60 questions a set, 1 of 3 draws." in lines
