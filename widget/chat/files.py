"""The files of the ``<support-chat>`` element, fetched by every page that carries it."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, send_from_directory

FOLDER = Path(__file__).parent / "static"


def chat_files() -> Blueprint:
    """Serve the element's modules at ``/widget/``; a browser asks each time whether they have changed."""
    files = Blueprint("chat_files", __name__)

    @files.get("/widget/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(FOLDER, name)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    return files
