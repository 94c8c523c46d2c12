"""The made-up shop on whose pages the widget is shown; a company's own site takes its place."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory
from flask.typing import ResponseReturnValue

FOLDER = Path(__file__).parent / "static"


def shop_pages() -> Blueprint:
    """``/shop/``."""
    pages = Blueprint("shop", __name__, url_prefix="/shop")

    @pages.get("")
    def without_slash() -> ResponseReturnValue:
        return redirect("/shop/")

    @pages.get("/")
    def home() -> Response:
        return send_from_directory(FOLDER, "index.html")

    @pages.get("/<path:name>")
    def file(name: str) -> Response:
        return send_from_directory(FOLDER, name)

    return pages
