"""The routes of the help centre.

Articles and keyword search come from the library and need no other process; search by meaning is asked for and may be away.
Views and searches go to the ledger; a ledger that cannot be written costs the reader nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from flask import Blueprint, Response, make_response, render_template, request, send_file

from knowledge_base.exceptions import LibraryUnavailable, SearchRefused, SearchUnavailable
from knowledge_base.library import Library
from knowledge_base.media import media_file
from knowledge_base.model import ArticleSummary, PublicArticle, SearchAnswer
from touchpoints.exceptions import StoreError

from .results import Results, cleaned_query, is_lookup, opens_with, results_by_meaning, results_by_words

SEARCH_TIMEOUT_S = 2.0
MOST_RESULTS = 10
LONGEST_REF = 200
RETRY_AFTER_S = 10
MEDIA_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".vtt": "text/vtt",
}
"""What lies beside articles and may be served. Nothing that a browser would run for a page: no scripts, no HTML, no styles."""
MEDIA_POLICY = "default-src 'none'; sandbox"
"""An SVG opened by itself is a page; this one may do nothing. In a page's ``<img>`` it keeps its own styles."""
LONGEST_FILE_NAME = 255

_log = logging.getLogger(__name__)


class Search(Protocol):
    """What finds articles by meaning: `knowledge_base.search_client.SearchClient`."""

    def search(self, text: str, limit: int = 3, timeout_s: float = 2.0) -> SearchAnswer:
        """The articles that may answer ``text``. Raises `SearchUnavailable` or `SearchRefused`."""


class Record(Protocol):
    """Where reading and searching are written down. Both raise `StoreError`."""

    def article_view(self, slug: str, ref: str | None) -> None:
        """An article was read; ``ref`` is what the link to it carried."""

    def search(self, query: str, slugs: Sequence[str], answerable: bool) -> None:
        """Something was searched, and these articles were shown."""


def help_pages(library: Library, search: Search, record: Record, *, articles: Path | None = None) -> Blueprint:
    """The help centre as a blueprint, at ``/help``. ``articles`` is the folder whose ``media`` folders hold the pictures."""
    pages = Blueprint("help", __name__, url_prefix="/help", template_folder="templates", static_folder="static")

    @pages.get("", strict_slashes=False)
    def home() -> Response:
        query = cleaned_query(request.args.get("q", ""))
        if not query:
            return _page("help/home.html", groups=_by_category(library.articles()))
        results = find(query, library, search)
        if request.method == "GET":
            _written(lambda: record.search(query, [result.slug for result in results.found], results.answerable))
        return _page("help/results.html", query=query, results=results, topics=() if results.found else tuple(_by_category(library.articles())))

    @pages.get("/<slug>")
    def article(slug: str) -> Response:
        found = library.article(slug)
        if found is None:
            return _page("help/not_found.html", status=404)
        if request.method == "GET":
            _written(lambda: record.article_view(found.slug, _ref()))
        show_answer = bool(found.answer) and not opens_with(found.html, found.answer)
        return _page("help/article.html", article=found, show_answer=show_answer, related=_related(library, found))

    @pages.get("/media/<path:name>")
    def media(name: str) -> Response:
        file = _media(articles, name)
        if file is None:
            return _page("help/not_found.html", status=404)
        response = send_file(file, mimetype=MEDIA_TYPES[file.suffix.lower()], conditional=True)
        response.headers["Content-Security-Policy"] = MEDIA_POLICY
        return response

    @pages.errorhandler(LibraryUnavailable)
    def unavailable(problem: LibraryUnavailable) -> Response:
        _log.warning("the help centre has no articles: %s", problem)
        response = _page("help/unavailable.html", status=503)
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response

    return pages


def find(query: str, library: Library, search: Search) -> Results:
    """Search by meaning; with search away by words. Raises `LibraryUnavailable` when neither can be done."""
    try:
        answer = search.search(query, MOST_RESULTS, SEARCH_TIMEOUT_S)
    except (SearchUnavailable, SearchRefused) as problem:
        _log.warning("the help centre searches by words only: %s", problem)
        return results_by_words(query, library.keyword_search(query, MOST_RESULTS))
    return results_by_meaning(query, answer, library.keyword_search(query, MOST_RESULTS) if is_lookup(query) else ())


def _media(articles: Path | None, name: str) -> Path | None:
    if articles is None or len(name.encode()) > LONGEST_FILE_NAME or Path(name).suffix.lower() not in MEDIA_TYPES:
        return None
    return media_file(articles, name)


def _page(template: str, *, status: int = 200, **values: object) -> Response:
    return make_response(render_template(template, **values), status)


def _by_category(articles: Sequence[ArticleSummary]) -> dict[str, list[ArticleSummary]]:
    groups: dict[str, list[ArticleSummary]] = {}
    for article in articles:
        groups.setdefault(article.category, []).append(article)
    return groups


def _related(library: Library, article: PublicArticle) -> list[ArticleSummary]:
    by_slug = {summary.slug: summary for summary in library.articles()} if article.related else {}
    return [by_slug[slug] for slug in article.related if slug in by_slug and slug != article.slug]


def _ref() -> str | None:
    ref = request.args.get("ref", "")
    return ref if 0 < len(ref) <= LONGEST_REF and ref.isprintable() else None


def _written(write: Callable[[], None]) -> None:
    try:
        write()
    except StoreError as problem:
        _log.warning("the ledger was not written: %s", problem)
