"""The one factory of the web app."""

from __future__ import annotations

from flask import Flask, send_from_directory
from flask.typing import ResponseReturnValue

from kit.settings import Settings
from touchpoints.clock import Clock, system_clock
from widget.bodies import LIMIT_BYTES
from widget.brand.file import BrandFile
from widget.brand.pages import use_brand
from widget.chat.api import chat_api
from widget.chat.files import chat_files
from widget.desk.account import account_api
from widget.desk.api import desk_api
from widget.desk.pages import desk_pages
from widget.desk.session import session_api
from widget.errors import handle_errors
from widget.help.api import help_api
from widget.help.pages import help_pages
from widget.journey.api import journey_api
from widget.notes import clock_notes, notes
from widget.operations import operations
from widget.origins import allow_sites
from widget.protection import protect
from widget.query import PlainRequest
from widget.request_log import log_requests
from widget.services import Services, build_services
from widget.shop.pages import shop_pages


def create_app(settings: Settings, services: Services | None = None, *, clock: Clock = system_clock) -> Flask:
    """Build the app from its settings, or around services that are there already."""
    services = services or build_services(settings)
    app = Flask(__name__, static_url_path="/static")
    app.request_class = PlainRequest
    app.config["MAX_CONTENT_LENGTH"] = LIMIT_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    brand = BrandFile(settings.brand)
    handle_errors(app)
    log_requests(app)
    protect(app)
    allow_sites(app, settings.sites)
    for blueprint in (
        chat_api(services),
        chat_files(),
        session_api(services),
        account_api(services),
        desk_api(services),
        desk_pages(),
        help_api(services),
        help_pages(services.library, services.search, services.reading, articles=settings.articles),
        journey_api(services),
        operations(services, lambda: [*notes(settings.articles, services.library, brand), *clock_notes(clock)]),
        shop_pages(),
    ):
        app.register_blueprint(blueprint)
    use_brand(app, brand, services.library, clock)
    brand.load()  # what is wrong with it is in the log from the start

    @app.get("/")
    def home() -> ResponseReturnValue:
        return app.redirect("/help")

    @app.get("/favicon.ico")
    def icon() -> ResponseReturnValue:
        return send_from_directory(app.static_folder or "", "favicon.svg", mimetype="image/svg+xml")

    return app
