"""``python -m knowledge_base test``: the articles' own questions as regression tests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from kit.settings import Settings

from .aim import aim_of
from .embedding import Embedder
from .evaluation import Question, read_questions
from .exceptions import KnowledgeBaseError
from .holding_out import Opened, Tried, ask_all, hold_out, open_generation
from .question_report import Run, Where, as_json, as_lines, figures, read_figures, read_report
from .question_tests import Comparison, compare, failures
from .reading import Reading, read_folder
from .source_lines import source_lines
from .trial_index import live_folder, trial_generation

MEANING = "ask every article's own questions as if they had not been written down, and compare with the live index"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--articles", type=Path, help="another folder")
    parser.add_argument("--questions", type=Path, help='more questions to ask, JSONL: {"question": text, "article": slug or null}')
    against = parser.add_mutually_exclusive_group()
    against.add_argument("--against", type=Path, metavar="REPORT", help="compare with an earlier run's --json, not with the live index")
    against.add_argument("--alone", action="store_true", help="compare with nothing")
    parser.add_argument("--allow-worse", type=int, default=0, metavar="N", help="how many questions may be worse than before (0)")
    parser.add_argument("--floor", type=Path, metavar="FILE", help='figures that must be reached, JSON: {"hit_at_1": 0.8, "hit_at_3": 0.95}')
    parser.add_argument("--all", action="store_true", help="list every article and every pair")
    parser.add_argument("--json", action="store_true", help="one JSON object, which --against reads again")


def run_tests(options: argparse.Namespace, settings: Settings, embedder: Embedder) -> int:
    """Run the command. 0 when nothing is worse than allowed and no figure below its floor, else 1."""
    folder = options.articles or settings.articles
    reading = read_folder(folder)
    for problem in reading.problems:
        print(problem, file=sys.stderr)
    floor = read_figures(options.floor) if options.floor else {}
    run = _run(options, settings, embedder, reading)
    reasons = failures(run.comparisons, options.allow_worse, figures(run), floor)
    if options.json:
        print(json.dumps(as_json(run, reasons), ensure_ascii=False, indent=1))
    else:
        print("\n".join(as_lines(run, reasons, places(folder, reading), every=options.all)))
    return 1 if reasons else 0


def places(folder: Path, reading: Reading) -> Where:
    """Gives ``file:line`` for an article's slug and one of its phrasings."""
    articles = {article.slug: article for article in reading.articles}

    def where(slug: str, question: str) -> str:
        article = articles.get(slug)
        return f"{article.path}:{source_lines(folder, article).of('questions', question)}" if article else slug

    return where


def _run(options: argparse.Namespace, settings: Settings, embedder: Embedder, reading: Reading) -> Run:
    public = tuple(article.slug for article in reading.articles if article.is_public)
    if not public:
        raise KnowledgeBaseError("there is no published public article to ask")
    questions = read_questions(options.questions) if options.questions else []
    refuse_unknown(options.questions, questions, public)
    now = datetime.now(timezone.utc)
    live = live_folder(settings.index, embedder)
    with trial_generation(reading, live, embedder, aim=aim_of(settings), now=now) as folder:
        own, asked = _ask(open_generation(folder, embedder), questions)
    if options.against:
        before: tuple[tuple[Tried, ...], tuple[Tried, ...]] | None = read_report(options.against)
    else:
        before = None if options.alone or live is None else _ask(open_generation(live, embedder), questions)
    name = str(options.against) if options.against else f"the live index {live.name}" if live else ""
    changes: list[Comparison | None] = [None, None]
    if before:
        changes = [compare(name, before[0], own), compare(name, before[1], asked) if asked else None]
    return Run(live.name if live else None, own, asked, changes[0], changes[1], public)


def _ask(opened: Opened, questions: Sequence[Question]) -> tuple[tuple[Tried, ...], tuple[Tried, ...]]:
    return hold_out(opened), ask_all(opened, questions)


def refuse_unknown(file: Path, questions: Iterable[Question], slugs: Sequence[str]) -> None:
    """Raises `KnowledgeBaseError` for a question whose article customers cannot read: it could never be found."""
    unknown = sorted({question.article for question in questions if question.article} - set(slugs))
    if unknown:
        raise KnowledgeBaseError(f"{file}: no published public article is called {', '.join(unknown)}")
