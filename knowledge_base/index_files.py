"""The files of a generation beside ``articles.sqlite``: plain arrays and one JSON list, nothing pickled.

``vectors.npy`` float32 (n, dim): the rows of the index, then the messages without an answer; ``texts.json`` the text of each,
so that the next build embeds only what is new. ``ranking.npz``: rows, lexical index, head.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import generations
from .calibration import Calibration
from .embedding import Vectors
from .exceptions import IndexUnusable
from .head import TrainedHead
from .lexical import LexicalIndex
from .model import Cutoffs
from .ranking import Ranker, Rows
from .training import Learnable, Settled

VECTORS = "vectors.npy"
TEXTS = "texts.json"
RANKING = "ranking.npz"


@dataclass(frozen=True)
class LoadedIndex:
    """A generation checked and in memory, ready to rank."""

    folder: Path
    manifest: dict[str, Any]
    rows: Rows
    ranker: Ranker
    settled: Settled
    stamps: dict[str, generations.Stamp]

    def untouched(self, *names: str) -> bool:
        """Whether the files (all, or those named) look as they did when they were checked."""
        try:
            return all(generations.stamp(self.folder / name) == self.stamps[name] for name in names or self.stamps)
        except IndexUnusable:
            return False

    @property
    def name(self) -> str:
        return self.folder.name


def write_index(folder: Path, data: Learnable, texts: Sequence[str], vectors: Vectors, head: TrainedHead) -> None:
    """Write the three files to ``folder``. ``texts`` and ``vectors`` are those of the rows and then of the messages without an answer."""
    rows, lexical = data.rows, data.lexical
    np.save(folder / VECTORS, vectors, allow_pickle=False)
    (folder / TEXTS).write_text(json.dumps(list(texts), ensure_ascii=False), encoding="utf-8")
    np.savez(
        folder / RANKING,
        article=rows.article,
        kind=rows.kind,
        passage=rows.passage,
        buckets=lexical.buckets,
        idf=lexical.idf,
        starts=lexical.starts,
        lexical_rows=lexical.rows,
        lexical_weights=lexical.weights,
        head=head.weights,
        base=np.float64(head.base),
        landmarks=head.landmarks,
        lexical_share=np.float64(head.lexical_share),
    )


def load_index(folder: Path, embedding_checksum: str) -> LoadedIndex:
    """Check every file against the manifest and load. Raises `IndexUnusable`, also for vectors of another model."""
    # Stamps before checksums: a file written to in between will look touched.
    stamps = {name: generations.stamp(folder / name) for name in generations.read_manifest(folder)["files"]}
    manifest = generations.verify(folder)
    if manifest.get("embedding") != embedding_checksum:
        raise IndexUnusable(f"{folder} was made with another embedding model")
    try:
        vectors = np.load(folder / VECTORS, allow_pickle=False)
        with np.load(folder / RANKING, allow_pickle=False) as arrays:
            rows = Rows(arrays["article"], arrays["kind"], arrays["passage"])
            lexical = LexicalIndex(
                len(rows.article), arrays["buckets"], arrays["idf"], arrays["starts"], arrays["lexical_rows"], arrays["lexical_weights"]
            )
            head = TrainedHead(arrays["head"], float(arrays["base"]), arrays["landmarks"], float(arrays["lexical_share"]))
        settled = settled_from(manifest["settled"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise IndexUnusable(f"{folder} cannot be loaded") from cause
    return LoadedIndex(folder, manifest, rows, Ranker(vectors[: len(rows.article)], rows, lexical, head, settled.calibration), settled, stamps)


def read_texts(folder: Path) -> tuple[list[str], Vectors]:
    """Texts and vectors of a generation that was checked. Raises `IndexUnusable`."""
    try:
        texts: list[str] = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        vectors: Vectors = np.load(folder / VECTORS, allow_pickle=False)
    except (OSError, ValueError) as cause:
        raise IndexUnusable(f"{folder} cannot be loaded") from cause
    if len(texts) != len(vectors):
        raise IndexUnusable(f"{folder} has {len(texts)} texts and {len(vectors)} vectors")
    return texts, vectors


def known_vectors(index: Path, embedding_checksum: str) -> dict[str, Vectors]:
    """What the live generation knows: float32 (dim,) by text. Empty when there is none, or none that can be trusted."""
    try:
        folder = index / generations.current_name(index)
        manifest = generations.verify(folder, (VECTORS, TEXTS))
        if manifest.get("embedding") != embedding_checksum:
            return {}
        return dict(zip(*read_texts(folder), strict=True))
    except IndexUnusable:
        return {}


def settled_as_json(settled: Settled) -> dict[str, Any]:
    """The form in which manifests hold it."""
    return asdict(settled)


def settled_from(form: dict[str, Any]) -> Settled:
    """The same from that form. Raises KeyError, TypeError or ValueError for another form."""
    inner = form["calibration"]
    table = tuple((float(level), float(answered), float(right)) for level, answered, right in inner["table"])
    weights = tuple(float(weight) for weight in inner["weights"])
    near = tuple(float(level) for level in inner["near"])
    calibration = Calibration(weights, near, Cutoffs(**inner["cutoffs"]), int(inner["questions"]), inner["hit_at_1"], table)
    return Settled(float(form["lexical_share"]), calibration)
