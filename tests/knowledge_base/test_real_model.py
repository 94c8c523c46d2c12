"""The whole with the real model: exported once, searched by meaning, run as the commands and the service that people start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from kit.settings import ROOT
from knowledge_base import export
from knowledge_base.embedding import SentenceEmbedder
from knowledge_base.exceptions import EmbeddingUnusable, SearchUnavailable
from knowledge_base.search_client import SearchClient

SECRET = "inner-secret"


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Path:
    """A var folder with the exported default model, made by the command."""
    var = tmp_path_factory.mktemp("var")
    run(var, "export")
    return var


@pytest.fixture
def var(exported, tmp_path) -> Path:
    """A var folder of one test, its model linked."""
    folder = tmp_path / "var"
    folder.mkdir()
    shutil.copytree(exported / "embedding", folder / "embedding", copy_function=os.link)
    return folder


def environment(var: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
    return {**kept, "TOUCHDESK_VAR": str(var), "TOUCHDESK_INNER_SECRET": SECRET, "HF_HUB_OFFLINE": "1", **settings}


def run(var: Path, *arguments: str, wanted: int = 0, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "knowledge_base", *arguments]
    ended = subprocess.run(command, cwd=ROOT, env=environment(var, **settings), capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == wanted, ended.stdout + ended.stderr
    return ended


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_until(happened, seconds: float) -> float:
    """How long it took; fails after ``seconds``."""
    started = time.monotonic()
    while not happened():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - started


def test_the_export_gives_the_models_own_vectors(exported):
    """As sentence-transformers computes them; each text alone or among others; rows of unit length."""
    embedder = SentenceEmbedder(exported / "embedding")
    texts = ["my router shows a red light", "refund", "", "word " * 1_000, "Grüße 🙂"]
    vectors = embedder.embed(texts)
    assert vectors.shape == (5, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-4)
    assert np.vstack([embedder.embed([text]) for text in texts]) == pytest.approx(vectors, abs=1e-5)
    code = (
        "import json, warnings; warnings.simplefilter('ignore')\n"
        "from knowledge_base import export\n"
        "taught = export.load(export.model_folder(export.DEFAULT_MODEL), export.adapter_of(export.DEFAULT_MODEL))\n"
        f"print(json.dumps(taught.encode({texts!r}, show_progress_bar=False).tolist()))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=110, check=True, env=environment(exported))
    own = np.array(json.loads(ended.stdout.splitlines()[-1]))
    cosines = (own * vectors).sum(axis=1)
    assert cosines[:2].min() > 0.995
    # Nothing at all, one word 256 times, and letters outside ASCII are further from what the rounding was fitted to.
    assert cosines.min() > 0.985


def test_an_export_is_known_by_its_weights_and_checksums(exported, tmp_path):
    """Nothing is exported twice, and damage is seen."""
    folder = exported / "embedding"
    assert export.is_exported(export.DEFAULT_MODEL, folder)
    assert not export.is_exported(export.DEFAULT_MODEL, tmp_path)
    copy = tmp_path / "embedding"
    shutil.copytree(folder, copy)
    (copy / "tokenizer.json").write_text("{}")
    assert not export.is_exported(export.DEFAULT_MODEL, copy)
    with pytest.raises(EmbeddingUnusable, match=r"tokenizer\.json"):
        SentenceEmbedder(copy)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "training_args.pt", "sub/model.pkl"])
def test_pickled_weights_are_never_loaded(tmp_path, name):
    """Not even when safetensors lie beside them."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(EmbeddingUnusable, match="pickled"):
        export.checked_weights(tmp_path, str(tmp_path))


def test_other_weights_under_the_default_name_are_refused(tmp_path):
    """And a folder without any, and a name that is not on this machine."""
    with pytest.raises(EmbeddingUnusable, match="no model"):
        export.checked_weights(tmp_path, str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(EmbeddingUnusable, match="not the model"):
        export.checked_weights(tmp_path, export.DEFAULT_MODEL)
    assert export.checked_weights(tmp_path, str(tmp_path))
    with pytest.raises(EmbeddingUnusable, match="neither a folder"):
        export.model_folder("nobody/has-this-model")


class WatchedEmbedder(SentenceEmbedder):
    """Writes down which threads run the model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.at_work: set[threading.Thread] = set()

    def _run(self, pieces):
        self.at_work.add(threading.current_thread())
        return super()._run(pieces)


def test_how_many_threads_embed_may_be_changed(exported):
    """With two, workers do it; with one, who asks; the vectors are the same."""
    embedder = WatchedEmbedder(exported / "embedding")
    texts = ["refund " * count for count in (1, 10, 100)]
    by_two = embedder.embed(texts)
    assert threading.current_thread() not in embedder.at_work
    embedder.at_work.clear()
    embedder.threads = 1
    assert embedder.embed(texts) == pytest.approx(by_two, abs=1e-6)
    assert embedder.at_work == {threading.current_thread()}


def test_the_commands_of_an_editor(var, shop):
    """Check, build, search: the exit code and the words."""
    settings = {"TOUCHDESK_ARTICLES": str(shop.folder)}
    assert [line for line in run(var, "check", **settings).stdout.splitlines() if ": warning: " not in line] == []
    assert "is not there" in run(var, "search", "router", wanted=1, **settings).stderr
    assert "5 public articles" in run(var, "build", **settings).stdout
    answer = json.loads(run(var, "search", "the lamp on my internet box glows red", "--json", "--limit", "2", **settings).stdout)
    assert answer["hits"][0]["slug"] == "router-red-light"
    assert "where-is-my-order" in run(var, "search", "has my package been shipped", **settings).stdout
    shop.write("bad.md", "---\nkind: faq\n---\n")
    assert "bad.md:1: there is no title" in run(var, "check", wanted=1, **settings).stdout.splitlines()
    run(var, "check", "--articles", str(shop.folder), wanted=1)
    assert "is not a setting" in run(var, "check", wanted=1, TOUCHDESK_COLOUR="red").stderr


def test_evaluate_prints_one_json_object(var, shop, tmp_path):
    """Every promised field; the live index is not touched."""
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "the light on the router is orange now", "article": "router-orange-light"}\n'
        '{"question": "what is the capital of France", "article": null}\n'
        '{"question": "when will I get my money back", "article": "refund-times"}\n'
    )
    found = json.loads(run(var, "evaluate", "--articles", str(shop.folder), "--questions", str(file), "--json").stdout)
    assert (found["hit_at_1"], found["auroc_answerable"], found["answerable"]) == (1.0, 1.0, 2)
    assert not (var / "index").exists()
    assert "there is no folder" in run(var, "evaluate", "--articles", "/nowhere", "--questions", str(file), wanted=1).stderr


def test_the_service_follows_edits_and_ends_cleanly(var, shop):
    """Ready once it can answer; an edit is live within 2 s; it holds neither torch nor more than 220 MiB; SIGTERM ends it with 0."""
    port = free_port()
    environ = environment(var, TOUCHDESK_ARTICLES=str(shop.folder), TOUCHDESK_SEARCH_PORT=str(port))
    client = SearchClient(f"http://127.0.0.1:{port}", SECRET)
    with subprocess.Popen([sys.executable, "-m", "knowledge_base", "serve"], cwd=ROOT, env=environ, stderr=subprocess.PIPE) as service:
        try:
            wait_until(lambda: answers(client), 60)
            assert client.search("the lamp on my internet box glows red").hits[0].slug == "router-red-light"
            shop.add("network/guest-wifi", "Wi-Fi for visitors", body="Switch on the guest network in the app.")
            assert wait_until(lambda: client.article("guest-wifi"), 20) < 2
            assert client.search("can my friends use the internet here").hits[0].slug == "guest-wifi"
            (shop.folder / "network/guest-wifi.md").unlink()
            assert wait_until(lambda: client.article("guest-wifi") is None, 20) < 2
            assert resident_mib(service.pid) < 220
            assert not {"torch", "sklearn", "scipy"} & loaded_libraries(service.pid)
            assert "libtorch" not in Path(f"/proc/{service.pid}/maps").read_text()
        finally:
            client.close()
            service.send_signal(signal.SIGTERM)
            service.communicate(timeout=20)
        assert service.returncode == 0


def answers(client: SearchClient) -> bool:
    try:
        return client.health(1).articles == 5
    except SearchUnavailable:
        return False


def resident_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def loaded_libraries(process: int) -> set[str]:
    """The Python packages whose compiled parts a process has mapped."""
    lines = Path(f"/proc/{process}/maps").read_text().splitlines()
    return {part for line in lines for part in line.split()[-1].split("/")}
