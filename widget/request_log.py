"""A line in the log for each request that somebody may have to look for: what staff do, who signs in and out, what is refused, what fails.

It names the route and never the address, the method only if it is one, the person by their id. What customers ask for and get is not logged:
the ledger has it.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from kit.logs import told
from widget.protection import READING

log = logging.getLogger(__name__)

METHODS = READING | {"POST", "PUT", "PATCH", "DELETE"}
DAILY = frozenset({404, 405})
"""Refusals that every site gives many of, to crawlers and to mistyped addresses."""


def log_requests(app: Flask) -> None:
    """Write these lines for an app. Put first, it sees each answer last, as it leaves."""

    @app.before_request
    def begin() -> None:
        g.began = time.monotonic()

    @app.after_request
    def write_line(response: Response) -> Response:
        staff = g.get("staff")
        is_refused = response.status_code >= 400 and response.status_code not in DAILY
        if is_refused or (staff and request.method not in READING):
            level = logging.WARNING if response.status_code >= 500 else logging.INFO
            log.log(level, "request", extra=told(**_line(response, staff)))
        return response


def _line(response: Response, staff: str | None) -> dict[str, object]:
    return {
        "method": request.method if request.method in METHODS else "other",
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": int((time.monotonic() - g.get("began", time.monotonic())) * 1000),
        "staff": staff,
    }
