"""What search is measured on: public sets of labelled questions where they are given, and the shop's own questions.

A label of a public set becomes an article whose phrasings are K of its training questions; the test questions are asked. The folder
holds ``banking77/{train,test}.csv`` (text, category) and ``curekart/{train,test}.csv`` (sentence, label), as they are published.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.settings import ROOT
from knowledge_base.evaluation import Question, read_questions

UNANSWERABLE = "NO_NODES_DETECTED"
SEEDS = (0, 1, 2)
PUBLISHED = (
    "`banking77/train.csv` and `test.csv` (text, category): Casanueva and others 2020, Efficient Intent Detection with Dual Sentence Encoders, "
    "arXiv 2003.04807, published at github.com/PolyAI-LDN/task-specific-datasets (CC BY 4.0)",
    "`curekart/train.csv` and `test.csv` (sentence, label): Arora and others 2020, HINT3: Raising the bar for Intent Detection in the Wild, "
    "ACL anthology 2020.insights-1.16, published at github.com/hellohaptik/HINT3",
)
SHOP_QUESTIONS = (
    ("shop", ROOT / "tests" / "knowledge_base" / "questions.jsonl"),
    ("shop, blind", ROOT / "tests" / "knowledge_base" / "questions_blind.jsonl"),
)


@dataclass(frozen=True)
class PublicSet:
    """A published set: its folder, its columns, how many phrasings an article gets (0 for all), and how often they are drawn."""

    name: str
    text: str
    label: str
    phrasings: tuple[int, ...]
    seeds: tuple[int, ...]


BANKING = PublicSet("banking77", "text", "category", (1, 3, 5, 10), SEEDS)
CUREKART = PublicSet("curekart", "sentence", "label", (0,), SEEDS[:1])


@dataclass(frozen=True)
class Case:
    """Questions for one knowledge base, the folder ``articles``. Cases of the same ``name`` are draws of the same set, with the same questions."""

    name: str
    articles: Path
    questions: tuple[Question, ...]

    @property
    def no_answer_share(self) -> float:
        """How many of the questions no article answers."""
        return sum(question.article is None for question in self.questions) / len(self.questions)


def shop_cases(articles: Path, limit: int | None = None) -> list[Case]:
    """The shop's own articles with each file of questions that there is."""
    return [Case(name, articles, _some(read_questions(path), limit)) for name, path in SHOP_QUESTIONS if path.is_file()]


def public_cases(data: Path, folder: Path, seeds: int = len(SEEDS), limit: int | None = None) -> list[Case]:
    """The public sets in ``data``, their articles written below ``folder``. ``limit`` takes that many of the questions, spread evenly."""
    cases = []
    for public in (BANKING, CUREKART):
        by_label, questions = read_public(data, public)
        for phrasings in public.phrasings:
            name = set_name(public.name, phrasings)
            for seed in public.seeds[:seeds]:
                articles = folder / f"{public.name}-{phrasings}-{seed}"
                write_articles(articles, by_label, phrasings, seed)
                cases.append(Case(name, articles, _some(questions, limit)))
    return cases


def set_name(name: str, phrasings: int) -> str:
    """The name of a set with so many phrasings an article."""
    return f"{name}, {phrasings} phrasing{'s' if phrasings > 1 else ''}" if phrasings else name


def read_public(data: Path, public: PublicSet) -> tuple[dict[str, list[str]], list[Question]]:
    """The training questions by label, and the test questions; those whose label has no training question are left out."""
    by_label: dict[str, list[str]] = {}
    for text, label in _rows(data / public.name / "train.csv", public):
        if text and text not in by_label.setdefault(label, []):
            by_label[label].append(text)
    tested = _rows(data / public.name / "test.csv", public)
    known = [(text, label) for text, label in tested if label == UNANSWERABLE or label in by_label]
    return by_label, [Question(text, None if label == UNANSWERABLE else slug_of(label)) for text, label in known]


def write_articles(folder: Path, by_label: dict[str, list[str]], phrasings: int, seed: int) -> None:
    """An article a label, with ``phrasings`` of its questions drawn by ``seed``; 0 takes all."""
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    for label in sorted(by_label):
        chosen = draw.sample(by_label[label], min(phrasings, len(by_label[label]))) if phrasings else by_label[label]
        title = label.replace("_", " ").strip("? ").capitalize()
        lines = [f"title: {json.dumps(title)}", "questions:", *(f"  - {json.dumps(text, ensure_ascii=False)}" for text in chosen)]
        (folder / f"{slug_of(label)}.md").write_text("---\n" + "\n".join(lines) + f"\n---\n\n{title}.\n", encoding="utf-8")


def slug_of(label: str) -> str:
    """The name of a label's article."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def _rows(path: Path, public: PublicSet) -> Iterator[tuple[str, str]]:
    with open(path, newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            yield " ".join(row[public.text].split()), row[public.label]


def _some(questions: list[Question], limit: int | None) -> tuple[Question, ...]:
    step = max(1, len(questions) // limit) if limit else 1
    return tuple(questions[::step][:limit])
