"""``python -m knowledge_base …``: build, check, test, search, evaluate, export, serve."""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from kit.errors import SettingError
from kit.logs import start_logging
from kit.settings import Settings, read_settings, with_secrets

from . import adaptation, checking_command, export, generations, index_files, testing_command
from .adapted_models import Decision, ModelFolders, choose
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

if TYPE_CHECKING:
    from .adapting import Wish

Command = Callable[[argparse.Namespace, Settings], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 for success, 1 for problems found or a failure, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    if command in (_serve, _settle) or getattr(options, "behind", False):  # the service and what it starts; all else is read by a person
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
    measure.add_argument("--adapt", action="store_true", help="adapt the embedding first, as the service does behind, where that pays")
    adapting = add("adapt", _adapt, "look whether the embedding gains from being adapted to the articles; the service does this by itself")
    adapting.add_argument("--steps", type=int, help="steps to learn in, instead of as many as the phrasings are worth")
    adapting.add_argument("--folds", type=int, default=adaptation.MOST_FOLDS, help="how often to try it out at most")
    adapting.add_argument("--anyway", action="store_true", help="adapt even where it does not pay, for a trial")
    adapting.add_argument("--behind", action="store_true", help=argparse.SUPPRESS)
    add("export", _export, "export the embedding model to ONNX")
    add("settle", _settle, "choose calibration and cut-offs for the live index anew and print them; the service does this by itself")
    add("serve", _serve, "answer over HTTP, on loopback, following the articles' folder")
    return parser


def _build(options: argparse.Namespace, settings: Settings) -> int:
    reading = read_folder(settings.articles)
    for problem in reading.problems:
        print(problem, file=sys.stderr)
    embedder, settled = choose(_models(settings), settings.index)
    now = datetime.now(timezone.utc)
    aim = aim_of(settings)
    with progress_bar(options.progress or sys.stderr.isatty()) as told:
        built = build(reading, settings.index, embedder, aim=aim, now=now, settled=settled, settled_here=settled is not None, told=told)
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
    folder = settings.index / generations.current_name(settings.index)
    embedder = _models(settings).of(str(generations.read_manifest(folder).get("embedding")))
    loaded = index_files.load_index(folder, embedder.checksum)
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
    with tempfile.TemporaryDirectory() as folder:
        # The models adapted for a measurement go with it; the service's are not touched.
        models = ModelFolders(_exported(settings), Path(folder), SentenceEmbedder)
        chosen = _adapted(options.articles, models, settings) if options.adapt else None
        embedder = models.of(chosen.embedding if chosen else models.base)
        settled = chosen.settled if chosen and chosen.is_adapted else None
        found = evaluate(options.articles, questions, embedder, aim_of(settings), settled)
    if chosen:
        found["adaptation"] = chosen.figures
    print(json.dumps(found) if options.json else "\n".join(f"{name:24}{value}" for name, value in found.items()))
    return 0


def _adapt(options: argparse.Namespace, settings: Settings) -> int:
    from .adapting import Wish

    models = _models(settings)
    wish = Wish(settings.model, aim_of(settings), options.steps, options.folds, options.anyway)
    decision = _adapted(settings.articles, models, settings, wish)
    if decision is None:
        least, all_in_all = adaptation.PHRASINGS_AN_ARTICLE, adaptation.PHRASINGS_IN_ALL
        print(f"too few phrasings: wanted {least} of the middle article and {all_in_all} in all")
        return 0
    models.prune(settings.index)
    print("\n".join(f"{name:12}{value}" for name, value in decision.figures.items()))
    print("adapted" if decision.is_adapted else "not adapted: the base model is as good")
    return 0


def _adapted(articles: Path, models: ModelFolders, settings: Settings, wish: Wish | None = None) -> Decision | None:
    """What is decided for the articles of a folder; None where adapting cannot pay."""
    from .adapting import Wish, adapt

    reading = read_folder(articles)
    if not adaptation.can_pay(reading.articles):
        return None
    return adapt(reading.articles, models, wish or Wish(settings.model, aim_of(settings)), datetime.now(timezone.utc))


def _models(settings: Settings) -> ModelFolders:
    return ModelFolders(_exported(settings), settings.adapted, SentenceEmbedder, adapt=settings.adapt)


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
