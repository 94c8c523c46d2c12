"""The real search service with the shop's articles, its index damaged while it serves and while it is down."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.processes import copy_prepared, trial_settings
from kit.programs import EVERYWHERE, inherited, program_table
from kit.settings import ROOT, Settings, read_settings, with_secrets
from knowledge_base import generations
from knowledge_base.exceptions import SearchRefused, SearchUnavailable
from knowledge_base.reading import read_folder
from knowledge_base.search_client import SearchClient

from .damage import FORBIDDEN, Damage, damages
from .world import World

QUESTIONS = 12
WITHIN_S = 10.0
PATIENCE_S = 300.0
REFUSED_PAUSE_S = 0.05
"""Asked again at once, a service that is starting would share its processor with a million refusals."""
START_S = 900.0


@dataclass
class Outcome:
    """One damage to the running service: answers counted, what went wrong, and the seconds until a new index answered."""

    name: str
    right: int = 0
    refused: int = 0
    rebuilt_s: float = 0.0
    faults: list[str] = field(default_factory=list)


class Service:
    """``python -m knowledge_base serve`` in a var folder of its own."""

    def __init__(self, settings: Settings, base: Path) -> None:
        self.settings = settings
        self.client = SearchClient(settings.search_url, settings.inner_secret)
        self._base = base
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = program_table(self.settings)[0]
        with open(self._base / "service.log", "ab") as log:
            self._process = subprocess.Popen(program.command, cwd=ROOT, env={**_environment(), **program.environment}, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)

    def generation(self) -> str | None:
        """What answers now; None while nothing does."""
        try:
            return self.client.health(timeout_s=5).generation
        except (SearchUnavailable, SearchRefused):
            return None

    def wait(self, unlike: str = "", timeout_s: float = PATIENCE_S) -> float:
        """Seconds until a generation other than ``unlike`` answers. Raises TimeoutError."""
        started = time.monotonic()
        while time.monotonic() - started < timeout_s:
            if (self.generation() or unlike) != unlike:
                return time.monotonic() - started
            time.sleep(0.05)
        raise TimeoutError(f"no other generation than {unlike} within {timeout_s} s")


def _environment() -> dict[str, str]:
    return {**inherited(), **EVERYWHERE}


@contextmanager
def running_service() -> Iterator[Service]:
    """A service that has answered, on a port of its own, with a copy of the prepared index."""
    base = Path(tempfile.mkdtemp(prefix="touchdesk-service-"))
    prepared = read_settings()
    settings = with_secrets(trial_settings(base / "var", articles=base / "articles"))
    shutil.copytree(prepared.articles, settings.articles)
    copy_prepared(prepared.var, settings.var)
    service = Service(settings, base)
    try:
        service.start()
        service.wait(timeout_s=START_S)
        yield service
    finally:
        service.kill()
        service.client.close()
        shutil.rmtree(base, ignore_errors=True)


def harm_service(service: Service, count: int = 30, seed: int = 7) -> list[Outcome]:
    """``count`` damages of those that need no other generation: three in four while it serves, the others while it is down."""
    without = ("old", "other", "another", "mixed")
    able = [one for one in damages() if one.sort != FORBIDDEN and not any(word in one.name + one.kind for word in without)]
    truth = _truth(service)
    chosen = random.Random(seed).sample(able, count)
    return [_harm(service, damage, truth, serving=bool(number % 4)) for number, damage in enumerate(chosen)]


def _truth(service: Service) -> dict[str, dict[str, Any]]:
    questions = [article.questions[0] for article in read_folder(service.settings.articles).articles if article.is_public and article.questions]
    return {question: _shown(service.client, question) for question in questions[:: max(1, len(questions) // QUESTIONS)]}


def _shown(client: SearchClient, question: str) -> dict[str, Any]:
    hits = client.search(question, 1, timeout_s=10).hits
    return {"slug": hits[0].slug, "title": hits[0].title, "answer": hits[0].answer, "body": str(hits[0].body)} if hits else {}


def _harm(service: Service, damage: Damage, truth: dict[str, dict[str, Any]], *, serving: bool) -> Outcome:
    outcome = Outcome(f"{damage.kind}: {damage.name} ({'while serving' if serving else 'while down'})")
    index = service.settings.index
    service.wait(timeout_s=START_S)  # after a damage that took too long
    before = generations.current_name(index)
    with tempfile.TemporaryDirectory(prefix="touchdesk-stash-") as stash:
        # Only what is live: what an earlier damage left lies there for its grace.
        shutil.copytree(index / before, Path(stash) / before)
        shutil.copy(index / "current", stash)
        world = World(service.settings.articles, Path(stash), index, before, before, before, {})
        if not serving:
            service.stop()
        damage.apply(world)
        started = time.monotonic()
        if not serving:
            service.start()
        while time.monotonic() - started < PATIENCE_S and service.generation() in (None, before):
            _ask(service, outcome, truth)
        outcome.rebuilt_s = time.monotonic() - started
        if service.generation() in (None, before):
            outcome.faults.append("not rebuilt")
        _ask(service, outcome, truth)
        if outcome.right == 0:
            outcome.faults.append("no answer")
    return outcome


def _ask(service: Service, outcome: Outcome, truth: dict[str, dict[str, Any]]) -> None:
    for question, wanted in truth.items():
        try:
            found = _shown(service.client, question)
        except (SearchUnavailable, SearchRefused):
            outcome.refused += 1
            time.sleep(REFUSED_PAUSE_S)
            continue
        outcome.right += found == wanted
        if found != wanted:
            outcome.faults.append(f"wrong answer to {question!r}: {found.get('title')!r}")


def spoil_articles(service: Service, bad: int = 50) -> tuple[float, int, int]:
    """Put ``bad`` broken files beside the articles: seconds until all good ones are live, how many are, and how many problems are reported."""
    folder = service.settings.articles
    good = service.client.health(timeout_s=5).articles
    before = service.generation() or ""
    for number, text in zip(range(bad), _bad_texts(), strict=False):
        (folder / f"bad-{number}.md").write_bytes(text)
    (folder / "one-more.md").write_text("---\ntitle: One more article\nquestions: [is there one more]\n---\nYes.\n", encoding="utf-8")
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE_S:
        if service.client.article("one-more", timeout_s=5) is not None:
            break
        time.sleep(0.02)
    took_s = time.monotonic() - started
    service.wait(unlike=before)
    health = service.client.health(timeout_s=5)
    return took_s, health.articles - good, health.problems


def _bad_texts() -> Iterator[bytes]:
    while True:
        yield b"---\ntitle: !!python/object/apply:os.system [id]\n---\n"
        yield b"---\ntitle: a\n\tkind: faq\n---\n"
        yield b"---\nkind: faq\n---\nNo title.\n"
        yield b"no front matter\n"
        yield b"---\ntitle: a\nquestions: [" + b"a," * 20_000 + b"]\n---\n"
        yield b"---\ntitle: " + b"[" * 60_000 + b"\n---\n"
        yield b"---\ntitle: a\n---\n" + b"a" * 10_000_000
        yield b"---\ntitle: Gr\xfc\xdfe\n---\n"
        yield b"---\ntitle: a\n---\n\0"
        yield b'---\ntitle: "\\ud800"\n---\n'
