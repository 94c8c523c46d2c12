"""A kit whose articles are not there: it starts, says what and where, offers a person in the chat, and its help centre says that there are none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from kit.processes import RunningKit, trial_settings
from kit.readiness import ask_ready
from kit.service import say_readiness
from kit.settings import read_settings
from tests.whole.people import Customer

ONE = "---\ntitle: How long does delivery take?\nanswer: Two days, always.\nquestions: [when does my parcel come]\n---\n\nWe send on the same day.\n"
QUESTION = "how long does delivery take"


def _missing(folder: Path) -> None:
    """Nobody has made it."""


def _empty(folder: Path) -> None:
    folder.mkdir()


@contextmanager
def started(tmp_path: Path, articles: Path) -> Iterator[RunningKit]:
    """A kit over these articles, ready; its brand names none of them."""
    brand = tmp_path / "brand.yml"
    brand.write_text("name: Kestrel Lamps\n", encoding="utf-8")
    with RunningKit(trial_settings(tmp_path / "var", articles=articles, brand=brand), prepared=read_settings().var) as kit:
        kit.wait_ready(90)
        yield kit


def _within(seconds: float, holds: Callable[[], bool]) -> None:
    end_at = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end_at, f"not within {seconds} s"
        time.sleep(0.1)


def _home(kit: RunningKit) -> str:
    return requests.get(f"{kit.url}/help", timeout=10).text


@pytest.mark.parametrize(("make", "reason"), [(_missing, "there is no such folder"), (_empty, "there are no articles in it")])
def test_without_articles_the_kit_starts_and_offers_a_person(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """`make run` is told what and where; a question ends with a way to a person; the desk works; the first article is then live at once."""
    folder = tmp_path / "articles"
    make(folder)
    with started(tmp_path, folder) as kit:
        said: list[str] = []
        say_readiness(kit, said.append, time.monotonic())
        assert any(line.startswith(f"Please look at {folder}: {reason}") for line in said), said
        assert "There are no articles yet" in _home(kit)
        assert requests.get(f"{kit.url}/help", params={"q": "delivery"}, timeout=10).status_code == 200
        assert requests.get(f"{kit.url}/desk", timeout=10).status_code == 200
        customer = Customer(kit.url)
        replies = [customer.asks(QUESTION), customer.asks("something about my bill")]
        assert any("person" in choice["title"].lower() for reply in replies for choice in reply["choices"]), replies
        if make is _empty:
            (folder / "delivery.md").write_text(ONE, encoding="utf-8")
            _within(10, lambda: "How long does delivery take?" in _home(kit))
            _within(10, lambda: ask_ready(kit.url).notes == ())


def test_a_single_article_is_answered_from(tmp_path: Path) -> None:
    """Nothing to calibrate on is no reason to fail: what it answers is answered, other questions go their way, and nothing is reported."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "delivery.md").write_text(ONE, encoding="utf-8")
    with started(tmp_path, folder) as kit:
        assert ask_ready(kit.url).notes == ()
        assert "How long does delivery take?" in _home(kit)
        assert "Two days, always." in Customer(kit.url).asks(QUESTION)["text"]
        assert Customer(kit.url).asks("what is the capital of France")["outcome"] != "failed"
