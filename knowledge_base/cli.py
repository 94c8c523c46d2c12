"""``python -m knowledge_base …``: build, check, test, search, evaluate, export, serve."""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from kit.errors import SettingError
from kit.logs import start_logging
from kit.settings import Settings, read_settings, with_secrets

from . import checking_command, export, generations, index_files, testing_command
from .aim import aim_of
from .building import build, settle_again
from .embedding import SentenceEmbedder
from .evaluation import evaluate, read_questions
from .exceptions import KnowledgeBaseError
from .progress import progress_bar
from .reading import read_folder
from .searching import Searcher
from .serving import serve
from .wire import search_form

Command = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 for success, 1 for problems found or a failure, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    if command in (_serve, _settle):  # the service and what it starts; all else is read by a person
        start_logging("search")
    else:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        return command(options, read_settings())
    except (KnowledgeBaseError, SettingError, OSError) as failure:
        print(f"knowledge_base: {failure}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge_base", description="The articles: check, index, search, measure and serve them.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Command, meaning: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=meaning, description=meaning)
        one.set_defaults(command=command)
        return one

    building = add("build", _build, "index the articles; the embedding model is exported first where that has not been done")
    building.add_argument("--progress", action="store_true", help="show how far it is, also where there is no terminal")
    checking_command.add_arguments(add("check", _check, checking_command.MEANING))
    testing_command.add_arguments(add("test", _test, testing_command.MEANING))
    search = add("search", _search, "ask the live index")
    search.add_argument("text")
    search.add_argument("--limit", type=int, default=3)
    search.add_argument("--json", action="store_true")
    measure = add("evaluate", _evaluate, "index a folder alone, ask it every question of a file, print the figures")
    measure.add_argument("--articles", type=Path, required=True)
    measure.add_argument("--questions", type=Path, required=True, help='JSONL: {"question": text, "article": slug or null}')
    measure.add_argument("--json", action="store_true", help="one JSON object instead of a line a figure")
    add("export", _export, "export the embedding model to ONNX")
    add("settle", _settle, "choose calibration and cut-offs for the live index anew and print them; the service does this by itself")
    add("serve", _serve, "answer over HTTP, on loopback, following the articles' folder")
    return parser


def _build(options: argparse.Namespace, settings: Settings) -> int:
    reading = read_folder(settings.articles)
    for problem in reading.problems:
        print(problem, file=sys.stderr)
    embedder = SentenceEmbedder(_exported(settings))
    with progress_bar(options.progress or sys.stderr.isatty()) as told:
        built = build(reading, settings.index, embedder, aim=aim_of(settings), now=datetime.now(timezone.utc), told=told)
    print(
        f"{built.generation}: {built.articles} public articles, {built.rows} rows, {built.embedded} texts embedded, {len(reading.problems)} problems"
    )
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    # Never exported here: that takes torch and half a minute, and most of what is checked needs no model.
    return checking_command.run_check(options, settings, lambda: SentenceEmbedder(settings.var / "embedding"))


def _test(options: argparse.Namespace, settings: Settings) -> int:
    return testing_command.run_tests(options, settings, SentenceEmbedder(_exported(settings)))


def _search(options: argparse.Namespace, settings: Settings) -> int:
    embedder = SentenceEmbedder(_exported(settings))
    loaded = index_files.load_index(settings.index / generations.current_name(settings.index), embedder.checksum)
    answer = Searcher(loaded, embedder).search(options.text, max(1, options.limit))
    if options.json:
        print(json.dumps(search_form(answer), ensure_ascii=False))
        return 0
    print(f"{answer.verdict} (answers from {answer.cutoffs.answer:.2f}, offers from {answer.cutoffs.offer:.2f})")
    for hit in answer.hits:
        print(f"{hit.confidence:.2f}  {hit.slug}  {hit.title}{' > ' + hit.section if hit.section else ''}\n      {hit.excerpt}")
    return 0


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    questions = read_questions(options.questions)
    if not options.articles.is_dir():
        raise KnowledgeBaseError(f"there is no folder {options.articles}")
    found = evaluate(options.articles, questions, SentenceEmbedder(_exported(settings)), aim_of(settings))
    print(json.dumps(found) if options.json else "\n".join(f"{name:24}{value}" for name, value in found.items()))
    return 0


def _export(options: argparse.Namespace, settings: Settings) -> int:
    manifest = export.export(settings.model, settings.var / "embedding")
    print(f"{settings.model}: {manifest['dimensions']} dimensions, at most {manifest['max_tokens']} word pieces")
    return 0


def _settle(options: argparse.Namespace, settings: Settings) -> int:
    checksum = SentenceEmbedder(_exported(settings)).checksum
    print(json.dumps(index_files.settled_as_json(settle_again(settings.index, checksum, aim_of(settings)))))
    return 0


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    _exported(settings)
    serve(with_secrets(settings))
    return 0


def _exported(settings: Settings) -> Path:
    """The folder of the exported model; exported first, in a process of its own, where it is missing or another one."""
    folder = settings.var / "embedding"
    if not export.is_exported(settings.model, folder):
        logging.getLogger(__name__).info("exporting the embedding model %s", settings.model)
        ended = subprocess.run([sys.executable, "-m", "knowledge_base", "export"], stdout=subprocess.DEVNULL, check=False, timeout=1800)
        if ended.returncode != 0:
            raise KnowledgeBaseError(f"the embedding model {settings.model} could not be exported")
    return folder
