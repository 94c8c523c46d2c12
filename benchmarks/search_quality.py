"""How well search answers: tables with intervals, each part left out, and two pictures.

``python -m benchmarks.search_quality [DATA] [--seeds 1] [--questions 200]`` prints it; without DATA the shop's questions alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.search import models, pictures
from benchmarks.search.ablation import SHOWN, Ablated, differences
from benchmarks.search.measuring import Measured
from benchmarks.search.pictures import Curve
from benchmarks.search.resampling import RESAMPLES, answers_of
from benchmarks.search.running import Running
from benchmarks.search.sets import BANKING, CUREKART, PUBLISHED, SEEDS, SHOP_QUESTIONS, Case, public_cases, set_name, shop_cases
from benchmarks.search.tables import (
    SetFigures,
    ablation_table,
    all_figures_table,
    banking_table,
    curekart_table,
    goals_table,
    set_figures,
    told_table,
)
from benchmarks.search.vectors import KnownVectors, embed_once, texts_of
from kit.settings import ROOT, Settings, read_settings
from knowledge_base.aim import aim_of
from knowledge_base.embedding import Embedder, SentenceEmbedder
from knowledge_base.export import is_exported

PICTURES = ROOT / "docs" / "pictures"
# Sets whose questions are asked again without each part, and those that are drawn. Of banking77 the first draw.
ABLATED = (set_name(BANKING.name, 10), set_name(BANKING.name, 3), CUREKART.name, *(name for name, _ in SHOP_QUESTIONS))
DRAWN = (set_name(BANKING.name, 10), set_name(BANKING.name, 1), CUREKART.name, *(name for name, _ in SHOP_QUESTIONS))


@dataclass(frozen=True)
class Wanted:
    """What is measured. Fewer ``seeds`` and ``questions`` a set are for trials."""

    data: Path | None
    embedding: Path
    pictures: Path = PICTURES
    seeds: int = len(SEEDS)
    questions: int | None = None


def quality_section(data: str | None, embedding: Path) -> str:
    """The section of the results, printed. ``embedding`` is the folder of the exported model."""
    section = "\n".join(_section(Wanted(Path(data) if data else None, embedding), read_settings())) + "\n"
    print(section, flush=True)
    return section


def _section(wanted: Wanted, settings: Settings) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        cases = shop_cases(settings.articles, wanted.questions)
        if wanted.data:
            cases = [*public_cases(wanted.data, Path(folder), wanted.seeds, wanted.questions), *cases]
        vectors = _embedded("the shipped model", SentenceEmbedder(wanted.embedding), cases)
        fewer = [one for name in ABLATED for one in [case for case in cases if case.name == name][:1]]
        without = {name: _embedded(name, model, fewer) for name, model in models.lacking(settings.model)}
        measured, told, ablated = _run(cases, fewer, vectors, without, aim_of(settings))
        sets = set_figures_by_name(measured)
        shares = {case.name: case.no_answer_share for case in cases}
        lines = [*introduction(wanted), *quality_lines(sets), *told_lines(shares, sets, set_figures_by_name(told)), *ablation_lines(ablated)]
        lines += picture_lines(sets, wanted.pictures)
    return lines


def _embedded(name: str, embedder: Embedder, cases: Sequence[Case]) -> KnownVectors:
    began = time.monotonic()
    known = embed_once(embedder, (text for case in cases for text in texts_of(case)))
    _told(f"{len(known.known)} texts by {name}, {time.monotonic() - began:.0f} s")
    return known


def _run(
    cases: Sequence[Case], fewer: Sequence[Case], vectors: KnownVectors, without: dict[str, KnownVectors], share: float
) -> tuple[list[Measured], list[Measured], list[Ablated]]:
    """All ``cases`` as they are, all with their own share of questions without an answer, and some without each part."""
    began = time.monotonic()
    with Running(share) as running:
        # The longest first, so that no process is left alone with it at the end.
        ablating = running.ablate(fewer, vectors, without)
        measuring, telling = running.measure(cases, vectors), running.measure_as_told(cases, vectors)
        measured, told, ablated = ([one.result() for one in some] for some in (measuring, telling, ablating))
    _told(f"{len(measured)} indexes asked twice, {len(ablated)} of them without each part, {time.monotonic() - began:.0f} s")
    return measured, told, ablated


def set_figures_by_name(measured: Sequence[Measured]) -> dict[str, SetFigures]:
    """All figures of each set, its draws of phrasings together."""
    names = list(dict.fromkeys(one.name for one in measured))
    return {name: set_figures(name, [answers_of(one.outcomes, one.cutoffs) for one in measured if one.name == name]) for name in names}


def introduction(wanted: Wanted) -> list[str]:
    """What the figures are, and which public sets belong there where none are."""
    lines = [
        "## Quality of search",
        "",
        f"Behind each figure its 95 % interval: the questions drawn {RESAMPLES} times, with replacement. It does not say how much another draw",
        "of phrasings would change; banking77 is the mean over three draws. Cut-offs and all else are chosen by the build, from articles alone.",
        "`ece` is a sum of distances, which drawing anew can only make larger: its interval leans upwards, the more so the fewer questions.",
    ]
    if wanted.questions or wanted.seeds != len(SEEDS):
        lines += ["", f"**A trial**: {wanted.questions or 'all'} questions a set, {wanted.seeds} of {len(SEEDS)} draws."]
    if not wanted.data:
        lines += ["", "Public sets were not measured. `DATA=` names a folder that holds, as published:", "", *(f"- {one}" for one in PUBLISHED)]
    return lines


def quality_lines(sets: dict[str, SetFigures]) -> list[str]:
    """Ours beside others, and all figures."""
    lines: list[str] = []
    if any(name.startswith(BANKING.name) for name in sets):
        lines += ["", *banking_table(sets)]
    if CUREKART.name in sets:
        lines += ["", *curekart_table(sets[CUREKART.name].figures)]
    lines += ["", "All figures, with the number of questions:", "", *all_figures_table(list(sets.values()))]
    return [*lines, "", "Confidence, against what it is to be:", "", *goals_table(list(sets.values()))]


def told_lines(shares: dict[str, float], sets: dict[str, SetFigures], told: dict[str, SetFigures]) -> list[str]:
    """What it is worth that the owner says how many messages no article answers."""
    lines = [
        "",
        "The share of messages without an answer is not in the articles: it is a setting (`TOUCHDESK_NO_ANSWER_SHARE`), and the tables above",
    ]
    lines += ["have the usual one. What the setting is worth where the owner knows it; nothing else is chosen by the questions:", ""]
    return [*lines, *told_table(shares, list(sets.values()), list(told.values()))]


def ablation_lines(ablated: Sequence[Ablated]) -> list[str]:
    """What each part is worth."""
    names = [one.name for one in ablated]
    lines = [
        "",
        "### Without each part",
        "",
        "The change of the figure, all else settled anew; the interval is that of the difference over the same draws of questions, and bold",
        "where it leaves out nothing. An empty cell: the set has nothing of the kind. Of banking77 the first draw.",
    ]
    for figure in SHOWN:
        lines += ["", *ablation_table(figure, differences(ablated, figure), names)]
    return lines


def picture_lines(sets: dict[str, SetFigures], folder: Path) -> list[str]:
    """Draw the pictures and name them, or say what is needed for that."""
    lines = ["", "### Pictures", ""]
    if not pictures.can_draw():
        return [*lines, pictures.MISSING]
    pictures.draw_pictures([Curve(name, sets[name].answers) for name in DRAWN if name in sets], folder)
    names = (("How far confidence can be believed", pictures.CALIBRATION), ("What answering more costs", pictures.COVERAGE))
    return [*lines, *(f"![{alt}](../docs/pictures/{name})" for alt, name in names)]


def _told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, help="folder of the public sets")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--questions", type=int, help="ask so many questions a set, for a trial")
    parser.add_argument("--embedding", type=Path, help="folder of an exported model, instead of the kit's own")
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    options = parser.parse_args()
    settings = read_settings()
    embedding = options.embedding or settings.var / "embedding"
    if not is_exported(settings.model, embedding):
        parser.error(f"{embedding} does not hold the model as this version makes it: make setup")
    wanted = Wanted(options.data, embedding, options.pictures, options.seeds, options.questions)
    print("\n".join(_section(wanted, settings)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
