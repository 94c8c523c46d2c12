"""One damage tried on an index: was it noticed, what was shown meanwhile, and how long until a new index was there."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from knowledge_base import generations, index_files
from knowledge_base.aim import Aim
from knowledge_base.exceptions import IndexUnusable, LibraryUnavailable
from knowledge_base.library import Library
from knowledge_base.live import LiveIndex, Place

from .damage import FORBIDDEN, OLDER, SIGNED, Damage
from .world import TOPICS, WordEmbedder, World, make_world, remove, shown

WITHIN_S = 10.0
NOBODY = 65_534

Make = Callable[[Place, WordEmbedder], LiveIndex]


@dataclass
class Verdict:
    """What became of one damage. ``faults`` says what went wrong; none means noticed, never served, and rebuilt in ``rebuilt_s``.

    ``worked_s`` is the processor time of that: on a busy machine the rest is waiting for a turn.
    """

    damage: Damage
    serving: bool
    rebuilt_s: float = 0.0
    worked_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        when = "while serving" if self.serving else "at rest"
        return f"{self.damage.kind}: {self.damage.name} ({when}): {'; '.join(self.faults) or 'well'}"


def live_index(place: Place, embedder: WordEmbedder) -> LiveIndex:
    """The live index as the service has it."""
    return LiveIndex(place, embedder, lambda: datetime.now(timezone.utc))


@contextmanager
def temporary_world() -> Iterator[World]:
    """A world in a folder that also a user without rights may reach."""
    base = Path(tempfile.mkdtemp(prefix="touchdesk-index-"))
    try:
        world = make_world(base)
        if os.geteuid() == 0:
            for path in (base, *base.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield world
    finally:
        remove(base)


def try_all(world: World, damages: list[Damage], make: Make = live_index) -> list[Verdict]:
    """Each damage in turn, every other one while the index is being served from."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # five hundred warnings that are expected
    try:
        return [try_one(world, damage, serving=bool(number % 2), make=make) for number, damage in enumerate(damages)]
    finally:
        logging.disable(level)


def try_one(world: World, damage: Damage, *, serving: bool, make: Make = live_index) -> Verdict:
    """Restore the world, damage it, and watch search and help centre until the index is well again or the time is over."""
    world.restore()
    verdict = Verdict(damage, serving)
    with _rights_of(world, damage):
        library = Library(world.index)
        live = make(Place(world.articles, world.index, Aim()), WordEmbedder())
        if serving:
            live.follow()
            library.articles()
        damage.apply(world)
        if serving:
            _ask_search(verdict, world, live, "before it was noticed", must_answer=False)
        if damage.sort not in (SIGNED, OLDER):
            _ask_library(verdict, world, library, "before it was noticed", must_answer=False)
        worked_s = time.process_time()
        _wait_until_well(verdict, world, live)
        verdict.worked_s = time.process_time() - worked_s
        _ask_search(verdict, world, live, "after", must_answer=True)
        _ask_library(verdict, world, library, "after", must_answer=True)
        _look_at_disk(verdict, world)
    return verdict


@contextmanager
def _rights_of(world: World, damage: Damage) -> Iterator[None]:
    """Without the rights of root, which may read everything, where the damage takes rights away."""
    if damage.sort != FORBIDDEN or os.geteuid() != 0:
        yield
        return
    for path in (world.index, *world.index.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _wait_until_well(verdict: Verdict, world: World, live: LiveIndex) -> None:
    started = time.monotonic()
    known = {world.live, world.old, world.other}
    while time.monotonic() - started < WITHIN_S:
        live.follow()
        if live.searcher is not None and live.searcher.loaded.name not in known:
            verdict.rebuilt_s = time.monotonic() - started
            return
        if live.searcher is not None and live.searcher.loaded.name == world.live:
            break  # it believes that all is well
        time.sleep(0.05)
    verdict.rebuilt_s = time.monotonic() - started
    verdict.faults.append("not noticed" if live.searcher is not None else "not rebuilt")


def _ask_search(verdict: Verdict, world: World, live: LiveIndex, when: str, *, must_answer: bool) -> None:
    for question, wanted in world.truth.items():
        try:
            found = shown(live.searcher, question) if live.searcher is not None else None
        except IndexUnusable:
            found = None
        if found is None and must_answer:
            return verdict.faults.append(f"search does not answer {when}")
        if found is not None and found != wanted:
            return verdict.faults.append(f"search showed something wrong {when}: {found.get('title')!r} for {question!r}")


def _ask_library(verdict: Verdict, world: World, library: Library, when: str, *, must_answer: bool) -> None:
    for slug, _, question, _ in TOPICS:
        try:
            article = library.article(slug)
        except LibraryUnavailable:
            if must_answer:
                return verdict.faults.append(f"the help centre does not answer {when}")
            continue
        if article is None or article.title != world.truth[question]["title"] or "Nowadays" not in article.html:
            return verdict.faults.append(f"the help centre showed something wrong {when}: {slug}")


def _look_at_disk(verdict: Verdict, world: World) -> None:
    """What is live on disk is whole, and whoever starts next takes it up as it is."""
    try:
        folder = world.index / generations.current_name(world.index)
        index_files.prove(index_files.load_index(folder, WordEmbedder().checksum), WordEmbedder())
    except IndexUnusable as cause:
        verdict.faults.append(f"what is live on disk cannot be used: {cause}")


def summary(verdicts: list[Verdict]) -> dict[str, float]:
    """How many were tried, noticed, shown wrongly and rebuilt in time, and the longest rebuild in s."""
    return {
        "tried": len(verdicts),
        "noticed": sum("not noticed" not in verdict.faults for verdict in verdicts),
        "shown": sum(any("wrong" in fault for fault in verdict.faults) for verdict in verdicts),
        "well": sum(not verdict.faults for verdict in verdicts),
        "slowest_s": max(verdict.rebuilt_s for verdict in verdicts),
        "most_work_s": max(verdict.worked_s for verdict in verdicts),
    }
