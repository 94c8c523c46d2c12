"""Turning texts into vectors with the exported ONNX model: what serving needs, without torch.

``<var>/embedding/`` holds ``sentence.onnx`` (inputs ``ids``, ``mask``, ``types``: int64 (n, tokens); output ``vector``:
float32 (n, dim), rows of unit length), ``tokenizer.json`` and ``manifest.json``. The dialogue half runs the same files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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

# Texts that are read into word pieces at once; of these, as many go through the model together as make up this many pieces. A
# thousand keep what is computed in the processor's cache; more is slower (32 texts of 110 pieces 22 ms each, 4 texts 19 ms).
READ_TOGETHER = 256
PIECES_TOGETHER = 1024
# Beside a text of 20 pieces stands none longer than 22: what is filled up costs as much as what is read.
LONGER_BY = 1.1


class Embedder(Protocol):
    """Whatever turns texts into vectors; the tests have one that needs no model."""

    checksum: str
    dimensions: int

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length, in the order of ``texts``."""
        ...


class SentenceEmbedder:
    """The exported model of ``folder``. Raises `EmbeddingUnusable` when it is missing or not what its manifest says.

    Any number of threads may ask it. It works on up to ``threads`` batches side by side, each with one thread: two threads on one
    batch wait for each other after every one of its 300 operations. How many may be changed at any time; the next list of texts heeds it.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        manifest = read_manifest(folder)
        self.checksum = str(manifest["files"][MODEL])
        self.dimensions = int(manifest["dimensions"])
        self.threads = threads
        self._tokenizer = load_tokenizer(folder, int(manifest["max_tokens"]))
        self._session = _session(folder)

    def embed(self, texts: list[str]) -> Vectors:
        """float32 (len(texts), dimensions), rows of unit length, in the order of ``texts``; each cut at the model's longest input."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        for start in range(0, len(order), READ_TOGETHER):
            numbers = order[start : start + READ_TOGETHER]
            vectors[numbers] = self._embed_some([texts[number] for number in numbers])
        return vectors

    def _embed_some(self, texts: list[str]) -> Vectors:
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(texts)), key=lambda number: len(pieces[number]))
        batches = [order[cut] for cut in tight_batches([len(pieces[number]) for number in order])]
        vectors = np.empty((len(texts), self.dimensions), np.float32)

        def run(batch: list[int]) -> None:
            vectors[batch] = self._run([pieces[number] for number in batch])

        threads = self.threads
        if len(batches) == 1 or threads == 1:
            for batch in batches:
                run(batch)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(run, batches))
        return vectors

    def _run(self, pieces: list[list[int]]) -> Vectors:
        """The vectors of texts of nearly the same length, the last the longest."""
        ids = np.zeros((len(pieces), len(pieces[-1])), np.int64)
        mask = np.zeros_like(ids)
        for row, own in enumerate(pieces):
            # What fills up is masked out, so any number that exists will do.
            ids[row, : len(own)], mask[row, : len(own)] = own, 1
        (vectors,) = self._session.run(["vector"], {"ids": ids, "mask": mask, "types": np.zeros_like(ids)})
        return np.asarray(vectors, np.float32)


def tight_batches(lengths: Sequence[int]) -> list[slice]:
    """Which neighbours of texts sorted by length go through the model together: few pieces in all, hardly any of them filling."""
    cuts: list[slice] = []
    start = 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or (end - start + 1) * lengths[end] > PIECES_TOGETHER or lengths[end] > lengths[start] * LONGER_BY:
            cuts.append(slice(start, end))
            start = end
    return cuts


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


def load_tokenizer(folder: Path, max_tokens: int) -> Tokenizer:
    """The tokeniser of an exported model; it cuts, and fills nothing up."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


def _session(folder: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena keeps what the largest batch needed for ever; without it a question costs the same time.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # onnxruntime raises pybind classes that share no base but Exception
        raise EmbeddingUnusable(f"{folder / MODEL} cannot be loaded") from cause
