"""An index of a folder beside the live one, to be asked and thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from . import article_store, generations, index_files
from .adapted_models import decisions, known_vectors
from .aim import Aim
from .building import build, embed_new
from .embedding import Embedder
from .exceptions import IndexUnusable
from .lexical import index_texts
from .reading import Reading
from .training import Learnable, Settled, fit_head, settle


def live_folder(index: Path, embedder: Embedder) -> Path | None:
    """The folder of the live generation, checked; None when there is none that this embedding model can be used with."""
    try:
        folder = index / generations.current_name(index)
        index_files.load_index(folder, embedder.checksum)
    except IndexUnusable:
        return None
    return folder


@contextmanager
def comparable(index: Path, adapted: Path, embedder: Embedder) -> Iterator[Path | None]:
    """The folder of the live generation as ``embedder`` makes it; None when there is none that can be used.

    That is the live one itself, or for one made with a model that was adapted from it (they lie below ``adapted``), a copy that is gone
    afterwards: an adapted model has seen the phrasings, so nothing can be held out of it.
    """
    live = live_folder(index, embedder)
    if live is not None:
        yield live
        return
    with tempfile.TemporaryDirectory(prefix="touchdesk-base-") as place:
        try:
            folder = _with_base(index / generations.current_name(index), adapted, embedder, Path(place))
        except (IndexUnusable, OSError):
            folder = None
        yield folder


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


def _with_base(live: Path, adapted: Path, embedder: Embedder, place: Path) -> Path | None:
    """A generation below ``place`` of the rows and articles of ``live``, with the vectors of ``embedder`` and all that follows from these."""
    manifest = generations.read_manifest(live)
    if (embedder.checksum, manifest.get("embedding")) not in [(one.base, one.embedding) for _, one in decisions(adapted)]:
        return None
    rows = index_files.load_index(live, str(manifest["embedding"])).rows
    texts, _ = index_files.read_texts(live)
    vectors = embed_new(texts, known_vectors(adapted, embedder.checksum), embedder)
    count = len(rows.article)
    data = Learnable(rows, texts[:count], vectors[:count], index_texts(texts[:count]))
    settled = settle(data, far=texts[count:], far_vectors=vectors[count:], aim=Aim(**manifest["aim"]))
    folder = place / live.name
    folder.mkdir()
    shutil.copyfile(live / article_store.FILE_NAME, folder / article_store.FILE_NAME)
    index_files.write_index(folder, data, texts, vectors, fit_head(data, settled.lexical_share))
    generations.finish(folder, {**manifest, "embedding": embedder.checksum, "settled": index_files.settled_as_json(settled)})
    return folder


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
