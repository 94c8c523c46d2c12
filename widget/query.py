"""What stands behind the question mark, made safe to read."""

from __future__ import annotations

import string
from typing import Any
from urllib.parse import quote

from flask import Request


class PlainRequest(Request):
    """Bytes that no address may hold are taken as if the client had percent-encoded them; werkzeug would fail over them."""

    def __init__(self, environ: dict[str, Any], *arguments: Any, **options: Any) -> None:
        query = str(environ.get("QUERY_STRING", ""))
        if not query.isascii():
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=string.printable)
        super().__init__(environ, *arguments, **options)
