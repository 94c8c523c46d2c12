"""The models that search is measured with: the shipped one, and the same with one part away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from knowledge_base import export
from knowledge_base.adaptation import can_pay
from knowledge_base.adapted_models import Decision, ModelFolders
from knowledge_base.adapting import Wish, adapt, vectors_of
from knowledge_base.aim import Aim
from knowledge_base.embedding import Embedder, SentenceEmbedder, Vectors
from knowledge_base.reading import read_folder

from .sets import Case

NOT_TAUGHT, NOT_ROUNDED = "no support adapter: the model as published", "no 8-bit numbers: fp32"


@dataclass
class WholeNumbers:
    """The shipped model before it is put into 8 bits, run by torch."""

    sentence: Any
    checksum: str = "fp32"
    dimensions: int = 384

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length."""
        return vectors_of(self.sentence, texts)


def lacking(model: str) -> Iterator[tuple[str, Embedder]]:
    """Each model that lacks something, by what that is; one at a time is held in memory."""
    if export.adapter_of(model):
        with tempfile.TemporaryDirectory() as folder:
            export.export(model, Path(folder) / "plain", taught=False)
            yield NOT_TAUGHT, SentenceEmbedder(Path(folder) / "plain")
    sentence = export.load(export.model_folder(model), export.adapter_of(model))
    yield NOT_ROUNDED, WholeNumbers(sentence, dimensions=int(sentence.encode(["a"], show_progress_bar=False).shape[1]))


def adapted(case: Case, embedding: Path, folder: Path, model: str, aim: Aim) -> tuple[Decision, Embedder] | None:
    """What is decided for the articles of a case, as the service would behind; None where it would not even try. Takes minutes."""
    articles = read_folder(case.articles).articles
    if not can_pay(articles):
        return None
    models = ModelFolders(embedding, folder, SentenceEmbedder)
    decision = adapt(articles, models, Wish(model, aim), datetime.now(UTC))
    return decision, models.of(decision.embedding)
