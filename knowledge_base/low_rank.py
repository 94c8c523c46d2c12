"""Adapting a sentence model by low-rank additions to its matrices (LoRA, arXiv 2106.09685), and teaching them.

An *adapter* is a pair of small matrices for each matrix of the encoder: ``down`` (rank, in) and ``up`` (out, rank); their product
is added to it. All else stays as it was, so an adapter is a few hundred KiB, and once it is merged a question costs what it did.

Whoever calls these functions has torch loaded: they belong to building, never to serving.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Adapter = dict[str, npt.NDArray[np.float32]]

RANK = 8
# What the additions are multiplied with (alpha / rank of the paper).
SCALE = 2.0
# Questions are short: longer texts are taught by their beginning, which halves the time.
MAX_TOKENS = 48
TEMPERATURE = 0.05
WARM_UP = 0.1
DOWN, UP = ".down", ".up"


@dataclass(frozen=True)
class Subject:
    """What means the same: the ``texts`` of an article, and in which ``base`` (knowledge base) the article stands.

    A subject of one text is a message that no article of the base answers: only something to be told apart from.
    """

    base: str
    texts: Sequence[str]


@dataclass(frozen=True)
class Course:
    """How an adapter is taught: ``steps`` of ``subjects`` articles with two texts each and of messages that stand ``alone``.

    ``mixed`` is the share of steps that draw from all bases at once.
    """

    steps: int
    subjects: int = 24
    alone: int = 8
    rate: float = 5e-4
    mixed: float = 0.2
    seed: int = 0


def matrices(encoder: Any) -> dict[str, Any]:
    """The encoder's linear layers by name."""
    import torch

    return {name: module for name, module in encoder.named_modules() if isinstance(module, torch.nn.Linear) and "encoder.layer" in f".{name}"}


def merge(encoder: Any, adapter: Adapter) -> None:
    """Add an adapter to the encoder's matrices for good. Raises `ValueError` when it was made for an encoder of another shape."""
    import torch

    found = matrices(encoder)
    if {name + ending for name in found for ending in (DOWN, UP)} != set(adapter):
        raise ValueError("the adapter was made for another model")
    with torch.no_grad():
        for name, linear in found.items():
            added = torch.from_numpy(adapter[name + UP]) @ torch.from_numpy(adapter[name + DOWN])
            if added.shape != linear.weight.shape:
                raise ValueError("the adapter was made for another model")
            linear.weight += added


def teach(sentence: Any, subjects: Sequence[Subject], course: Course, told: Callable[[int, float], None] | None = None) -> Adapter:
    """Teach an adapter that texts of one subject are near each other and far from those of its neighbours.

    ``sentence`` is a SentenceTransformer whose first module is the encoder; it is left as it was. The loss is supervised contrastive
    (arXiv 2004.11362): each text has to pick out the other text of its article among all texts of the step, most of which come from
    the same knowledge base and so are easily confused. ``told`` hears of each step and its loss.
    """
    import torch

    torch.manual_seed(course.seed)
    draw = random.Random(course.seed)  # noqa: S311 - the same seed must give the same adapter
    encoder = sentence[0].auto_model
    state = [(parameter, parameter.requires_grad) for parameter in encoder.parameters()]
    additions = _Additions(encoder)
    learnt = additions.parameters()
    optimiser = torch.optim.AdamW(learnt, lr=course.rate, weight_decay=0.0)
    encoder.train()
    try:
        for step in range(course.steps):
            optimiser.param_groups[0]["lr"] = course.rate * _pace(step, course.steps)
            texts, labels = _lesson(subjects, course, draw)
            loss = _contrast(_vectors(sentence, texts), torch.tensor(labels))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 1.0)
            optimiser.step()
            if told:
                told(step, float(loss.detach()))
        return additions.adapter()
    finally:
        additions.remove()
        encoder.eval()
        for parameter, wanted in state:
            parameter.requires_grad = wanted


def weakened(adapter: Adapter, strength: float) -> Adapter:
    """The same additions, each times ``strength``."""
    return {name: values * np.float32(strength if name.endswith(UP) else 1) for name, values in adapter.items()}


def write_adapter(path: Path, adapter: Adapter) -> None:
    """Write it with 16 bits a number."""
    np.savez(path, **{name: values.astype(np.float16) for name, values in adapter.items()})  # type: ignore[arg-type]  # numpy names its own option


def read_adapter(path: Path) -> Adapter:
    """Read what `write_adapter` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def _pace(step: int, steps: int) -> float:
    """Up in a straight line at first, then down to nothing."""
    return min(1.0, (step + 1) / max(1.0, WARM_UP * steps)) * (1 - step / steps)


def _lesson(subjects: Sequence[Subject], course: Course, draw: random.Random) -> tuple[list[str], list[int]]:
    """Two texts of each of some subjects and the only one of a few others, and the number of the subject of each text."""
    bases: dict[str, list[int]] = {}
    for number, subject in enumerate(subjects):
        bases.setdefault(subject.base, []).append(number)
    pool: Iterable[int] = range(len(subjects)) if draw.random() < course.mixed else bases[draw.choice(list(bases))]
    told: list[int] = []
    alone: list[int] = []
    for number in pool:
        (told if len(subjects[number].texts) > 1 else alone).append(number)
    chosen = draw.sample(told, min(course.subjects, len(told))) + draw.sample(alone, min(course.alone, len(alone)))
    pairs = [(text, number) for number in chosen for text in draw.sample(list(subjects[number].texts), min(2, len(subjects[number].texts)))]
    return [text for text, _ in pairs], [number for _, number in pairs]


def _vectors(sentence: Any, texts: Sequence[str]) -> Any:
    """(len(texts), dim) of unit length, with gradients."""
    import torch

    features = sentence.tokenizer(list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    return torch.nn.functional.normalize(sentence(dict(features))["sentence_embedding"], dim=-1)


def _contrast(vectors: Any, labels: Any) -> Any:
    """The loss of a step; texts that are alone in their subject only serve as others."""
    import torch

    alike = vectors @ vectors.T / TEMPERATURE
    alike = alike.masked_fill(torch.eye(len(labels), dtype=torch.bool), -math.inf)
    same = labels[:, None] == labels[None, :]
    same.fill_diagonal_(False)
    chances = (alike - alike.logsumexp(dim=1, keepdim=True)).masked_fill(~same, 0.0)
    partners = same.sum(dim=1)
    return -(chances.sum(dim=1)[partners > 0] / partners[partners > 0]).mean()


class _Additions:
    """The additions while they are taught: hooks on the encoder's matrices, which themselves are frozen."""

    def __init__(self, encoder: Any) -> None:
        import torch

        for parameter in encoder.parameters():
            parameter.requires_grad = False
        self._pairs: dict[str, tuple[Any, Any]] = {}
        self._hooks = []
        for name, linear in matrices(encoder).items():
            down = torch.nn.Parameter(torch.randn(RANK, linear.in_features) / linear.in_features**0.5)
            up = torch.nn.Parameter(torch.zeros(linear.out_features, RANK))
            self._pairs[name] = (down, up)
            self._hooks.append(linear.register_forward_hook(self._adding(down, up)))

    def parameters(self) -> list[Any]:
        return [parameter for pair in self._pairs.values() for parameter in pair]

    def adapter(self) -> Adapter:
        found = {}
        for name, (down, up) in self._pairs.items():
            found[name + DOWN] = down.detach().numpy().copy()
            found[name + UP] = SCALE * up.detach().numpy()
        return found

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()

    @staticmethod
    def _adding(down: Any, up: Any) -> Callable[[Any, tuple[Any, ...], Any], Any]:
        return lambda _module, inputs, output: output + (inputs[0] @ down.T) @ up.T * SCALE
