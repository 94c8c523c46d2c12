"""Builds that are killed half way: at each of their steps on disk, and at random moments."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from multiprocessing.connection import Connection

from knowledge_base import generations, index_files
from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.exceptions import IndexUnusable
from knowledge_base.reading import read_folder
from knowledge_base.searching import Searcher

from .world import WordEmbedder, World, shown

# What Python itself reports of a process's way (PEP 578); fsync shows as the opening before it.
STEPS = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.utime", "os.listdir", "os.scandir", "shutil.rmtree", "sqlite3.connect")


@dataclass(frozen=True)
class Kill:
    """One build killed: where, and what was wrong afterwards (empty: the old index served, and the next build succeeded and tidied up)."""

    point: str
    died: bool
    fault: str


def kill_builds(world: World, count: int = 100, seed: int = 11) -> list[Kill]:
    """Kill ``count`` builds: one before each step, as many as there are, and the rest at random moments. The world is left restored."""
    world.restore()
    steps, took_s = _steps(world)
    draw = random.Random(seed)
    points = list(range(1, len(steps) + 1))
    points = points if len(points) <= count * 3 // 4 else sorted(draw.sample(points, count * 3 // 4))
    kills = [_killed(world, steps[point - 1], point=point) for point in points]
    for _ in range(count - len(points)):
        after_s = draw.uniform(0.0, took_s)
        kills.append(_killed(world, f"after {after_s * 1000:.0f} ms", after_s=after_s))
    world.restore()
    return kills


def _steps(world: World) -> tuple[list[str], float]:
    """What a whole build does on disk under the index, and how long it takes in s."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_count, args=(world, theirs))
    started = time.monotonic()
    child.start()
    steps: list[str] = ours.recv() if ours.poll(60) else []
    child.join(10)
    world.restore()
    return steps, time.monotonic() - started


def _count(world: World, answer: Connection) -> None:
    seen: list[str] = []
    _watch(world, seen.append)
    _build(world)
    answer.send(seen)


def _watch(world: World, see: Callable[[str], None]) -> None:
    inside = str(world.index)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and arguments and inside in str(arguments[0]):
            see(f"{event} {os.path.basename(str(arguments[0]))}")

    sys.addaudithook(hook)


def _build(world: World) -> None:
    build(read_folder(world.articles), world.index, WordEmbedder(), aim=Aim(), now=datetime.now(timezone.utc))


def _die_at(world: World, point: int) -> None:
    left = point

    def see(step: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(world, see)
    _build(world)


def _killed(world: World, name: str, *, point: int = 0, after_s: float = 0.0) -> Kill:
    world.restore()
    context = multiprocessing.get_context("fork")
    child = context.Process(target=_die_at, args=(world, point)) if point else context.Process(target=_build, args=(world,))
    child.start()
    if not point:
        time.sleep(after_s)
        os.kill(child.pid or 0, signal.SIGKILL)
    child.join(60)
    died = child.exitcode == -signal.SIGKILL
    child.close()
    return Kill(name, died, _after(world))


def _after(world: World) -> str:
    """What is wrong after a kill; empty for nothing."""
    try:
        served = _asked(world)
        if served:
            return f"the index that was left: {served}"
        _build(world)
        if served := _asked(world):
            return f"the next build: {served}"
    except (IndexUnusable, OSError) as cause:
        return str(cause)
    left = [path.name for path in world.index.iterdir() if generations.LEFTOVER.fullmatch(path.name)]
    return f"left over: {left}" if left else ""


def _asked(world: World) -> str:
    folder = world.index / generations.current_name(world.index)
    loaded = index_files.load_index(folder, WordEmbedder().checksum)
    index_files.prove(loaded, WordEmbedder())
    searcher = Searcher(loaded, WordEmbedder())
    wrong = [question for question, wanted in world.truth.items() if shown(searcher, question) != wanted]
    return f"wrong answers to {wrong}" if wrong else ""
