"""What the service does before it listens."""

from __future__ import annotations

import threading

from knowledge_base.aim import Aim
from knowledge_base.live import LiveIndex, Place
from knowledge_base.serving import bring_up
from knowledge_base.together import TogetherEmbedder

from .conftest import WordEmbedder


class ThreadedEmbedder(WordEmbedder):
    """Writes down how many threads it had for each list of texts."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = 2
        self.had: list[int] = []

    def embed(self, texts):
        self.had.append(self.threads)
        return super().embed(texts)


def test_building_has_both_cores_until_there_is_something_to_answer_with(shop, index, clock):
    """Then an edit leaves one for questions."""
    embedder = ThreadedEmbedder()
    live = LiveIndex(Place(shop.folder, index, Aim()), TogetherEmbedder(embedder), clock)
    bring_up(live, embedder, threading.Event())
    assert live.searcher.article("refund-times") is not None
    assert set(embedder.had) == {2}
    embedder.had.clear()
    shop.add("network/guest-wifi", "Guest network", "visitors on my wifi")
    live.follow()
    assert live.searcher.article("guest-wifi") is not None
    assert set(embedder.had) == {1}


def test_a_service_that_is_stopped_before_it_can_answer_ends(shop, index, embedder, clock, caplog):
    """Where no index can be built, a second try would come, and no end."""
    index.write_text("a file where the folder should be")
    embedder.threads = 2
    live = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    stopping = threading.Event()
    waiting = threading.Thread(target=bring_up, args=(live, embedder, stopping))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    stopping.set()
    waiting.join(10)
    assert not waiting.is_alive()
    assert live.searcher is None
