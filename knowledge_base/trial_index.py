"""An index of a folder beside the live one, to be asked and thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from . import generations, index_files
from .aim import Aim
from .building import build
from .embedding import Embedder
from .exceptions import IndexUnusable
from .reading import Reading
from .training import Settled


def live_folder(index: Path, embedder: Embedder) -> Path | None:
    """The folder of the live generation, checked; None when there is none that this embedding model can be used with."""
    try:
        folder = index / generations.current_name(index)
        index_files.load_index(folder, embedder.checksum)
    except IndexUnusable:
        return None
    return folder


@contextmanager
def trial_generation(reading: Reading, live: Path | None, embedder: Embedder, *, aim: Aim, now: datetime) -> Iterator[Path]:
    """The folder of a generation of ``reading`` that is gone afterwards.

    It is ranked with what the ``live`` one has settled, as the service does for an edit, so that the two differ by their
    articles alone; and texts that the live one knows are not embedded again.
    """
    with tempfile.TemporaryDirectory(prefix="touchdesk-trial-") as place:
        index = Path(place)
        settled = _seed(index, live, embedder) if live else None
        built = build(reading, index, embedder, aim=aim, now=now, settled=settled, settled_here=True)
        yield index / built.generation


def _seed(index: Path, live: Path, embedder: Embedder) -> Settled | None:
    try:
        shutil.copytree(live, index / live.name)
        (index / "current").write_text(live.name + "\n", encoding="ascii")
        return index_files.load_index(index / live.name, embedder.checksum).settled
    except (IndexUnusable, shutil.Error, OSError):
        # Replaced and removed meanwhile: the trial then embeds and settles for itself.
        shutil.rmtree(index / live.name, ignore_errors=True)
        (index / "current").unlink(missing_ok=True)
        return None
