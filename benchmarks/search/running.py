"""Cases measured side by side, each in a process that computes with one thread: two cores, two cases at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from types import TracebackType

from threadpoolctl import threadpool_limits

from knowledge_base.aim import Aim

from .ablation import Ablated, ablate
from .measuring import Measured, measure
from .sets import Case
from .vectors import KnownVectors, texts_of

# Started anew rather than forked: the threads of numpy do not survive a fork.
START = "spawn"


class Running:
    """Hands out cases to processes. Vectors go with them, so no process loads a model."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._pool = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context(START))

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)

    def measure(self, cases: Sequence[Case], vectors: KnownVectors) -> list[Future[Measured]]:
        """A result a case, to come."""
        return [self._pool.submit(_measure, case, vectors.only(texts_of(case)), self._aim) for case in cases]

    def measure_as_told(self, cases: Sequence[Case], vectors: KnownVectors) -> list[Future[Measured]]:
        """The same with each case's own share of questions without an answer, as an owner who knows it would set it."""
        aims = [replace(self._aim, no_answer_share=case.no_answer_share) for case in cases]
        return [self._pool.submit(_measure, case, vectors.only(texts_of(case)), aim) for case, aim in zip(cases, aims, strict=True)]

    def ablate(self, cases: Sequence[Case], vectors: KnownVectors, others: Mapping[str, KnownVectors]) -> list[Future[Ablated]]:
        """The same without each of the parts."""
        submitted = []
        for case in cases:
            texts = texts_of(case)
            models = {name: other.only(texts) for name, other in others.items()}
            submitted.append(self._pool.submit(_ablate, case, vectors.only(texts), models, self._aim))
        return submitted


def _measure(case: Case, vectors: KnownVectors, aim: Aim) -> Measured:
    with threadpool_limits(1):
        return measure(case, vectors, aim)


def _ablate(case: Case, vectors: KnownVectors, others: Mapping[str, KnownVectors], aim: Aim) -> Ablated:
    with threadpool_limits(1):
        return ablate(case, vectors, others, aim)
