"""``python -m knowledge_base check``: what an editor should put right, and how sure search is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kit.settings import Settings

from . import generations
from .aim import aim_of
from .checking import check
from .embedding import Embedder
from .exceptions import EmbeddingUnusable, IndexUnusable
from .holding_out import Opened, open_generation
from .lint import Finding
from .lint_pages import REVIEW_DAYS
from .reading import Reading, read_folder
from .trial_index import live_folder, trial_generation

MEANING = "print every problem as file:line: reason, and how often search is right at which confidence"
WITHOUT_MODEL = "the embedding model is not there yet (make setup brings it): titles, and likeness by meaning, were not looked at"
NO_TABLE = "no live index yet, so no table of how often search is right"
NO_PHRASINGS = "the live index has no phrasings to ask, so no table of how often search is right"

Load = Callable[[], Embedder]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--articles", type=Path, help="another folder")
    parser.add_argument("--strict", action="store_true", help="end with 1 for warnings, too")
    parser.add_argument("--review-days", type=int, default=REVIEW_DAYS, metavar="N", help=f"how long a check holds, in days ({REVIEW_DAYS})")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run_check(options: argparse.Namespace, settings: Settings, load: Load) -> int:
    """Run the command. 1 for errors, with ``--strict`` for warnings too, else 0. ``load`` raises `EmbeddingUnusable` where no model is."""
    folder = options.articles or settings.articles
    reading = read_folder(folder)
    now = datetime.now(timezone.utc)
    with _opened(reading, settings, load, now) as opened:
        findings = check(reading, folder, today=now.date(), review_days=options.review_days, opened=opened)
    errors = sum(finding.is_error for finding in findings)
    calibration = live_calibration(settings.index)
    if options.json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings], "calibration": calibration}, ensure_ascii=False, indent=1))
    else:
        for line in [*map(str, findings), *table_lines(calibration)]:
            print(line)
    _tell(_summary(reading, findings, errors))
    return 1 if errors or (options.strict and findings) else 0


def live_calibration(index: Path) -> dict[str, Any] | None:
    """What the live index's manifest says of held-out phrasings: ``table``, ``cutoffs``, ``questions``; None without an index."""
    try:
        calibration = generations.read_manifest(index / generations.current_name(index))["settled"]["calibration"]
        return {name: calibration[name] for name in ("table", "cutoffs", "questions")}
    except (IndexUnusable, KeyError, TypeError):
        return None


def table_lines(calibration: dict[str, Any] | None) -> list[str]:
    """Coverage against error, a line a level; nothing where there is none, which is said beside."""
    if calibration is None or not calibration["table"]:
        _tell(NO_TABLE if calibration is None else NO_PHRASINGS)
        return []
    answer, offer = calibration["cutoffs"]["answer"], calibration["cutoffs"]["offer"]
    lines = [f"how sure search is, by {calibration['questions']} phrasings of the live index, each asked as if not written down:"]
    lines += ["  sure from   messages answered   right of these   wrong of these"]
    lines += [f"  {level:9.2f}   {answered:17.1%}   {right:14.1%}   {1 - right:14.1%}" for level, answered, right in calibration["table"]]
    return [*lines, f"  from {answer:.2f} on the bot answers, from {offer:.2f} on it offers titles; customers' questions do better than these"]


@contextmanager
def _opened(reading: Reading, settings: Settings, load: Load, now: datetime) -> Iterator[Opened | None]:
    """An index of what was read; None without a model or without public articles."""
    if not any(article.is_public for article in reading.articles):
        yield None
        return
    try:
        embedder = load()
    except EmbeddingUnusable:
        _tell(WITHOUT_MODEL)
        yield None
        return
    live = live_folder(settings.index, embedder)
    with trial_generation(reading, live, embedder, aim=aim_of(settings), now=now) as folder:
        yield open_generation(folder, embedder)


def _summary(reading: Reading, findings: Sequence[Finding], errors: int) -> str:
    counts = ((len(reading.articles), "article"), (errors, "error"), (len(findings) - errors, "warning"))
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
