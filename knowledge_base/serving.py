"""Running the search service: model, live index, the thread that follows the folder, and the HTTP server."""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import queue
import signal
import subprocess
import sys
import threading
from datetime import datetime, timezone

from kit.logs import customers_are_served
from kit.settings import Settings

from . import index_files
from .aim import aim_of
from .embedding import SentenceEmbedder
from .live import LiveIndex, Place
from .server import SearchServer
from .together import TogetherEmbedder
from .training import Settled

log = logging.getLogger(__name__)

POLL_S = 0.4
SETTLE_TIMEOUT_S = 900.0
WARM_UP = "hello"
TURN_S = 0.0005
"""How long a thread may keep the interpreter while others want it. A question leaves it for the model and wants it back at once; with
Python's 5 ms, 16 askers were answered a fifth slower."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Listens only once it can answer."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sys.setswitchinterval(TURN_S)
    embedder = SentenceEmbedder(settings.var / "embedding", threads=2)
    settler = Settler()
    place = Place(settings.articles, settings.index, aim_of(settings))
    live = LiveIndex(place, TogetherEmbedder(embedder), lambda: datetime.now(timezone.utc), settler.start)
    bring_up(live, embedder, stopping)
    if live.searcher is not None:
        live.searcher.search(WARM_UP, 1)
        _give_memory_back()
        _listen(SearchServer(settings.search_port, live, settings.inner_secret), live, settler, stopping)
    settler.stop()


def bring_up(live: LiveIndex, embedder: SentenceEmbedder, stopping: threading.Event) -> None:
    """Follow until there is something to answer with. Nobody asks before, so ``embedder`` may have both cores until then."""
    while live.searcher is None and not stopping.is_set():
        live.follow()
        stopping.wait(0 if live.searcher else POLL_S)
    # From now on what is built leaves a core to questions; those that come together take both.
    embedder.threads = 1


def _listen(server: SearchServer, live: LiveIndex, settler: Settler, stopping: threading.Event) -> None:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    log.info("search answers on %s:%d", *server.server_address[:2])
    customers_are_served()
    while not stopping.wait(POLL_S):
        before = live.searcher
        live.follow()
        if (settled := settler.outcome()) is not None:
            live.take_over(settled)
        if live.searcher is not before:
            _give_memory_back()
    server.shutdown()
    server.server_close()


def _give_memory_back() -> None:
    """Training frees tens of MiB that glibc would keep for ever; other C libraries have no such call and need none."""
    # A searcher and what it remembers hold each other.
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Settler:
    """Asks held-out phrasings in a process of its own, so that its memory goes with it; one at a time, at low priority."""

    def __init__(self) -> None:
        self._outcomes: queue.Queue[Settled] = queue.Queue()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, unless it is running."""
        if self._process is None or self._process.poll() is not None:
            command = ["nice", "-n", "10", sys.executable, "-m", "knowledge_base", "settle"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            threading.Thread(target=self._wait, args=(self._process,), daemon=True).start()

    def outcome(self) -> Settled | None:
        """What the last finished one settled, once."""
        try:
            return self._outcomes.get_nowait()
        except queue.Empty:
            return None

    def stop(self) -> None:
        """End a running one."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        try:
            output, _ = process.communicate(timeout=SETTLE_TIMEOUT_S)
            if process.returncode == 0:
                self._outcomes.put(index_files.settled_from(json.loads(output)))
            else:
                log.warning("settling ended with %d; what was settled before stays", process.returncode)
        except subprocess.TimeoutExpired:
            process.kill()
            log.warning("settling took longer than %d s; what was settled before stays", SETTLE_TIMEOUT_S)
        except (ValueError, KeyError, TypeError):
            log.exception("settling gave an outcome that cannot be read; what was settled before stays")
