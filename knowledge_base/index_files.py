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
from .training import Learned

VECTORS = "vectors.npy"
TEXTS = "texts.json"
RANKING = "ranking.npz"


@dataclass(frozen=True)
class LoadedIndex:
    """A generation checked and in memory, ready to rank."""

    folder: Path
    manifest: dict[str, Any]
    ranker: Ranker
    calibration: Calibration

    @property
    def name(self) -> str:
        return self.folder.name


def write_index(folder: Path, rows: Rows, texts: Sequence[str], vectors: Vectors, lexical: LexicalIndex, learned: Learned) -> None:
    """Write the three files to ``folder``. ``texts`` and ``vectors`` may be longer than the rows."""
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
        head=learned.head.weights,
        base=np.float64(learned.head.base),
        landmarks=learned.landmarks,
    )


def load_index(folder: Path, embedding_checksum: str) -> LoadedIndex:
    """Check every file against the manifest and load. Raises `IndexUnusable`, also for vectors of another model."""
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
            head, landmarks = TrainedHead(arrays["head"], float(arrays["base"])), arrays["landmarks"]
        calibration = calibration_from(manifest["calibration"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise IndexUnusable(f"{folder} cannot be loaded") from cause
    return LoadedIndex(folder, manifest, Ranker(vectors[: len(rows.article)], rows, lexical, head, landmarks, calibration), calibration)


def known_vectors(index: Path, embedding_checksum: str) -> dict[str, Any]:
    """What the live generation knows: float32 (dim,) by text. Empty when there is none, or none that can be trusted."""
    try:
        folder = index / generations.current_name(index)
        manifest = generations.verify(folder, (VECTORS, TEXTS))
        if manifest.get("embedding") != embedding_checksum:
            return {}
        texts = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        return dict(zip(texts, np.load(folder / VECTORS, allow_pickle=False), strict=True))
    except (IndexUnusable, OSError, ValueError):
        return {}


def calibration_as_json(calibration: Calibration) -> dict[str, Any]:
    """The form in which the manifest holds it."""
    return asdict(calibration)


def calibration_from(form: dict[str, Any]) -> Calibration:
    """The calibration from its form in the manifest. Raises KeyError or TypeError for another form."""
    table = tuple((float(level), float(answered), float(right)) for level, answered, right in form["table"])
    return Calibration(tuple(form["weights"]), Cutoffs(**form["cutoffs"]), int(form["questions"]), table)
