"""The figures of `evaluate`: how search does on questions that the index was not built from. Numpy alone."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .aim import Aim
from .building import build
from .calibration import NO_ARTICLE, matthews
from .embedding import Embedder
from .exceptions import KnowledgeBaseError
from .index_files import load_index
from .model import Cutoffs, SearchAnswer
from .reading import read_folder
from .searching import Searcher

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]

# Hits looked at a question; an article further down counts nothing in mrr.
DEPTH = 10
BINS = 10


@dataclass(frozen=True)
class Question:
    """A question and the slug of the article that answers it, or None."""

    text: str
    article: str | None


@dataclass(frozen=True)
class Outcome:
    """What search said to one question, in time ``seconds``: slugs with the best first, and the best one's confidence."""

    question: Question
    slugs: tuple[str, ...]
    confidence: float
    seconds: float

    @property
    def right(self) -> bool:
        return bool(self.slugs) and self.slugs[0] == self.question.article

    @property
    def rank(self) -> int:
        """Place of the right article, from 1; 0 when it is not among the hits."""
        return self.slugs.index(self.question.article) + 1 if self.question.article in self.slugs else 0


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSONL file. Raises `KnowledgeBaseError` with file and line for a line of another form."""
    questions = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise KnowledgeBaseError(f"{path} cannot be read") from cause
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            form = json.loads(line)
            text, article = form["question"], form["article"]
            if not isinstance(text, str) or not isinstance(article, str | None):
                raise TypeError
        except (ValueError, KeyError, TypeError) as cause:
            raise KnowledgeBaseError(f'{path}:{number}: wanted {{"question": text, "article": slug or null}}') from cause
        questions.append(Question(text, article))
    return questions


def evaluate(articles: Path, questions: Sequence[Question], embedder: Embedder, aim: Aim) -> dict[str, Any]:
    """Build an index of ``articles`` alone, ask every question, and give back the figures. The questions choose nothing."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        built = build(read_folder(articles), Path(folder), embedder, aim=aim, now=datetime.now(timezone.utc))
        build_s = time.perf_counter() - started
        searcher = Searcher(load_index(Path(folder) / built.generation, embedder.checksum), embedder)
        outcomes = [ask(searcher, question) for question in questions]
        return {**figures(outcomes, searcher.loaded.settled.calibration.cutoffs), "build_s": round(build_s, 2)}


def ask(searcher: Searcher, question: Question) -> Outcome:
    """Ask one question and take the time."""
    started = time.perf_counter()
    answer: SearchAnswer = searcher.search(question.text, DEPTH)
    seconds = time.perf_counter() - started
    return Outcome(question, tuple(hit.slug for hit in answer.hits), answer.hits[0].confidence if answer.hits else 0.0, seconds)


def figures(outcomes: Sequence[Outcome], cutoffs: Cutoffs) -> dict[str, Any]:
    """Every figure but ``build_s``; one that is undefined for these questions is None."""
    confidence = np.array([outcome.confidence for outcome in outcomes], np.float64)
    right = np.array([outcome.right for outcome in outcomes], bool)
    answerable = np.array([outcome.question.article is not None for outcome in outcomes], bool)
    ranks = [outcome.rank for outcome in outcomes if outcome.question.article is not None]
    given = confidence >= cutoffs.answer
    seconds = np.array([outcome.seconds for outcome in outcomes]) * 1000
    found = {
        "hit_at_1": share(rank == 1 for rank in ranks),
        "hit_at_3": share(1 <= rank <= 3 for rank in ranks),
        "mrr": share(1 / rank if rank else 0.0 for rank in ranks),
        "auroc_answerable": auroc(confidence, answerable),
        "auroc_correct": auroc(confidence, right),
        "mcc": correlation(outcomes, cutoffs.offer),
        "answered": share(given),
        "answered_right": share(right[given]),
        "wrongly_answered": share(given & ~right),
        "recall_at_precision_85": recall_at_precision(confidence, right, int(answerable.sum()), 0.85),
        "ece": calibration_error(confidence, right),
        "brier": share((confidence - right) ** 2),
        "search_ms_p50": float(np.percentile(seconds, 50)) if len(seconds) else None,
        "search_ms_p95": float(np.percentile(seconds, 95)) if len(seconds) else None,
    }
    rounded = {name: None if value is None else round(value, 4) for name, value in found.items()}
    return {"questions": len(outcomes), "answerable": int(answerable.sum()), **rounded}


def share(values: Any) -> float | None:
    """The mean, or None of nothing."""
    numbers = np.array([float(value) for value in values])
    return float(numbers.mean()) if len(numbers) else None


def auroc(confidence: Floats, positive: Truths) -> float | None:
    """Chance that a positive has more confidence than a negative, ties counting half; None when either kind is missing."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def recall_at_precision(confidence: Floats, right: Truths, answerable: int, precision: float) -> float | None:
    """Right answers given, as a share of ``answerable``, at the lowest cut-off whose answers are right as often as ``precision``."""
    if not answerable:
        return None
    order = np.argsort(-confidence, kind="stable")
    found = np.cumsum(right[order])
    # A cut-off cannot part equal confidences: only the last of each run is one.
    last = np.append(np.diff(confidence[order]) != 0, True) if len(order) else np.zeros(0, bool)
    precise = last & (found / np.arange(1, len(order) + 1) >= precision)
    return float(found[precise].max(initial=0) / answerable)


def calibration_error(confidence: Floats, right: Truths) -> float | None:
    """Expected calibration error with ten bins of equal mass: how far mean confidence and share of right ones lie apart."""
    if not len(confidence):
        return None
    bins = np.array_split(np.argsort(confidence, kind="stable"), min(BINS, len(confidence)))
    return float(sum(len(part) * abs(confidence[part].mean() - right[part].mean()) for part in bins) / len(confidence))


def correlation(outcomes: Sequence[Outcome], cutoff: float) -> float | None:
    """Matthews correlation over articles plus "no answer", where below ``cutoff`` nothing is said."""
    if not outcomes:
        return None
    numbers: dict[str | None, int] = {None: NO_ARTICLE}
    for outcome in outcomes:
        for slug in (outcome.question.article, *outcome.slugs[:1]):
            numbers.setdefault(slug, len(numbers) - 1)
    said = [numbers[outcome.slugs[0]] if outcome.slugs and outcome.confidence >= cutoff else NO_ARTICLE for outcome in outcomes]
    truth = [numbers[outcome.question.article] for outcome in outcomes]
    return matthews(np.array(said, np.int64), np.array(truth, np.int64), np.ones(len(outcomes)))
