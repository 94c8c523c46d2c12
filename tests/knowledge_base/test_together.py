"""Questions that come together are embedded together; each gets its own vector, and nobody waits for nothing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from knowledge_base.embedding import PIECES_TOGETHER, tight_batches
from knowledge_base.together import MOST, SIDE_BY_SIDE, TogetherEmbedder


class GatedEmbedder:
    """Writes down each batch, and works only while its gate is open. Fails on a batch that holds "poison" beside others."""

    checksum = "gated"
    dimensions = 4

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.batches: list[list[str]] = []

    def embed(self, texts):
        self.batches.append(texts)
        assert self.gate.wait(10)
        if "poison" in texts and len(texts) > 1:
            raise ValueError("poison")
        return np.array([[len(text), hash(text) % 97, 1, 0] for text in texts], np.float32)


@pytest.fixture
def gated():
    return GatedEmbedder()


@pytest.fixture
def together(gated):
    return TogetherEmbedder(gated, places=1)


def wait_for(condition) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.002)


def asked_while_busy(together, gated, threads, texts):
    """Holds the one place, lets ``texts`` queue up, then opens the gate; gives back their futures."""
    threads.submit(together.embed, ["first"])
    wait_for(lambda: gated.batches)
    futures = []
    for text in texts:
        futures.append(threads.submit(together.embed, [text]))
        wait_for(lambda: len(together._waiting) == len(futures))
    gated.gate.set()
    return futures


def test_a_lone_question_goes_at_once(together, gated):
    """Alone, in the thread that asks."""
    gated.gate.set()
    assert together.embed(["router"])[0, 0] == 6
    assert gated.batches == [["router"]]


def test_what_waits_goes_together(together, gated):
    """In the order of arrival, no more than a batch holds, each text once, and each thread gets its own."""
    texts = [f"question {'x' * number}" for number in range(MOST + 3)]
    with ThreadPoolExecutor(32) as threads:
        futures = asked_while_busy(together, gated, threads, texts)
        vectors = np.vstack([future.result(10) for future in futures])
    assert gated.batches == [["first"], texts[:MOST], texts[MOST:]]
    assert (vectors == gated.embed(texts)).all()


def test_a_failing_batch_takes_nobody_along(together, gated):
    """The others are embedded alone; places are handed on."""
    with ThreadPoolExecutor(16) as threads:
        leader, *others = asked_while_busy(together, gated, threads, ["poison", "parcel", "router", "lamp"])
        with pytest.raises(ValueError, match="poison"):
            leader.result(10)
        assert [future.result(10)[0, 0] for future in others] == [6, 6, 4]
    assert together.embed(["poison"]).shape == (1, 4)


def test_many_threads_for_a_while(gated):
    """Every question gets its own vector, whatever came beside it; in the end the places are free again."""
    gated.gate.set()
    together = TogetherEmbedder(gated)
    texts = [f"question {'x' * (number % 37)}{number}" for number in range(2_000)]
    with ThreadPoolExecutor(24) as threads:
        found = np.vstack(list(threads.map(lambda text: together.embed([text]), texts)))
    assert (found == gated.embed(texts)).all()
    assert together._free == SIDE_BY_SIDE


def test_lists_pass_through(together, gated):
    """A build's texts are batched by the embedder itself."""
    gated.gate.set()
    assert together.embed(["a", "b"]).shape == (2, 4)
    assert gated.batches == [["a", "b"]]


def test_batches_are_tight():
    """Every text is in one batch; hardly anything is filled up; none holds too much."""
    draw = np.random.default_rng(3)
    lengths = sorted(int(length) for length in draw.integers(2, 257, 700))
    batches = [lengths[cut] for cut in tight_batches(lengths)]
    assert [length for batch in batches for length in batch] == lengths
    assert max(len(batch) * batch[-1] for batch in batches) <= PIECES_TOGETHER
    assert sum(len(batch) * batch[-1] for batch in batches) < 1.05 * sum(lengths)
    assert len(batches) < 150
    assert tight_batches([]) == []
