"""Which other sites may call: customer calls and the widget's files answer the listed origins, without cookies; staff calls never do."""

from __future__ import annotations

from flask import Flask, Response, request

CUSTOMER_PATHS = (
    *("/api/conversations", "/api/search", "/api/articles/", "/api/brand"),
    *("/widget/", "/static/tokens.css", "/static/brand.css", "/brand/"),
)
_METHODS = "GET, POST, OPTIONS"
_HEADERS = "Authorization, Content-Type, Accept, Last-Event-ID"


def allow_sites(app: Flask, sites: tuple[str, ...]) -> None:
    """Answer CORS for these exact origins on the customers' paths."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS" or not request.path.startswith(CUSTOMER_PATHS):
            return None
        return Response(status=204)

    @app.after_request
    def permit(response: Response) -> Response:
        if not request.path.startswith(CUSTOMER_PATHS):
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in sites:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = _METHODS
                response.headers["Access-Control-Allow-Headers"] = _HEADERS
                response.headers["Access-Control-Max-Age"] = "600"
        return response
