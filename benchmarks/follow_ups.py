"""Does the bot use what was said before? Pairs of a question and a short follow-up, asked as one conversation and the follow-up alone.

``python -m benchmarks.follow_ups [--articles DIR] [--pairs FILE]``; a line of FILE is ``{"before": …, "question": …, "article": slug, slugs or
null, "new": true if the second is a new subject}``.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.chat_quality import kit_on
from kit.processes import RunningKit
from kit.settings import ROOT, read_settings

Json = dict[str, Any]

PAIRS = ROOT / "tests" / "actions" / "follow_ups.jsonl"
TIMEOUT_S = 15
TOGETHER = 4


@dataclass(frozen=True)
class Pair:
    """What was said before, the follow-up, the articles that answer it (none for what nothing answers), and whether it is a new subject."""

    before: str
    question: str
    articles: tuple[str, ...]
    new: bool


@dataclass(frozen=True)
class Heard:
    """What became of the second message: ``right``, ``offered``, ``wrong`` (an answer from another article) or ``none``."""

    pair: Pair
    alone: str
    after: str


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.follow_ups", description="Does the bot use what was said before?")
    parser.add_argument("--articles", type=Path, default=read_settings().articles)
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    options = parser.parse_args()
    with kit_on(options.articles) as kit:
        print("\n".join(report(measure(kit, read_pairs(options.pairs)))))
    return 0


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Pair(row["before"], row["question"], _articles(row["article"]), row.get("new", False)) for row in rows]


def measure(kit: RunningKit, pairs: Sequence[Pair]) -> list[Heard]:
    """Ask each follow-up alone and after what was said before."""
    with ThreadPoolExecutor(TOGETHER) as threads:
        return list(threads.map(lambda pair: _heard(kit, pair), pairs))


def report(heard: Sequence[Heard]) -> list[str]:
    """Counts for follow-ups and for new subjects, and what went wrong."""
    lines = []
    for new, name in ((False, "follow-ups"), (True, "new subjects")):
        part = [one for one in heard if one.pair.new == new]
        for what, found in (("alone", Counter(one.alone for one in part)), ("after what was said before", Counter(one.after for one in part))):
            lines.append(f"{len(part)} {name}, {what}: " + ", ".join(f"{found[kind]} {kind}" for kind in ("right", "offered", "wrong", "none")))
    lines += [f"  wrong: {one.pair.before!r}, {one.pair.question!r}" for one in heard if one.after == "wrong"]
    return lines


def _heard(kit: RunningKit, pair: Pair) -> Heard:
    first = _turn(kit, pair.before, {})
    return Heard(pair, _kind(_turn(kit, pair.question, {}), pair.articles), _kind(_turn(kit, pair.question, first["state"]), pair.articles))


def _turn(kit: RunningKit, text: str, state: Json) -> Json:
    body = {"turn_id": secrets.token_urlsafe(8), "text": text, "state": state, "owner": "bot", "budget_ms": 8000}
    headers = {"Authorization": f"Bearer {kit.settings.inner_secret}"}
    answer = requests.post(f"{kit.settings.rasa_url}/turns", json=body, headers=headers, timeout=TIMEOUT_S)
    answer.raise_for_status()
    taken: Json = answer.json()
    return taken


def _kind(answer: Json, articles: Sequence[str]) -> str:
    sources = [source["slug"] for reply in answer["replies"] for source in reply["sources"]]
    payloads = [choice["payload"] for reply in answer["replies"] for choice in reply["choices"]]
    if sources:
        return "right" if set(sources) & set(articles) else "wrong"
    return "offered" if any(f'"{slug}"' in payload for slug in articles for payload in payloads) else "none"


def _articles(named: str | list[str] | None) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else tuple(named or ())


if __name__ == "__main__":
    sys.exit(main())
