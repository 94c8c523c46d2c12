"""The page of the agents' desk and its files. What it shows, its script asks of the desk's API."""

from __future__ import annotations

from flask import Blueprint, render_template


def desk_pages() -> Blueprint:
    """The desk's one page as a blueprint, at ``/desk``, with its files under ``/desk/static``."""
    pages = Blueprint("desk_pages", __name__, url_prefix="/desk", template_folder="templates", static_folder="static")

    @pages.get("", strict_slashes=False)
    def page() -> str:
        return render_template("desk/desk.html")

    return pages
