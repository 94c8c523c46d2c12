"""How large a request's body may be, and reading it where a slow sender holds up nobody else."""

from __future__ import annotations

import io
from typing import Any

import gevent

LIMIT_BYTES = 64 * 1024
LIMITS_BYTES = {"/api/touchpoints": 1024 * 1024}
"""Paths that take more than `LIMIT_BYTES`."""
BODY_TIMEOUT_S = 30
"""A body that trickles in is given up after so long, however steadily it trickles; with its head's 20 s that stays below a minute."""


def limit_bytes(path: str) -> int:
    """How many bytes a body may have at this path."""
    return LIMITS_BYTES.get(path, LIMIT_BYTES)


def is_declared_too_large(environ: dict[str, Any]) -> bool:
    """Whether the request itself says that its body is too large; known before any of it is read."""
    declared = environ.get("CONTENT_LENGTH") or "0"
    return declared.isascii() and declared.isdigit() and (len(declared) > 15 or int(declared) > limit_bytes(environ["PATH_INFO"]))


def take_body(environ: dict[str, Any]) -> bool:
    """Put the body, read whole, into ``environ``; False when it is too large, and then one byte more than allowed has been read.

    Runs in the connection's greenlet. Raises `TimeoutError`. A body that was taken before stays.
    """
    if isinstance(environ["wsgi.input"], io.BytesIO):
        return True
    if not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
        environ["wsgi.input"] = io.BytesIO()
        return True
    most = limit_bytes(environ["PATH_INFO"])
    with gevent.Timeout(BODY_TIMEOUT_S, TimeoutError("the body came too slowly")):
        body = environ["wsgi.input"].read(most + 1)
    environ["wsgi.input"] = io.BytesIO(body)
    if len(body) > most or not environ.get("CONTENT_LENGTH"):
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    return len(body) <= most
