"""The models that search is measured with: the shipped one, and the same with one part away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base import export
from knowledge_base.embedding import Embedder, SentenceEmbedder, Vectors

NOT_TAUGHT, NOT_ROUNDED = "no support adapter: the model as published", "no 8-bit numbers: fp32"


@dataclass
class WholeNumbers:
    """The shipped model before it is put into 8 bits, run by torch."""

    sentence: Any
    checksum: str = "fp32"
    dimensions: int = 384

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length."""
        return np.asarray(self.sentence.encode(texts, normalize_embeddings=True, show_progress_bar=False), np.float32)


def lacking(model: str) -> Iterator[tuple[str, Embedder]]:
    """Each model that lacks something, by what that is; one at a time is held in memory."""
    if export.adapter_of(model):
        with tempfile.TemporaryDirectory() as folder:
            export.export(model, Path(folder) / "plain", taught=False)
            yield NOT_TAUGHT, SentenceEmbedder(Path(folder) / "plain")
    sentence = export.load(export.model_folder(model), export.adapter_of(model))
    yield NOT_ROUNDED, WholeNumbers(sentence, dimensions=int(sentence.encode(["a"], show_progress_bar=False).shape[1]))
