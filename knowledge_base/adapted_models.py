"""The models that a generation may name: the base model, and those adapted from it to the knowledge base.

``<var>/embedding-adapted/<key>/`` is a *decision*, written whole and never changed: a manifest (which model is to be used for these texts,
what was settled for it, the figures behind it) and what every text's vector is by the base model and, where it was adapted, by
the adapted one, which then lies beside in the form of `embedding`.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import embedding, generations, index_files
from .adaptation import METHOD
from .aim import Aim
from .embedding import Embedder, Vectors
from .exceptions import EmbeddingUnusable, IndexUnusable
from .training import Settled

log = logging.getLogger(__name__)

TEXTS, BASE_VECTORS, ADAPTED_VECTORS = "texts.json", "base.npy", "adapted.npy"
BUILDING = "building-"


@dataclass(frozen=True)
class Decision:
    """What was decided for some texts: the checksum of the model to use, ``embedding``, which is ``base`` where adapting does not pay.

    ``settled`` belongs to that model, ``base_settled`` to the base. ``marks`` are those of the phrasings it was decided for.
    """

    key: str
    made: str
    base: str
    embedding: str
    settled: Settled
    base_settled: Settled
    marks: frozenset[str]
    aim: Aim
    figures: dict[str, Any]

    @property
    def is_adapted(self) -> bool:
        return self.embedding != self.base

    def as_json(self) -> dict[str, Any]:
        """The form in which manifests hold it."""
        settled, base_settled = index_files.settled_as_json(self.settled), index_files.settled_as_json(self.base_settled)
        forms = {"marks": sorted(self.marks), "settled": settled, "base_settled": base_settled, "aim": asdict(self.aim)}
        return {**vars(self), **forms, "method": METHOD}


class Models(Protocol):
    """Gives the model of a checksum. ``base`` is that of the base model."""

    base: str

    def of(self, checksum: str) -> Embedder:
        """The model. Raises `EmbeddingUnusable` when it is neither the base model nor a sound one adapted from it."""
        ...

    def latest(self) -> Decision | None:
        """What was last decided; None when nothing was, or adapting is switched off."""
        ...

    def known(self, checksum: str) -> dict[str, Vectors]:
        """Vectors by that model, float32 (dim,) by text, that need not be computed."""
        ...


class OneModel:
    """The base model alone."""

    def __init__(self, embedder: Embedder) -> None:
        self.base = embedder.checksum
        self._embedder = embedder

    def of(self, checksum: str) -> Embedder:
        if checksum != self.base:
            raise EmbeddingUnusable("it was made with another embedding model")
        return self._embedder

    def latest(self) -> Decision | None:
        return None

    def known(self, checksum: str) -> dict[str, Vectors]:
        return {}


def choose(models: Models, index: Path) -> tuple[Embedder, Settled | None]:
    """The model that the live generation was made with and what was settled for it, for a build from the command line.

    The base model where that cannot be used; with None, for what it settles is settled anew.
    """
    try:
        named = str(generations.read_manifest(index / generations.current_name(index)).get("embedding"))
        latest = models.latest()
        if latest is not None and latest.is_adapted and named == latest.embedding:
            return models.of(named), latest.settled
    except (IndexUnusable, EmbeddingUnusable) as cause:
        log.warning("%s; building with the base model", cause)
    return models.of(models.base), None


class ModelFolders:
    """The base model of one folder and the adapted ones below another. Holds the model last asked for, and no other."""

    def __init__(self, base: Path, adapted: Path, load: Callable[[Path], Embedder], *, adapt: bool = True) -> None:
        self.base = str(embedding.read_manifest(base)["files"][embedding.MODEL])
        self.folder = adapted
        self._base_folder = base
        self._load = load
        self._adapt = adapt
        self._held: Embedder | None = None

    def of(self, checksum: str) -> Embedder:
        if self._held is None or self._held.checksum != checksum:
            folder = self._base_folder if checksum == self.base else self._adapted_folder(checksum)
            # Let go first: two at once would be memory for nothing.
            self._held = None
            self._held = self._load(folder)
            if self._held.checksum != checksum:
                raise EmbeddingUnusable(f"{folder} was replaced")
        return self._held

    def latest(self) -> Decision | None:
        found = sorted((decision for _, decision in self._decisions()), key=lambda decision: decision.made)
        return found[-1] if found else None

    def known(self, checksum: str) -> dict[str, Vectors]:
        return known_vectors(self.folder, checksum) if self._adapt else {}

    def decision(self, key: str) -> Decision | None:
        """The decision of that name, if it is there, whole and for this base model."""
        return next((decision for folder, decision in self._decisions() if folder.name == key and _is_whole(folder)), None)

    def discard(self, key: str) -> None:
        """Forget a decision that is damaged."""
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def prune(self, index: Path) -> None:
        """Remove decisions but the latest one and those whose model a generation of ``index`` names."""
        latest = self.latest()
        kept = {latest.key} if latest else set()
        named = set(_named_models(index))
        kept |= {decision.key for _, decision in self._decisions() if decision.is_adapted and decision.embedding in named}
        for folder in _folders(self.folder):
            if folder.name not in kept and not folder.name.startswith(BUILDING):
                shutil.rmtree(folder, ignore_errors=True)

    def _adapted_folder(self, checksum: str) -> Path:
        for folder, decision in self._decisions():
            if decision.is_adapted and decision.embedding == checksum:
                if not _is_whole(folder):
                    raise EmbeddingUnusable(f"the adapted model {folder} is damaged")
                return folder
        raise EmbeddingUnusable("it was made with another embedding model")

    def _decisions(self) -> Iterator[tuple[Path, Decision]]:
        """Those for this base model whose manifest can be read; nothing where adapting is switched off."""
        return (found for found in decisions(self.folder) if self._adapt and found[1].base == self.base)


def write_decision(folder: Path, building: Path, decision: Decision, exported: dict[str, Any], texts: Sequence[str], **vectors: Vectors) -> None:
    """Complete ``building`` (in which an adapted model may lie already) and put it in its place, at once and whole.

    ``exported`` says ``dimensions`` and ``max_tokens`` of the model; ``vectors`` are ``base`` and, where adapted, ``adapted``.
    """
    (building / TEXTS).write_text(json.dumps(list(texts), ensure_ascii=False), encoding="utf-8")
    for name, values in vectors.items():
        np.save(building / f"{name}.npy", values, allow_pickle=False)
    generations.finish(building, {**decision.as_json(), **exported})
    shutil.rmtree(folder / decision.key, ignore_errors=True)
    building.rename(folder / decision.key)


def read_decision(folder: Path) -> Decision:
    """The decision of a folder by its manifest alone. Raises `IndexUnusable`, also for one of an earlier method."""
    form = generations.read_manifest(folder)
    try:
        if form["method"] != METHOD or form["key"] != folder.name:
            raise ValueError("another method or name")
        return Decision(
            key=str(form["key"]),
            made=str(form["made"]),
            base=str(form["base"]),
            embedding=str(form["embedding"]),
            settled=index_files.settled_from(form["settled"]),
            base_settled=index_files.settled_from(form["base_settled"]),
            marks=frozenset(form["marks"]),
            aim=Aim(**form["aim"]),
            figures=dict(form["figures"]),
        )
    except index_files.UNREADABLE as cause:
        raise IndexUnusable(f"{folder} holds no decision") from cause


def read_vectors(folder: Path, name: str) -> dict[str, Vectors]:
    """Vectors of a decision by text. Raises `IndexUnusable` when they are not what its manifest says."""
    generations.verify(folder, (TEXTS, name))
    try:
        texts = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        return dict(zip(texts, np.load(folder / name, allow_pickle=False), strict=True))
    except index_files.UNREADABLE as cause:
        raise IndexUnusable(f"{folder} cannot be loaded") from cause


def known_vectors(folder: Path, checksum: str) -> dict[str, Vectors]:
    """The vectors, float32 (dim,) by text, that the latest decision below ``folder`` holds of the model ``checksum``; empty without one."""
    for place, decision in sorted(decisions(folder), key=lambda one: one[1].made, reverse=True):
        if checksum in (decision.base, decision.embedding):
            try:
                return read_vectors(place, BASE_VECTORS if checksum == decision.base else ADAPTED_VECTORS)
            except IndexUnusable as cause:
                log.warning("%s", cause)
    return {}


def decisions(folder: Path) -> Iterator[tuple[Path, Decision]]:
    """Decisions whose manifest can be read."""
    for place in _folders(folder):
        try:
            yield place, read_decision(place)
        except IndexUnusable:
            continue


def _is_whole(folder: Path) -> bool:
    try:
        generations.verify(folder)
    except IndexUnusable:
        return False
    return True


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def _named_models(index: Path) -> Iterator[str]:
    for folder in _folders(index):
        try:
            yield str(generations.read_manifest(folder).get("embedding"))
        except IndexUnusable:
            continue
