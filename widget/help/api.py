"""Search and article feedback, for anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, UnprocessableEntity

from desk.messages import check_text
from knowledge_base.exceptions import SearchRefused, SearchUnavailable
from knowledge_base.model import Hit, KeywordHit
from widget.help.pages import SEARCH_TIMEOUT_S
from widget.json_body import read_object, text_field, whole_number
from widget.services import Services

MOST_HITS = 20


def help_api(services: Services) -> Blueprint:
    """``/api/search`` and ``/api/articles/{slug}/feedback``."""
    api = Blueprint("help_api", __name__, url_prefix="/api")

    @api.get("/search")
    def search() -> ResponseReturnValue:
        query, limit = check_text(request.args.get("q"), "q"), whole_number("limit", 5, 1, MOST_HITS)
        answerable, hits = _found(services, query, limit)
        return jsonify({"answerable": answerable, "hits": hits})

    @api.post("/articles/<slug>/feedback")
    def feedback(slug: str) -> ResponseReturnValue:
        body = read_object()
        helpful, reason = body.get("helpful"), text_field(body, "reason", 2000)
        if not isinstance(helpful, bool):
            raise UnprocessableEntity("helpful must be true or false.")
        if services.library.article(slug) is None:
            raise NotFound("There is no such article.")
        services.ledger.article_feedback(slug, helpful, reason)
        return "", 204

    return api


def _found(services: Services, query: str, limit: int) -> tuple[bool, list[dict[str, Any]]]:
    """Hits by meaning; with search away by words, whose ``confidence`` nobody knows."""
    hits: Sequence[Hit | KeywordHit]
    try:
        answer = services.search.search(query, limit, SEARCH_TIMEOUT_S)
        answerable, hits = answer.verdict == "answer", answer.hits
    except (SearchUnavailable, SearchRefused):
        answerable, hits = False, services.library.keyword_search(query, limit)
    return answerable, [
        {"slug": hit.slug, "title": hit.title, "url": hit.url, "excerpt": hit.excerpt, "confidence": getattr(hit, "confidence", None)} for hit in hits
    ]
