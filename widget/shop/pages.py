"""The made-up shop on whose pages the widget is shown; a company's own site takes its place."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory
from flask.typing import ResponseReturnValue

FOLDER = Path(__file__).parent / "static"
KIT = "http://127.0.0.1:8000"
"""The kit's address as the page names it for a site of its own; served by the kit itself it needs none."""


def shop_pages() -> Blueprint:
    """``/shop/``."""
    pages = Blueprint("shop", __name__, url_prefix="/shop")

    @pages.get("")
    def without_slash() -> ResponseReturnValue:
        return redirect("/shop/")

    @pages.get("/")
    def home() -> Response:
        page = (FOLDER / "index.html").read_text(encoding="utf-8")
        return Response(page.replace(KIT, ""), mimetype="text/html")

    @pages.get("/<path:name>")
    def file(name: str) -> Response:
        return send_from_directory(FOLDER, name)

    return pages
