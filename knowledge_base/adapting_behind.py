"""Adapting the embedding behind the service: when to begin, one process at a time, and going over to what it decided."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from .adaptation import can_pay, changed_much, marks
from .adapted_models import Decision, ModelFolders
from .live import LiveIndex

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long the folder must have been quiet, how long to wait after each failure (the last for ever), and how long it may take.

    ``niceness`` is its priority, 19 the lowest; ``options`` go with the command.
    """

    quiet_s: float = 30.0
    retries_s: tuple[float, ...] = (300.0, 1200.0, 3600.0, 21600.0)
    timeout_s: float = 4 * 3600.0
    niceness: int = 19
    options: tuple[str, ...] = ()


class AdaptingBehind:
    """Looks now and then whether to adapt. Belongs to the thread of `LiveIndex.follow`."""

    def __init__(self, models: ModelFolders, index: Path, clock: Callable[[], datetime], pace: Pace = Pace()) -> None:
        self._models = models
        self._index = index
        self._clock = clock
        self._pace = pace
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._not_before = clock()
        self._failures = 0
        self._looked_at = ""

    def look(self, live: LiveIndex) -> None:
        """Begin, wait, or go over to another model; does nothing while a generation that was looked at stays the same."""
        if self._process is not None and not self._has_ended(self._process):
            return
        if live.searcher is None or live.quiet_s() < self._pace.quiet_s or self._clock() < self._not_before:
            return
        if live.searcher.loaded.name != self._looked_at:
            self._models.prune(self._index)
            self._decide(live)

    def stop(self) -> None:
        """End a running process. What it has not finished is as if it had not begun."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _decide(self, live: LiveIndex) -> None:
        latest = self._sound(live.model)
        due = latest is None or latest.aim != live.aim or changed_much(marks(live.articles), latest.marks)
        if due and can_pay(live.articles):
            self._start()
            return
        wanted = self._models.base if due or latest is None else latest.embedding
        if wanted != live.model:
            live.adopt(wanted)
        self._looked_at = live.searcher.loaded.name if live.searcher else ""

    def _sound(self, model: str) -> Decision | None:
        """What was last decided. A damaged one is forgotten, unless its model is in memory and serves."""
        latest = self._models.latest()
        if latest is not None and latest.embedding != model and self._models.decision(latest.key) is None:
            log.warning("the decision %s is damaged and is made anew", latest.key)
            self._models.discard(latest.key)
            return self._sound(model)
        return latest

    def _start(self) -> None:
        command = ["nice", "-n", str(self._pace.niceness), sys.executable, "-m", "knowledge_base", "adapt", "--behind", *self._pace.options]
        log.info("looking whether the embedding gains from being adapted to the articles")
        self._began = self._clock()
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def _has_ended(self, process: subprocess.Popen[bytes]) -> bool:
        late = self._clock() - self._began > timedelta(seconds=self._pace.timeout_s)
        if process.poll() is None and not late:
            return False
        self.stop()
        self._process = None
        if process.returncode == 0:
            self._failures = 0
            self._looked_at = ""
            # Should it have decided nothing, it is not begun again at once for ever.
            self._not_before = self._clock() + timedelta(seconds=self._pace.quiet_s)
        else:
            wait = self._pace.retries_s[min(self._failures, len(self._pace.retries_s) - 1)]
            self._failures += 1
            self._not_before = self._clock() + timedelta(seconds=wait)
            log.warning("adapting ended with %s; the embedding stays as it is, next try in %d s", process.returncode, wait)
        return True
