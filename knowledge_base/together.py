"""Questions that come at the same time go through the model together; one that comes alone goes at once."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from .embedding import Embedder, Vectors

# Batches at once, one a core; each is worked on by one thread.
SIDE_BY_SIDE = 2
# Texts of a batch at most, so that the other core finds some left.
MOST = 8


@dataclass
class _Waiting:
    """A text whose thread sleeps until ``awake``: then its vector is there, or ``leads`` says that it is its turn to work."""

    text: str
    awake: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    vector: Vectors | None = None


class TogetherEmbedder:
    """Embeds single texts of many threads in batches; lists of texts pass through as they are.

    There is no thread of its own and nobody waits for company: who finds a place free works at once, on its own text and on what
    waits by then; who finds none waits, and is taken along by the next. A place is handed on to the one who has waited longest.
    """

    def __init__(self, embedder: Embedder, places: int = SIDE_BY_SIDE) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._free = places
        self._waiting: deque[_Waiting] = deque()
        self.checksum = embedder.checksum
        self.dimensions = embedder.dimensions

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), as `Embedder` says."""
        if len(texts) != 1:
            return self._embedder.embed(texts)
        mine = _Waiting(texts[0])
        if not self._has_place(mine):
            mine.awake.wait()
        if mine.leads:
            self._lead(mine)
        # Taken along by one whose batch failed: this text may not be why.
        return self._embedder.embed(texts) if mine.vector is None else mine.vector[None]

    def _has_place(self, mine: _Waiting) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                mine.leads = True
            else:
                self._waiting.append(mine)
            return mine.leads

    def _lead(self, mine: _Waiting) -> None:
        with self._lock:
            batch = [mine, *(self._waiting.popleft() for _ in range(min(MOST - 1, len(self._waiting))))]
        try:
            for one, vector in zip(batch, self._embedder.embed([one.text for one in batch]), strict=True):
                one.vector = vector
        finally:
            self._hand_on()
            for one in batch[1:]:
                one.awake.set()

    def _hand_on(self) -> None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            following = self._waiting.popleft()
        following.leads = True
        following.awake.set()
