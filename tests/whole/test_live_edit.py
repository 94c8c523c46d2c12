"""An editor saves a file and customers have it: in the chat, in the search and in the help centre, without a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from kit.processes import RunningKit
from tests.whole.people import Customer

LIVE_WITHIN_S = 2.0
MOON = """---
title: Your lamp flickers at full moon
answer: Lamps flicker at full moon because the lunar mode is on; switch it off under Settings.
questions:
  - why does my lamp flicker when the moon is full
category: lighting
---

The lunar mode follows the moon. Switch it off under **Settings > Lunar mode**.
"""


@pytest.fixture
def article(kit: RunningKit) -> Iterator[Path]:
    """A file of the editor's, gone after the test."""
    path = kit.settings.articles / "lighting" / "lamp-at-full-moon.md"
    yield path
    path.unlink(missing_ok=True)
    _within(10, lambda: _status(kit, "lamp-at-full-moon") == 404)


def _within(seconds: float, holds: Callable[[], bool]) -> float:
    """Wait until something holds; how long that took, in seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds + 8, f"not even {seconds + 8} s later"
        time.sleep(0.05)
    return time.monotonic() - began


def _status(kit: RunningKit, slug: str) -> int:
    return requests.get(f"{kit.url}/help/{slug}", timeout=10).status_code


def _found(kit: RunningKit, question: str) -> list[str]:
    hits = requests.get(f"{kit.url}/api/search", params={"q": question}, timeout=10).json()["hits"]
    return [hit["slug"] for hit in hits]


def _searched(kit: RunningKit) -> str:
    """What search itself says to a question about the moon; it and the help centre each follow the articles in their own time."""
    headers = {"Authorization": f"Bearer {kit.settings.inner_secret}"}
    asked = {"text": "why does my lamp flicker when the moon is full", "limit": 5}
    return requests.post(f"{kit.settings.search_url}/search", json=asked, headers=headers, timeout=10).text


def test_new_edited_and_removed_articles_are_live_within_two_seconds(kit: RunningKit, article: Path) -> None:
    """Each change is seen by search and by the help centre in time, and the chat answers from the new text."""
    article.write_text(MOON, encoding="utf-8")
    made_s = _within(LIVE_WITHIN_S, lambda: _found(kit, "why does my lamp flicker when the moon is full")[:1] == ["lamp-at-full-moon"])
    assert _status(kit, "lamp-at-full-moon") == 200
    article.write_text(MOON.replace("under Settings.", "in the moon menu."), encoding="utf-8")
    page = f"{kit.url}/help/lamp-at-full-moon"
    edited_s = _within(LIVE_WITHIN_S, lambda: "in the moon menu" in requests.get(page, timeout=10).text and "moon menu" in _searched(kit))
    reply = Customer(kit.url).asks("why does my lamp flicker when the moon is full")
    assert "in the moon menu" in reply["text"]
    article.unlink()
    removed_s = _within(LIVE_WITHIN_S, lambda: _status(kit, "lamp-at-full-moon") == 404 and "lamp-at-full-moon" not in _searched(kit))
    print(f"new {made_s:.2f} s, edited {edited_s:.2f} s, removed {removed_s:.2f} s")
    assert max(made_s, edited_s, removed_s) <= LIVE_WITHIN_S


def test_a_bad_article_is_told_and_the_rest_stay_live(kit: RunningKit, article: Path) -> None:
    """An article without a title is not shown; the others are, and the service counts the problem."""
    article.write_text("---\nkind: faq\n---\nNo title.\n", encoding="utf-8")
    headers = {"Authorization": f"Bearer {kit.settings.inner_secret}"}
    health = f"{kit.settings.search_url}/health"
    _within(LIVE_WITHIN_S, lambda: requests.get(health, headers=headers, timeout=10).json()["problems"] == 1)
    assert _status(kit, "lamp-at-full-moon") == 404
    assert _status(kit, "router-red-light") == 200


def test_internal_and_unpublished_articles_reach_no_customer(kit: RunningKit) -> None:
    """Neither search nor the help centre nor the chat shows what is for agents, a draft or archived."""
    for slug, question in (
        ("goodwill-credits", "how much goodwill credit may an agent give"),
        ("holiday-delivery-dates", "last order date before the holidays"),
        ("alder-one-retired", "Alder One retired"),
    ):
        assert _status(kit, slug) == 404
        assert slug not in _found(kit, question)
        assert slug not in str(Customer(kit.url).asks(question))
