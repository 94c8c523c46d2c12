"""Headers that keep a browser from running or leaking what it should not, on every answer; and which methods only read."""

from __future__ import annotations

from flask import Flask, Response, request

READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Safe methods, as HTTP calls them (RFC 9110, 9.2.1)."""
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
ANSWER_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

HTTPS_ONLY = "max-age=63072000; includeSubDomains"
"""Where the proxy says https, browsers come back over https alone for two years."""


def protect(app: Flask) -> None:
    """Put the headers on every answer; what an API says is never kept by a cache, nor is the page that staff sign in on."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in ANSWER_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", HTTPS_ONLY)
        if request.path.startswith("/api/") or request.path == "/desk":
            response.headers["Cache-Control"] = "no-store"
            response.vary.update(("Cookie", "Authorization"))
        return response
