"""Set-up of the tests that run on Python 3.10: a fake search, and Rasa with its actions, started once for all of them."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.bot.fake_search import SECRET, FakeSearch, serving
from tests.bot.talk import Bot

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("TOUCHDESK_VAR", ROOT / "var")).resolve()
MODEL = VAR / "rasa" / "models" / "touchdesk.tar.gz"
START_S = 90


def pytest_configure(config: pytest.Config) -> None:
    """Rasa's pinned libraries warn of each other; a warning of ours stays an error."""
    kinds = ("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "ignore::FutureWarning", "ignore:Deprecated API features")
    for line in kinds:
        config.addinivalue_line("filterwarnings", line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the option of a plugin that only the other Python has."""
    parser.addini("timeout", "of pytest-timeout, which is not installed here")


def pytest_report_header() -> str:
    """Say how to get the same order again."""
    return f"order: BOT_TESTS_SEED={_seed()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run in a random order."""
    random.Random(_seed()).shuffle(items)


def _seed() -> str:
    return os.environ.setdefault("BOT_TESTS_SEED", str(random.randrange(10_000)))


@pytest.fixture(scope="session")
def search_service() -> Iterator[FakeSearch]:
    """The fake search, serving."""
    with serving(FakeSearch()) as search:
        yield search


@pytest.fixture
def search(search_service: FakeSearch) -> FakeSearch:
    """The fake search, knowing nothing of other tests."""
    search_service.forget()
    return search_service


@pytest.fixture(scope="session")
def environment(search_service: FakeSearch) -> dict[str, str]:
    """What the processes are started with."""
    if not MODEL.is_file():
        pytest.fail(f"{MODEL} is missing: make test trains it first", pytrace=False)
    told = {"VAR": str(VAR), "INNER_SECRET": SECRET, "SEARCH_URL": search_service.url, "ACTIONS_PORT": str(free_port())}
    told["ACTIONS_URL"] = f"http://127.0.0.1:{told['ACTIONS_PORT']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
    return {**kept, **{f"TOUCHDESK_{name}": value for name, value in told.items()}, "PYTHONWARNINGS": "ignore"}


@pytest.fixture(scope="session")
def actions(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The action server; its address."""
    url = environment["TOUCHDESK_ACTIONS_URL"]
    with running(["-m", "actions.server"], environment, f"{url}/health", tmp_path_factory.mktemp("actions") / "log"):
        yield url


@pytest.fixture(scope="session")
def rasa(environment: dict[str, str], actions: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """Rasa itself, started as the kit starts it."""
    port = str(free_port())
    reads = ["--credentials", "bot/credentials.yml", "--endpoints", "bot/endpoints.yml", "-m", str(MODEL)]
    command = ["-m", "bot.rasa_cli", "run", "-i", "127.0.0.1", "-p", port, *reads]
    url = f"http://127.0.0.1:{port}"
    with running(command, environment, url, tmp_path_factory.mktemp("rasa") / "log") as process:
        bot = Bot(url, process.pid)
        bot.wait_until_ready(START_S)
        yield bot


@pytest.fixture
def bot(rasa: Bot, search: FakeSearch) -> Bot:
    """A customer's line to Rasa, at the beginning of a conversation."""
    return Bot(rasa.url, rasa.pid)


@contextmanager
def running(arguments: list[str], environment: dict[str, str], url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the block ends; it counts as started when ``url`` answers."""
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for(url, process, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until ``url`` answers; fail with the end of the log when the process ends or time is up."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(url, timeout=1)
            return
        except requests.RequestException:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer\n{log.read_text(errors='replace')[-3000:]}", pytrace=False)


def free_port() -> int:
    """A port that is free now, below those that outgoing connections take: Rasa needs seconds until it listens."""
    while True:
        with socket.socket() as probe:
            port = random.SystemRandom().randrange(20_000, 32_000)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
