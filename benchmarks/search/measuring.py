"""Building an index of a case and asking it, through the same functions that serve customers."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from knowledge_base.aim import Aim
from knowledge_base.building import build
from knowledge_base.embedding import Embedder
from knowledge_base.evaluation import Outcome, ask
from knowledge_base.index_files import load_index
from knowledge_base.model import Cutoffs
from knowledge_base.reading import read_folder
from knowledge_base.searching import Searcher

from .sets import Case


@dataclass(frozen=True)
class Measured:
    """What search said to all questions of a case, and the cut-offs that the build had chosen before."""

    name: str
    outcomes: tuple[Outcome, ...]
    cutoffs: Cutoffs


def measure(case: Case, embedder: Embedder, aim: Aim) -> Measured:
    """Build an index of the case's articles alone and ask every question of it."""
    with tempfile.TemporaryDirectory() as place:
        built = build(read_folder(case.articles), Path(place), embedder, aim=aim, now=datetime.now(UTC))
        searcher = Searcher(load_index(Path(place) / built.generation, embedder.checksum), embedder)
        outcomes = tuple(ask(searcher, question) for question in case.questions)
        return Measured(case.name, outcomes, searcher.loaded.settled.calibration.cutoffs)
