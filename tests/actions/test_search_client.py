"""The client of search, over real HTTP: what it takes, what it refuses, how long it waits."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from actions.search_client import ANSWER_LIMIT_BYTES, ActionsError, ArticleGone, SearchClient, SearchError
from tests.bot.fake_search import SECRET, FakeSearch, faq, golden

Json = dict[str, Any]


def asked(url: str, call: Callable[[SearchClient], Awaitable[Json]], secret: str = SECRET, timeout_s: float = 2.0) -> Json:
    """Make one call with a client of its own."""

    async def run() -> Json:
        async with aiohttp.ClientSession() as session:
            return await call(SearchClient(url + "/", secret, session, timeout_s=timeout_s))

    return asyncio.run(run())


def search_for(text: str) -> Callable[[SearchClient], Awaitable[Json]]:
    return lambda client: client.search(text)


def article(slug: str) -> Callable[[SearchClient], Awaitable[Json]]:
    return lambda client: client.article(slug)


def test_the_golden_answers_are_taken(search: FakeSearch) -> None:
    """Search's side of the contract."""
    search.found = golden("search_response")
    assert asked(search.url, search_for("my router has a red light")) == golden("search_response")
    assert search.calls == [("POST", "/search", golden("search_request"))]
    search.articles["router-red-light"] = golden("article_response")
    assert asked(search.url, article("router-red-light")) == golden("article_response")


def test_a_missing_article_is_told_apart_from_a_failure(search: FakeSearch) -> None:
    """404 is an answer."""
    with pytest.raises(ArticleGone) as caught:
        asked(search.url, article("no/such article"))
    assert caught.value.slug == "no/such article"
    assert search.calls == [("GET", "/articles/no%2Fsuch%20article", None)]


@pytest.mark.parametrize("status", [401, 422, 500, 503])
def test_another_status_is_a_failure(search: FakeSearch, status: int) -> None:
    """And is not tried again: search did answer."""
    search.status = status
    with pytest.raises(SearchError, match=str(status)):
        asked(search.url, search_for("x"))
    assert len(search.calls) == 1


def test_a_wrong_secret_is_a_failure(search: FakeSearch) -> None:
    """Not an empty result."""
    with pytest.raises(SearchError, match="401"):
        asked(search.url, search_for("x"), secret="wrong")


@pytest.mark.parametrize(
    "raw",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"verdict": "perhaps", "hits": []}', b'{"verdict": "none"}', b'{"verdict": "answer", "hits": []}',
     b'{"verdict": "answer", "hits": [{"slug": "a"}]}', b"\xff\xfe"],
)  # fmt: skip
def test_an_answer_of_another_shape_is_a_failure(search: FakeSearch, raw: bytes) -> None:
    """Never shown to a customer."""
    search.raw = raw
    with pytest.raises(SearchError):
        asked(search.url, search_for("x"))


def test_an_endless_answer_is_not_kept(search: FakeSearch) -> None:
    """It is given up at a megabyte."""
    search.raw = b'{"verdict": "none", "hits": [], "more": "' + b"x" * ANSWER_LIMIT_BYTES + b'"}'
    with pytest.raises(SearchError, match="ValueError"):
        asked(search.url, search_for("x"))


def test_an_article_of_another_shape_is_a_failure(search: FakeSearch) -> None:
    """The steps are part of it."""
    search.articles["a"] = {key: value for key, value in faq("a").items() if key != "steps"}
    with pytest.raises(SearchError):
        asked(search.url, article("a"))


def test_a_lost_connection_is_tried_once_more(search: FakeSearch) -> None:
    """Reading twice does no harm; a restart of search goes unnoticed."""
    search.drops = 1
    assert asked(search.url, search_for("x"))["verdict"] == "none"


def test_a_connection_lost_twice_is_a_failure(search: FakeSearch) -> None:
    """The retry is bounded."""
    search.drops = 2
    with pytest.raises(SearchError):
        asked(search.url, search_for("x"))


def test_nobody_there_is_a_failure() -> None:
    """With its cause."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(SearchError) as caught:
        asked(url, search_for("x"))
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectionError)


def test_a_slow_answer_is_not_waited_for(search: FakeSearch) -> None:
    """And not asked for twice."""
    search.delay_s = 3.0
    began = time.monotonic()
    with pytest.raises(SearchError):
        asked(search.url, search_for("x"), timeout_s=0.2)
    assert time.monotonic() - began < 2.5


def test_one_tree_of_exceptions() -> None:
    """Whoever calls can catch all of them by one name."""
    assert issubclass(SearchError, ActionsError)
    assert issubclass(ArticleGone, ActionsError)
