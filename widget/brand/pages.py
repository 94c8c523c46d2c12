"""What the brand is to a browser: ``/api/brand`` for the widget, a style sheet and a logo for every face, names for the templates."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from knowledge_base.exceptions import LibraryUnavailable
from knowledge_base.library import Library
from touchpoints.clock import Clock
from widget.help.pages import MEDIA_POLICY

from .colours import LIGHT, parse_colour, tones
from .file import BrandFile, Loaded
from .model import Logo
from .shapes import brand_css, brand_json

OWN_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="{brand}"/>'
    '<path d="M8 11a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3h-6l-5 4v-4.2A3 3 0 0 1 8 18z" fill="{on_brand}"/></svg>'
)
"""For a company without a logo: a speech bubble in its colour."""
_USUAL = tones(parse_colour("#0b6e5f") or (0, 0, 0), LIGHT)


def use_brand(app: Flask, file: BrandFile, library: Library, clock: Clock) -> None:
    """Give the app the brand's routes, and its templates its name, its tone and where its files are."""
    app.register_blueprint(brand_routes(file, library, clock))

    @app.context_processor
    def names() -> dict[str, Any]:
        loaded = file.load()
        addresses = {"brand_logo": logo_address(loaded), "brand_style": _versioned("/static/brand.css", loaded)}
        return {"brand_name": loaded.brand.name, **addresses, "brand_tone": loaded.brand.tone, "brand_address": loaded.brand.address}


def brand_routes(file: BrandFile, library: Library, clock: Clock) -> Blueprint:
    """``/api/brand``, ``/static/brand.css`` and ``/brand/logo``, all of them open to the sites that carry the widget."""
    routes = Blueprint("brand", __name__)

    @routes.get("/api/brand")
    def described() -> ResponseReturnValue:
        loaded = file.load()
        topics = [(slug, title) for slug, title in topic_titles(library, loaded).items() if title]
        logo = logo_address(loaded) if loaded.logo else None
        return jsonify(brand_json(loaded.brand, logo=logo, topics=topics, at=clock()))

    @routes.get("/static/brand.css")
    def style() -> Response:
        return _kept(Response(brand_css(file.load().brand), mimetype="text/css"))

    @routes.get("/brand/logo")
    def logo() -> Response:
        found = file.load().logo or own_logo(file.load())
        response = _kept(Response(found.content, mimetype=found.media_type))
        response.headers["Content-Security-Policy"] = MEDIA_POLICY
        return response

    return routes


def topic_titles(library: Library, loaded: Loaded) -> dict[str, str | None]:
    """The title of each quick topic's article; None where there is no such public article. Empty while there is no index."""
    try:
        found = {slug: library.article(slug) for slug in loaded.brand.topics}
    except LibraryUnavailable:
        return {}
    return {slug: article.title if article else None for slug, article in found.items()}


def logo_address(loaded: Loaded) -> str:
    """The logo's path; another one whenever the logo differs."""
    return _versioned("/brand/logo", loaded)


def own_logo(loaded: Loaded) -> Logo:
    """A mark for a company that names none."""
    light = loaded.brand.light or _USUAL
    return Logo(OWN_LOGO.format(brand=light.brand, on_brand=light.on_brand).encode(), "image/svg+xml")


def _versioned(path: str, loaded: Loaded) -> str:
    return f"{path}?{urlencode({'v': loaded.version})}"


def _kept(response: Response) -> Response:
    """A browser asks each time whether it has changed, and other sites may show it."""
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    response.make_conditional(request)
    return response
