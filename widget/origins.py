"""Which other sites may call: customer calls and the widget's files answer the listed origins, without cookies; staff calls never do.

An origin is compared by its parts (scheme, host, port), each in the one way that browsers write it; nothing is matched by pattern. A call that a
browser makes for a page of any other site is refused, whether or not that page could read the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import Forbidden

CUSTOMER_CALLS = ("/api/conversations", "/api/search", "/api/articles/", "/api/brand")
CUSTOMER_FILES = ("/widget/", "/static/tokens.css", "/static/brand.css", "/brand/")
CUSTOMER_PATHS = (*CUSTOMER_CALLS, *CUSTOMER_FILES)
_METHODS = "GET, POST, OPTIONS"
_HEADERS = "Authorization, Content-Type, Accept, Last-Event-ID"
_PORTS = {"http": 80, "https": 443}
LONGEST = 300


class Origin(NamedTuple):
    """A web origin."""

    scheme: str
    host: str
    port: int


def read_origin(written: str) -> Origin | None:
    """The parts of an ``Origin`` header, None unless it is written exactly as a browser writes an http or https origin."""
    if not written or len(written) > LONGEST or not written.isascii() or not written.isprintable():
        return None
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    origin = Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
    return origin if as_written(origin) == written else None


def as_written(origin: Origin) -> str:
    """An origin as a browser writes it: without the scheme's own port."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{origin.scheme}://{host}" if origin.port == _PORTS[origin.scheme] else f"{origin.scheme}://{host}:{origin.port}"


def is_allowed(written: str, sites: Sequence[str]) -> bool:
    """Whether this ``Origin`` header names one of the sites."""
    origin = read_origin(written)
    return origin is not None and origin in {read_origin(site) for site in sites}


def is_own(environ: Mapping[str, Any]) -> bool:
    """Whether a browser made this call for a page of the kit itself.

    The scheme is not compared: behind a proxy that is not in the settings the kit does not know that its own pages are https.
    """
    if environ.get("HTTP_SEC_FETCH_SITE") in ("same-origin", "none"):
        return True
    origin = read_origin(environ.get("HTTP_ORIGIN", ""))
    host = read_origin(f"{origin.scheme}://{environ.get('HTTP_HOST', '').lower()}") if origin else None
    return host is not None and host == origin


def cross_origin_headers(environ: Mapping[str, Any], sites: Sequence[str]) -> dict[str, str]:
    """What an answer tells browsers of other sites: nothing, unless a customers' path was called from a site of the settings."""
    if not environ["PATH_INFO"].startswith(CUSTOMER_PATHS):
        return {}
    origin = environ.get("HTTP_ORIGIN", "")
    if not is_allowed(origin, sites):
        return {"Vary": "Origin"}
    headers = {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}
    if environ["REQUEST_METHOD"] == "OPTIONS":
        headers |= {"Access-Control-Allow-Methods": _METHODS, "Access-Control-Allow-Headers": _HEADERS, "Access-Control-Max-Age": "600"}
    return headers


def allow_sites(app: Flask, sites: tuple[str, ...]) -> None:
    """Answer CORS for these exact origins on the customers' paths, and refuse what browsers call for pages of any other site."""

    @app.before_request
    def admit() -> Response | None:
        foreign = "Origin" in request.headers and not is_own(request.environ)
        if foreign and request.path.startswith("/api/") and not _is_customers_and_listed(sites):
            raise Forbidden("Pages of this site may not call here.")
        if request.method == "OPTIONS" and request.path.startswith(CUSTOMER_PATHS):
            return Response(status=204)
        return None

    @app.after_request
    def permit(response: Response) -> Response:
        headers = cross_origin_headers(request.environ, sites)
        if "Vary" in headers:
            response.vary.add(headers.pop("Vary"))
        response.headers.update(headers)
        return response


def _is_customers_and_listed(sites: tuple[str, ...]) -> bool:
    return request.path.startswith(CUSTOMER_CALLS) and is_allowed(request.headers.get("Origin", ""), sites)
