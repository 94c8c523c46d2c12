"""A small knowledge base with questions, and an embedder that needs no model."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search.sets import Case
from knowledge_base.embedding import Vectors
from knowledge_base.evaluation import Question

SUBJECTS = {
    "router": ("the router shows a red light", "internet lamp is red", "router blinks"),
    "parcel": ("where is my parcel", "track the order", "when does my order arrive"),
    "refund": ("where is my refund", "money for a returned lamp", "refund of the order"),
    "invoice": ("download my invoice", "invoice with company name", "bill of the order"),
    "empty": (),
}


class LetterEmbedder:
    """Texts that share beginnings of words lie close together. Counts how often each text was embedded."""

    checksum = "letters"
    dimensions = 48

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: list[str]) -> Vectors:
        self.embedded += texts
        vectors = np.full((len(texts), self.dimensions), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, zlib.crc32(word[:4].encode()) % self.dimensions] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def embedder() -> LetterEmbedder:
    return LetterEmbedder()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Five articles, one of them nothing but a title, and one for staff alone; six questions, two without an article."""
    folder = tmp_path / "articles"
    folder.mkdir()
    for slug, questions in SUBJECTS.items():
        front = [f"title: About the {slug}", f"answer: What to know of the {slug}.", "questions:", *(f"  - {one}" for one in questions)]
        front = front if questions else front[:1]
        text = f"\n## The {slug} in short\n\nPlug the {slug} in again and wait for a minute.\n" if questions else ""
        (folder / f"{slug}.md").write_text("---\n" + "\n".join(front) + f"\n---\n{text}", encoding="utf-8")
    (folder / "staff.md").write_text("---\ntitle: For staff\naudience: internal\n---\n\nSecret.\n", encoding="utf-8")
    asked = {"red  lamp on the router": "router", "order tracking": "parcel", "refund money please": "refund", "invoice for the company": "invoice"}
    questions = [Question(text, slug) for text, slug in asked.items()]
    return Case("made up", folder, (*questions, Question("tell me a joke", None), Question("weather tomorrow", None)))
