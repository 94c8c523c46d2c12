"""A turn of the kit, from the POST of a message to its answer's event, beside the same Rasa turn with an action that does nothing."""

from __future__ import annotations

import http.client
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlsplit

import requests

from kit.processes import RunningKit, trial_settings
from kit.programs import BOT_PYTHON, program_table

TURNS = 200
TOGETHER = 10
WARM_UP = 20
QUESTIONS = (
    "my router has a red light",
    "where is my parcel",
    "how do I send something back",
    "I forgot my password",
    "how long is the guarantee",
)


@dataclass(frozen=True)
class Times:
    """Times of one kind of turn in milliseconds."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Compared:
    """The kit's turn and Rasa's own, taken in turns in one run."""

    together: int
    kit: Times
    rasa: Times

    @property
    def ratio(self) -> float:
        """The kit's median over Rasa's."""
        return self.kit.median_ms / self.rasa.median_ms


def times(taken_s: Sequence[float]) -> Times:
    """Median and 95th percentile."""
    return Times(median(taken_s) * 1000, quantiles(taken_s, n=20)[-1] * 1000)


class Visitor:
    """A customer with an open stream, as the widget has one."""

    def __init__(self, url: str) -> None:
        self._session = requests.Session()
        begun = self._session.post(f"{url}/api/conversations", json={}, timeout=10).json()
        self._url = f"{url}/api/conversations/{begun['conversation']['id']}"
        self._session.headers["Authorization"] = f"Bearer {begun['token']}"
        # Read by http.client: iterating over single bytes with requests costs 30 ms an answer, more than the turn itself.
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        headers = {"Authorization": f"Bearer {begun['token']}", "Accept": "text/event-stream"}
        connection.request("GET", f"{address.path}/events", headers=headers)
        self._stream = connection.getresponse()

    def turn(self, question: str) -> float:
        """Seconds from the POST to the answer's event on the stream."""
        began = time.perf_counter()
        body = {"client_id": secrets.token_urlsafe(8), "text": question}
        self._session.post(f"{self._url}/messages", json=body, timeout=10).raise_for_status()
        while line := self._stream.readline():
            if line.startswith(b"data: ") and b'"author":"bot"' in line and b'"type":"message"' in line:
                return time.perf_counter() - began
        raise RuntimeError("the stream ended")


class RasaAlone:
    """Calls Rasa as web does, without web."""

    def __init__(self, url: str, secret: str) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {secret}"
        self._url = f"{url}/turns"

    def turn(self, question: str) -> float:
        """Seconds of one call."""
        began = time.perf_counter()
        body = {"turn_id": secrets.token_urlsafe(8), "text": question, "state": {}, "owner": "bot", "budget_ms": 8000}
        answer = self._session.post(self._url, json=body, timeout=10)
        answer.raise_for_status()
        assert answer.json()["outcome"] == "answered", answer.text
        return time.perf_counter() - began


@contextmanager
def rasa_with_idle_action(var: Path, prepared: Path, card: Path) -> Iterator[RunningKit]:
    """A second Rasa, whose one action gives back ``card``."""
    settings = trial_settings(var)
    kit = RunningKit(settings, only=("rasa", "actions"))
    idle = (str(BOT_PYTHON), "-m", "benchmarks.idle_actions", str(card))
    programs = [
        replace(program, command=idle) if program.name == "actions" else program
        for program in program_table(kit.settings)
        if program.name in ("rasa", "actions")
    ]
    with RunningKit(settings, programs=programs, prepared=prepared) as running:
        running.wait_ready(90)
        yield running


def record_card(kit: RunningKit, path: Path) -> None:
    """Write what the real action found for the first question, for the idle one to give back."""
    found = requests.post(
        f"{kit.settings.search_url}/search",
        json={"text": QUESTIONS[0], "limit": 3},
        headers={"Authorization": f"Bearer {kit.settings.inner_secret}"},
        timeout=10,
    ).json()
    hit = found["hits"][0]
    source = {key: hit[key] for key in ("slug", "section", "title", "url", "confidence")}
    card = {"text": hit["answer"], "body": hit["body"], "choices": [], "sources": [source]}
    path.write_text(json.dumps(card), encoding="utf-8")


def compare(kit: RunningKit, idle: RunningKit, together: int) -> Compared:
    """Take turns of both kinds in turns: ``TURNS`` of each, by ``together`` customers at once."""
    visitors = [Visitor(kit.url) for _ in range(together)]
    alone = [RasaAlone(idle.settings.rasa_url, idle.settings.inner_secret) for _ in range(together)]
    taken: dict[str, list[float]] = {"kit": [], "rasa": []}
    questions = itertools.cycle(QUESTIONS)
    with ThreadPoolExecutor(together) as threads:
        for number in range(-WARM_UP, TURNS, together):
            asked = [next(questions) for _ in range(together)]
            for name, callers in (("kit", [one.turn for one in visitors]), ("rasa", [one.turn for one in alone])):
                found = _at_once(threads, callers, asked)
                if number >= 0:
                    taken[name] += found
    return Compared(together, times(taken["kit"]), times(taken["rasa"]))


def _at_once(threads: ThreadPoolExecutor, callers: Sequence[Callable[[str], float]], asked: Sequence[str]) -> list[float]:
    return [future.result() for future in [threads.submit(call, question) for call, question in zip(callers, asked, strict=True)]]
