"""The one way to search: a question's hits, an article with its steps."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp

Json = dict[str, Any]

TIMEOUT_S = 2.0  # search answers in milliseconds; a turn has 8 s and may make two calls
ATTEMPTS = 2  # both calls only read, so a lost connection is tried once more
PAUSE_S = 0.1
ANSWER_LIMIT_BYTES = 1 << 20
VERDICTS = ("answer", "offer", "none")
HIT_KEYS = frozenset(("slug", "title", "kind", "section", "url", "answer", "body"))


class ActionsError(Exception):
    """Something an action needs is not to be had."""


class SearchError(ActionsError):
    """Search did not answer, or not as agreed; the cause is kept."""


class ArticleGone(ActionsError):
    """There is no such published public article. ``slug`` names it."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class SearchClient:
    """Speaks to the search service. ``url`` without a slash at the end; the session is the caller's to close."""

    def __init__(self, url: str, secret: str, session: aiohttp.ClientSession, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def search(self, text: str, limit: int = 3) -> Json:
        """The verdict on a question and its hits, best first. Raises `SearchError`."""
        status, found = await self._call("POST", "/search", {"text": text, "limit": limit})
        hits = found.get("hits")
        if status != 200 or found.get("verdict") not in VERDICTS or not isinstance(hits, list) or not all(set(hit) >= HIT_KEYS for hit in hits):
            raise SearchError(f"POST /search: {status}, not the agreed answer")
        if found["verdict"] != "none" and not hits:
            raise SearchError(f"POST /search: verdict {found['verdict']} without a hit")
        return found

    async def article(self, slug: str) -> Json:
        """A published public article with its steps. Raises `ArticleGone` or `SearchError`."""
        status, article = await self._call("GET", f"/articles/{quote(slug, safe='')}")
        if status == 404:
            raise ArticleGone(slug)
        if status != 200 or not set(article) >= HIT_KEYS | {"steps"}:
            raise SearchError(f"GET /articles: {status}, not the agreed answer")
        return article

    async def _call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._session.request(method, self._url + path, json=body, headers=self._headers, timeout=self._timeout) as answer:
                    content = json.loads(await _whole(answer))
                    return answer.status, content if isinstance(content, dict) else {}
            except (aiohttp.ClientConnectionError, ConnectionError) as cause:
                if attempt == ATTEMPTS or isinstance(cause, asyncio.TimeoutError):  # aiohttp's ServerTimeoutError is both
                    raise SearchError(f"{method} {path}: {type(cause).__name__}") from cause
                await asyncio.sleep(PAUSE_S)
            except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, RecursionError) as cause:
                raise SearchError(f"{method} {path}: {type(cause).__name__}") from cause
        raise AssertionError("unreachable: the last attempt returns or raises")


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """The content. Raises ValueError for more than `ANSWER_LIMIT_BYTES`, before more of it is kept."""
    content = bytearray()
    async for piece in answer.content.iter_chunked(65536):
        content += piece
        if len(content) > ANSWER_LIMIT_BYTES:
            raise ValueError(f"more than {ANSWER_LIMIT_BYTES} bytes")
    return bytes(content)
