"""Showing on stderr how far a long build is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from .building import Told

# Shorter builds show none.
AFTER_S = 1.0


@contextmanager
def progress_bar(shown: bool) -> Iterator[Told]:
    """What `building.build` tells of its progress. In characters, not texts: the time goes with these."""
    with tqdm(total=0, unit=" characters", unit_scale=True, delay=AFTER_S, file=sys.stderr, disable=not shown) as bar:

        def told(done: int, more: int) -> None:
            bar.total += more
            bar.update(done)

        yield told
