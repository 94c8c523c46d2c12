"""Adapting the embedding to the articles of a folder: tried in folds, and done for good where that pays.

Takes minutes and 1 GiB: it runs in a process of its own, behind. It imports torch, and only once there is something to be tried.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import adaptation, embedding, export, generations
from .adaptation import Material, Tried
from .adapted_models import BUILDING, Decision, ModelFolders, write_decision
from .aim import Aim
from .building import embed_new, read_far_messages, rows_of
from .embedding import SentenceEmbedder, Vectors, tight_batches
from .exceptions import KnowledgeBaseError
from .lexical import index_texts
from .low_rank import Course, Subject, matrices, merge, teach
from .model import Article
from .preparing import prepare
from .ranking import ANSWER, PHRASING, TITLE
from .training import Learnable, Settled, settle

log = logging.getLogger(__name__)

LOCK = "lock"
# The best of what was tried on training phrasings of banking77 with ten of them an article.
SUBJECTS, RATE = 32, 3e-4
# Each phrasing is seen about ten times; fewer steps than the least teach nothing, more than the most take too long.
TIMES_SEEN, LEAST_STEPS, MOST_STEPS = 10, 120, 480


@dataclass(frozen=True)
class Wish:
    """What is to be adapted and how: the base model's name, ``aim`` what the owner wants, ``steps`` None for as many as the phrasings are worth.

    With ``anyway`` what the folds say is noted but not obeyed: for trials.
    """

    model: str
    aim: Aim
    steps: int | None = None
    folds: int = adaptation.MOST_FOLDS
    anyway: bool = False


def adapt(articles: Sequence[Article], models: ModelFolders, wish: Wish, now: datetime) -> Decision:
    """Decide for these articles, unless that has been done. Raises `KnowledgeBaseError` while another process is at it."""
    material = material_of(articles)
    key = adaptation.key(material, models.base, wish.aim)
    with _alone(models.folder):
        known = models.decision(key)
        return known or _decide(articles, material, key, models, wish, now)


def material_of(articles: Sequence[Article]) -> Material:
    """The rows of the public articles, as `building` makes them."""
    public = sorted((article for article in articles if article.is_public), key=lambda article: article.slug)
    rows, texts = rows_of([prepare(article) for article in public])
    return Material(rows, tuple(texts), tuple(read_far_messages()))


def subjects(material: Material, rows: Sequence[int]) -> list[Subject]:
    """What is taught: titles, phrasings and short answers among ``rows``, by article. Passages say too many things at once."""
    texts: dict[int, list[str]] = {}
    for row in rows:
        if material.rows.kind[row] in (TITLE, PHRASING, ANSWER):
            texts.setdefault(int(material.rows.article[row]), []).append(material.texts[row])
    return [Subject("", tuple(dict.fromkeys(own))) for own in texts.values()]


def steps_for(phrasings: int) -> int:
    """How many steps so many phrasings are worth."""
    return min(MOST_STEPS, max(LEAST_STEPS, round(phrasings * TIMES_SEEN / (2 * SUBJECTS))))


def _decide(articles: Sequence[Article], material: Material, key: str, models: ModelFolders, wish: Wish, now: datetime) -> Decision:
    began = time.monotonic()
    texts = material.everything
    base_vectors = embed_new(texts, models.known(models.base), models.of(models.base))
    base_settled = _settle(material, base_vectors, wish.aim)
    learner = _Learner(wish, material)
    base, adapted = learner.try_out()
    pays = adaptation.is_better(adapted, base)
    figures = {"base": _figures(base), "adapted": _figures(adapted), "pays": pays}
    log.info("held out of %d phrasings: %s", base.questions, figures)
    decision = Decision(key, now.isoformat(), models.base, models.base, base_settled, base_settled, adaptation.marks(articles), wish.aim, figures)
    with _building(models.folder, key) as building:
        if not (pays or wish.anyway):
            write_decision(models.folder, building, _timed(decision, began), {}, texts, base=base_vectors)
            return decision
        exported = learner.write_adapted(building)
        embedder = SentenceEmbedder(building)
        decision = _timed(replace(decision, embedding=embedder.checksum, settled=adapted.settled), began)
        write_decision(models.folder, building, decision, exported, texts, base=base_vectors, adapted=embedder.embed(texts))
    return decision


def _settle(material: Material, vectors: Vectors, aim: Aim) -> Settled:
    count = len(material.texts)
    data = Learnable(material.rows, material.texts, vectors[:count], index_texts(material.texts))
    return settle(data, far=material.far, far_vectors=vectors[count:], aim=aim)


def _figures(tried: Tried) -> dict[str, Any]:
    return {name: value for name, value in asdict(tried).items() if name != "settled"}


def _timed(decision: Decision, began: float) -> Decision:
    return replace(decision, figures={**decision.figures, "seconds": round(time.monotonic() - began, 1)})


class _Learner:
    """The base model as torch has it, and what it is adapted to."""

    def __init__(self, wish: Wish, material: Material) -> None:
        import torch

        # A core stays free: two threads that wait for each other on busy cores do less than one.
        torch.set_num_threads(max(1, min(2, (os.cpu_count() or 1) // 2)))
        self._wish = wish
        self._material = material
        self._source = export.model_folder(wish.model)
        export.checked_weights(self._source, wish.model)
        self._sentence = export.load(self._source, export.adapter_of(wish.model))
        self._encoder = self._sentence[0].auto_model
        if not matrices(self._encoder):
            raise KnowledgeBaseError(f"the model {wish.model!r} is of a kind that cannot be adapted")
        self._untouched = {name: values.clone() for name, values in self._encoder.state_dict().items()}

    def try_out(self) -> tuple[Tried, Tried]:
        """What the base model reaches in the folds, and what models adapted to the rest of each do."""
        rows = self._material.rows
        folds = adaptation.folds(rows, self._wish.folds)
        # By torch, as the adapted ones are: the exported model rounds, and is not to be the worse for that.
        plain = vectors_of(self._sentence, self._material.everything)
        adapted = []
        for number, fold in enumerate(folds):
            with self._adapted(fold.kept.tolist(), seed=number + 1):
                adapted.append((fold, vectors_of(self._sentence, self._material.everything)))
            log.info("fold %d of %d learnt from %d rows", number + 1, len(folds), len(fold.kept))
        aim = self._wish.aim
        return adaptation.tried(self._material, [(fold, plain) for fold in folds], aim), adaptation.tried(self._material, adapted, aim)

    def write_adapted(self, folder: Path) -> dict[str, Any]:
        """Adapt to everything and export to ``folder``. Returns what the manifest of an exported model says beside its files."""
        with self._adapted(range(len(self._material.texts)), seed=0):
            dimensions, max_tokens = export.write(self._sentence, self._source, folder)
        exported = {"model": self._wish.model, "dimensions": dimensions, "max_tokens": max_tokens}
        files = {name: generations.checksum(folder / name) for name in (embedding.MODEL, embedding.TOKENIZER)}
        (folder / embedding.MANIFEST).write_text(json.dumps({**exported, "files": files}), encoding="utf-8")
        return exported

    @contextlib.contextmanager
    def _adapted(self, rows: Sequence[int], seed: int) -> Iterator[None]:
        """The model is adapted to these rows inside the block, and as it was afterwards."""
        steps = self._wish.steps or steps_for(int((self._material.rows.kind[list(rows)] == PHRASING).sum()))
        course = Course(steps, subjects=SUBJECTS, rate=RATE, mixed=0.0, seed=seed)
        merge(self._encoder, teach(self._sentence, subjects(self._material, rows), course, _told(steps)))
        try:
            yield
        finally:
            self._encoder.load_state_dict(self._untouched)


def vectors_of(sentence: Any, texts: Sequence[str]) -> Vectors:
    """float32 (len(texts), dim) by a SentenceTransformer, rows of unit length, each text cut at the model's longest input."""
    import torch

    found: list[Vectors] = []
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    sentence.eval()
    with torch.inference_mode():
        # Four letters to a word piece: near enough to put texts of one length together.
        for cut in tight_batches([len(texts[number]) // 4 + 2 for number in order]):
            some = [texts[number] for number in order[cut]]
            features = sentence.tokenizer(some, padding=True, truncation=True, max_length=sentence.max_seq_length, return_tensors="pt")
            found.append(torch.nn.functional.normalize(sentence(dict(features))["sentence_embedding"], dim=-1).numpy())
    vectors = np.concatenate(found)
    return np.asarray(vectors[np.argsort(order)], np.float32)


def _told(steps: int) -> Callable[[int, float], None]:
    def tell(step: int, loss: float) -> None:
        if (step + 1) % 20 == 0 or step + 1 == steps:
            log.info("step %d of %d, loss %.3f", step + 1, steps, loss)

    return tell


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process is inside at a time; the system frees the place of one that was killed. Raises `KnowledgeBaseError`."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise KnowledgeBaseError("the embedding is being adapted by another process") from cause
        yield


@contextlib.contextmanager
def _building(folder: Path, key: str) -> Iterator[Path]:
    """A folder to build in. What killed ones have left goes first: nobody else is at it."""
    for left in folder.glob(f"{BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    building = folder / f"{BUILDING}{os.getpid()}-{key}"
    building.mkdir()
    try:
        yield building
    finally:
        shutil.rmtree(building, ignore_errors=True)
