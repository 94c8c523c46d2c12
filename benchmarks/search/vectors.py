"""Vectors of all texts of all sets, each embedded once by a model, so that many indexes can be built and asked quickly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.building import read_far_messages, rows_of
from knowledge_base.embedding import Embedder, Vectors
from knowledge_base.preparing import prepare
from knowledge_base.reading import read_folder

from .sets import Case


@dataclass
class KnownVectors:
    """An embedder that knows its texts by heart and can be sent to another process. Raises KeyError for any other text.

    Times measured with it mean nothing, and none are shown.
    """

    checksum: str
    dimensions: int
    known: dict[str, Vectors]

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions)."""
        return np.array([self.known[text] for text in texts], np.float32).reshape(len(texts), self.dimensions)

    def only(self, texts: Iterable[str]) -> KnownVectors:
        """The same for these texts alone."""
        return KnownVectors(self.checksum, self.dimensions, {text: self.known[text] for text in texts})


def embed_once(embedder: Embedder, texts: Iterable[str]) -> KnownVectors:
    """Every text through the model, once."""
    different = list(dict.fromkeys(texts))
    return KnownVectors(embedder.checksum, embedder.dimensions, dict(zip(different, embedder.embed(different), strict=True)))


def texts_of(case: Case) -> list[str]:
    """All that building and asking a case embeds: rows, messages without an answer, questions."""
    stored = [prepare(article) for article in read_folder(case.articles).articles]
    _, rows = rows_of([one for one in stored if one.article.is_public])
    return [*rows, *read_far_messages(), *as_asked(case)]


def as_asked(case: Case) -> Sequence[str]:
    """The questions as search takes them."""
    return [" ".join(question.text.split()) for question in case.questions]
