"""Does the chat show what search finds? Each question is asked of search alone and as the first message of a conversation.

``python -m benchmarks.chat_quality --articles DIR --questions FILE [--limit N]`` starts a kit on that folder, with the dialogue model as
it was trained: what is wanted is that other articles need no other training. FILE is JSONL: ``{"question": text, "article": slug or null}``.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from kit.processes import RunningKit, copy_prepared, trial_settings
from kit.settings import read_settings
from knowledge_base.aim import aim_of
from knowledge_base.building import build
from knowledge_base.embedding import SentenceEmbedder
from knowledge_base.evaluation import Question, read_questions
from knowledge_base.model import SearchAnswer
from knowledge_base.reading import read_folder
from knowledge_base.search_client import SearchClient

Json = dict[str, Any]

TOGETHER = 4
TIMEOUT_S = 15
SEED = 0
LEAST_KEPT = 0.98


@dataclass(frozen=True)
class Asked:
    """A question with a right article, what search alone said to it, and what the chat did: articles it showed, articles it offered."""

    text: str
    article: str
    verdict: str
    hits: tuple[str, ...]
    answered: tuple[str, ...]
    offered: tuple[str, ...]
    outcome: str

    @property
    def found(self) -> bool:
        """Search alone is sure, and right."""
        return self.verdict == "answer" and self.hits[:1] == (self.article,)

    @property
    def listed(self) -> bool:
        """Search alone would offer the right article among others."""
        return self.verdict == "offer" and self.article in self.hits

    @property
    def kept(self) -> bool:
        """The chat shows the right article: as its answer where search was sure, else as its answer or among its choices."""
        return self.article in self.answered or (self.listed and self.article in self.offered)


@dataclass(frozen=True)
class Loss:
    """A question whose article search finds and the chat does not show, and what Rasa took it for."""

    asked: Asked
    intent: str
    confidence: float


@dataclass(frozen=True)
class Kept:
    """The figures of one set of questions. ``found_beside`` of ``found_kept`` were taken for a wish for a person and name the article beside it."""

    questions: int
    found: int
    found_kept: int
    found_beside: int
    listed: int
    listed_kept: int
    losses: tuple[Loss, ...]

    @property
    def share(self) -> float:
        """Of the questions that search alone answers right, how many the chat answers with that article."""
        return self.found_kept / self.found if self.found else 1.0


def main() -> int:
    """Measure, print, and fail below the wanted share."""
    options = _parser().parse_args()
    with kit_on(options.articles) as kit:
        kept = measure(kit, sample(read_questions(options.questions), options.limit))
    print("\n".join(report(kept)))
    return 0 if kept.share >= LEAST_KEPT else 1


@contextmanager
def kit_on(articles: Path) -> Iterator[RunningKit]:
    """A kit of its own on that folder: its index is new, embedding and dialogue model are those of the var folder that is set up."""
    prepared = read_settings()
    with tempfile.TemporaryDirectory() as folder:
        settings = trial_settings(Path(folder) / "kit", articles=articles.resolve())
        embedder = SentenceEmbedder(prepared.var / "embedding")
        settings.index.mkdir(parents=True)
        build(read_folder(settings.articles), settings.index, embedder, aim=aim_of(settings), now=datetime.now(UTC))
        copy_prepared(prepared.var, settings.var)
        with RunningKit(settings, prepared=prepared.var) as kit:
            kit.wait_ready(90)
            yield kit


def sample(questions: Sequence[Question], limit: int | None) -> list[Question]:
    """The questions that have an article, or ``limit`` of them drawn with a fixed seed."""
    answerable = [question for question in questions if question.article is not None]
    return random.Random(SEED).sample(answerable, limit) if limit and limit < len(answerable) else answerable


def measure(kit: RunningKit, questions: Sequence[Question]) -> Kept:
    """Ask them all, some at once."""
    with ThreadPoolExecutor(TOGETHER) as threads:
        return figures(list(threads.map(lambda question: _ask_both(kit, question), questions)), kit)


def figures(asked: Sequence[Asked], kit: RunningKit) -> Kept:
    """Count what was kept; of what was lost, ask Rasa what it took it for."""
    found = [one for one in asked if one.found]
    listed = [one for one in asked if one.listed]
    losses = tuple(Loss(one, *_intent(kit, one.text)) for one in (*found, *listed) if not one.kept)
    kept = [sum(one.kept for one in part) for part in (found, listed)]
    beside = sum(one.kept and one.outcome == "handed_off" for one in found)
    return Kept(len(asked), len(found), kept[0], beside, len(listed), kept[1], losses)


def report(kept: Kept) -> list[str]:
    """What is printed."""
    lines = [
        f"questions with an article: {kept.questions}",
        f"search alone answers right: {kept.found}, the chat shows that article for {kept.found_kept} ({kept.share:.1%}),"
        f" {kept.found_beside} of them beside a person",
        f"search alone offers the right one: {kept.listed}, the chat does for {kept.listed_kept}",
    ]
    for loss in kept.losses:
        was = "answer" if loss.asked.found else "offer"
        lines.append(f"  lost {was} {loss.asked.article}: {loss.asked.text!r} -> {loss.asked.outcome}, {loss.intent} {loss.confidence:.2f}")
    return lines


def _ask_both(kit: RunningKit, question: Question) -> Asked:
    found = _ask_search(kit, question.text)
    asked = Asked(question.text, question.article or "", found.verdict, tuple(hit.slug for hit in found.hits), (), (), "")
    reply = _ask_chat(kit.url, question.text)
    payloads = [str(choice["payload"]) for choice in reply.get("choices") or []]
    offered = tuple(json.loads(payload[len("/choose_article") :])["article"] for payload in payloads if payload.startswith("/choose_article{"))
    return replace(asked, answered=tuple(source["slug"] for source in reply.get("sources") or []), offered=offered, outcome=str(reply.get("outcome")))


def _ask_search(kit: RunningKit, text: str) -> SearchAnswer:
    client = SearchClient(kit.settings.search_url, kit.settings.inner_secret)
    try:
        return client.search(text, 3, TIMEOUT_S)
    finally:
        client.close()


def _ask_chat(url: str, text: str) -> Json:
    """The bot's reply to the first message of a new conversation, as the event's data."""
    with requests.Session() as session:
        begun = session.post(f"{url}/api/conversations", json={}, timeout=TIMEOUT_S).json()
        here = f"{url}/api/conversations/{begun['conversation']['id']}"
        session.headers["Authorization"] = f"Bearer {begun['token']}"
        sent = session.post(f"{here}/messages", json={"client_id": secrets.token_urlsafe(8), "text": text}, timeout=TIMEOUT_S)
        sent.raise_for_status()
        for _ in range(2):  # an owner event may come before the words
            events = session.get(f"{here}/events", params={"after": sent.json()["seq"], "wait": 12}, timeout=2 * TIMEOUT_S).json()["events"]
            for event in events:
                if event["type"] == "message" and event["data"]["author"] == "bot":
                    return dict(event["data"])
    raise TimeoutError(f"no reply to {text!r}")


def _intent(kit: RunningKit, text: str) -> tuple[str, float]:
    """What Rasa takes a first message for, and how surely."""
    body = {"turn_id": secrets.token_urlsafe(8), "text": text, "state": {}, "owner": "bot", "budget_ms": 8000}
    headers = {"Authorization": f"Bearer {kit.settings.inner_secret}"}
    answer = requests.post(f"{kit.settings.rasa_url}/turns", json=body, headers=headers, timeout=TIMEOUT_S)
    answer.raise_for_status()
    intent = answer.json()["intent"]
    return str(intent["name"]), float(intent["confidence"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_quality", description="Does the chat show what search finds?")
    parser.add_argument("--articles", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True, help='JSONL: {"question": text, "article": slug or null}')
    parser.add_argument("--limit", type=int, help="ask only so many, drawn with a fixed seed")
    return parser


if __name__ == "__main__":
    sys.exit(main())
