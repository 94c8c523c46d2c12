"""How well search finds articles: public sets of labelled questions where they are given, and the shop's own phrasings.

A label of a set becomes an article whose phrasings are K of its training questions; the test questions are asked. The folder
holds ``banking77/{train,test}.csv`` (text, category) and ``curekart/{train,test}.csv`` (sentence, label), as they are published.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from kit.settings import read_settings
from knowledge_base.building import build
from knowledge_base.embedding import Embedder, SentenceEmbedder, Vectors
from knowledge_base.evaluation import Question, evaluate
from knowledge_base.index_files import load_index
from knowledge_base.reading import read_folder

UNANSWERABLE = "NO_NODES_DETECTED"
SEEDS = (0, 1, 2)
FIGURES = ("hit_at_1", "hit_at_3", "auroc_answerable", "auroc_correct", "mcc", "answered", "answered_right", "recall_at_precision_85", "ece", "brier")


@dataclass(frozen=True)
class PublicSet:
    """A published set: its folder, its columns, and how many phrasings an article gets (0 for all)."""

    name: str
    text: str
    label: str
    phrasings: tuple[int, ...]
    seeds: tuple[int, ...]


SETS = (
    PublicSet("banking77", "text", "category", (1, 3, 5, 10), SEEDS),
    PublicSet("curekart", "sentence", "label", (0,), SEEDS[:1]),
)


class RememberingEmbedder:
    """Embeds each text once: the same questions are asked of every index. Times measured with it mean nothing and are not shown."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self.checksum = embedder.checksum
        self.dimensions = embedder.dimensions

    def embed(self, texts: list[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._known[text]
        return vectors


def quality_section(data: str | None) -> str:
    """The section of the results, printed as it grows. Without ``data`` the shop's own phrasings alone are measured."""
    settings = read_settings()
    embedder = SentenceEmbedder(settings.var / "embedding")
    lines = ["## Search", "", *_shop_lines(settings.articles, embedder, settings.no_answer_share), ""]
    if data is None:
        lines.append("Public sets were not measured: `DATA=` names the folder that holds `banking77` and `curekart`.")
    else:
        lines += _public_lines(Path(data), RememberingEmbedder(embedder), settings.no_answer_share)
    section = "\n".join(lines) + "\n"
    print(section, flush=True)
    return section


def _shop_lines(articles: Path, embedder: Embedder, no_answer_share: float) -> list[str]:
    """The articles of this kit, each phrasing asked as if it were not in the index."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        built = build(read_folder(articles), Path(folder), embedder, no_answer_share=no_answer_share, now=datetime.now(UTC))
        seconds = time.perf_counter() - started
        calibration = load_index(Path(folder) / built.generation, embedder.checksum).settled.calibration
    cutoffs = calibration.cutoffs
    lines = [
        f"The shop's own {built.articles} public articles, {built.rows} rows, built in {seconds:.1f} s.",
        f"{calibration.questions} phrasings, each asked as if it were not in the index: {_shown(calibration.hit_at_1)} find their article first.",
        f"The bot answers from {cutoffs.answer:.2f} up and offers from {cutoffs.offer:.2f} up.",
        "",
        "| cut-off | messages answered | of these right |",
        "|---|---|---|",
    ]
    return lines + [f"| {level:.2f} | {answered:.3f} | {right:.3f} |" for level, answered, right in calibration.table[1::2]]


def _public_lines(data: Path, embedder: Embedder, no_answer_share: float) -> list[str]:
    lines = [f"| set | phrasings | {' | '.join(FIGURES)} |", f"|---|---|{'---|' * len(FIGURES)}"]
    for public in SETS:
        for phrasings in public.phrasings:
            found = [measure(data, public, phrasings, seed, embedder, no_answer_share) for seed in public.seeds]
            means = [_mean([one[figure] for one in found]) for figure in FIGURES]
            lines.append(f"| {public.name} | {phrasings or 'all'} | {' | '.join(_shown(mean) for mean in means)} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return [
        *lines,
        "",
        f"Means over {len(SEEDS)} draws of the phrasings for banking77; share of messages without an answer set to {no_answer_share}.",
    ]


def measure(data: Path, public: PublicSet, phrasings: int, seed: int, embedder: Embedder, no_answer_share: float) -> dict[str, Any]:
    """One index, one set of questions, all figures."""
    by_label: dict[str, list[str]] = {}
    for text, label in _read(data / public.name / "train.csv", public):
        if text and text not in by_label.setdefault(label, []):
            by_label[label].append(text)
    questions = [
        Question(text, None if label == UNANSWERABLE else _slug(label))
        for text, label in _read(data / public.name / "test.csv", public)
        if label == UNANSWERABLE or label in by_label
    ]
    with tempfile.TemporaryDirectory() as folder:
        _write_articles(Path(folder), by_label, phrasings, seed)
        return evaluate(Path(folder), questions, embedder, no_answer_share)


def _write_articles(folder: Path, by_label: dict[str, list[str]], phrasings: int, seed: int) -> None:
    draw = random.Random(seed)
    for label in sorted(by_label):
        chosen = draw.sample(by_label[label], min(phrasings, len(by_label[label]))) if phrasings else by_label[label]
        title = label.replace("_", " ").strip("? ").capitalize()
        lines = [f"title: {json.dumps(title)}", "questions:", *(f"  - {json.dumps(text, ensure_ascii=False)}" for text in chosen)]
        (folder / f"{_slug(label)}.md").write_text("---\n" + "\n".join(lines) + f"\n---\n\n{title}.\n", encoding="utf-8")


def _read(path: Path, public: PublicSet) -> Iterator[tuple[str, str]]:
    with open(path, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            yield " ".join(row[public.text].split()), row[public.label]


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    quality_section(sys.argv[1] if len(sys.argv) > 1 else None)
