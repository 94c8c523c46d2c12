"""Turning texts into vectors with the exported ONNX model: what serving needs, without torch.

``<var>/embedding/`` holds ``sentence.onnx`` (inputs ``ids``, ``mask``, ``types``: int64 (n, tokens); output ``vector``:
float32 (n, dim), rows of unit length), ``tokenizer.json`` and ``manifest.json``. The dialogue half runs the same files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from . import generations
from .exceptions import EmbeddingUnusable

Vectors = npt.NDArray[np.float32]

MODEL = "sentence.onnx"
TOKENIZER = "tokenizer.json"
MANIFEST = "manifest.json"

# Texts of similar length go through together; 32 fills two cores and keeps the activations under 40 MiB.
BATCH = 32


class Embedder(Protocol):
    """Whatever turns texts into vectors; the tests have one that needs no model."""

    checksum: str
    dimensions: int

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length, in the order of ``texts``."""
        ...


class SentenceEmbedder:
    """The exported model of ``folder``. Raises `EmbeddingUnusable` when it is missing or not what its manifest says."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        manifest = read_manifest(folder)
        self.checksum = str(manifest["files"][MODEL])
        self.dimensions = int(manifest["dimensions"])
        self._tokenizer = _tokenizer(folder, int(manifest["max_tokens"]))
        self._session = _session(folder, threads)

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length, in the order of ``texts``; each cut at the model's longest input."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), BATCH):
            numbers = order[start : start + BATCH]
            vectors[numbers] = self._embed_batch([texts[number] for number in numbers])
        return vectors

    def _embed_batch(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(texts)
        inputs = {
            "ids": np.array([encoding.ids for encoding in encodings], np.int64),
            "mask": np.array([encoding.attention_mask for encoding in encodings], np.int64),
            "types": np.array([encoding.type_ids for encoding in encodings], np.int64),
        }
        (vectors,) = self._session.run(["vector"], inputs)
        return np.asarray(vectors, np.float32)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an exported model, its files compared with their checksums. Raises `EmbeddingUnusable`."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name, expected in manifest["files"].items():
            if generations.checksum(folder / name) != expected:
                raise EmbeddingUnusable(f"{folder / name} does not have the checksum of its manifest")
        int(manifest["dimensions"]), int(manifest["max_tokens"]), manifest["files"][MODEL], manifest["files"][TOKENIZER]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise EmbeddingUnusable(f"{folder} holds no exported model") from cause
    return manifest


def _tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.enable_truncation(max_tokens)
    # A pad of id 0 is masked out, so any id that exists will do.
    tokenizer.enable_padding()
    return tokenizer


def _session(folder: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The arena keeps what the largest batch needed for ever; without it a question costs the same time.
    options.enable_cpu_mem_arena = False
    # Spinning threads would hold both cores for a while after each question.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # onnxruntime raises pybind classes that share no base but Exception
        raise EmbeddingUnusable(f"{folder / MODEL} cannot be loaded") from cause
