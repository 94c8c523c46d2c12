"""The action server: ``python -m actions.server``.

rasa-sdk's own server listens on every address, allows any origin, and echoes the whole tracker in its 500 answer; this one listens on
loopback, knows the inner secret and answers errors in the one error shape. What runs the actions is rasa-sdk's executor.
"""

from __future__ import annotations

import hmac
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionNotFoundException
from sanic import Sanic, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from actions.answer import Answer, ShowArticle
from actions.guide import ConfirmStep, GoToStep, GuideWorked, NextStep, StartGuide
from actions.logs import customers_are_served, start_logging
from actions.person import CancelHandoff, GetPerson, HandOver, Note, NotSure, SayNoted
from actions.search_client import ActionsError, SearchClient
from actions.solve import NoneOfThese, NotSolved, ShowNextBest, Solved
from actions.start import StartAgain
from actions.turn import TurnAction

logger = logging.getLogger(__name__)

ACTIONS: tuple[Callable[[SearchClient], TurnAction], ...] = (
    Answer, ShowArticle, StartGuide, NextStep, GoToStep, ConfirmStep, GuideWorked, Solved, NotSolved,
    ShowNextBest, NoneOfThese,
    GetPerson, HandOver, NotSure, Note, SayNoted, CancelHandoff, StartAgain,
)  # fmt: skip


@dataclass(frozen=True)
class ServerSettings:
    """What the server needs to know."""

    search_url: str
    secret: str
    port: int


def read_settings(environ: Mapping[str, str]) -> ServerSettings:
    """Read ``TOUCHDESK_SEARCH_URL``, ``TOUCHDESK_INNER_SECRET`` and ``TOUCHDESK_ACTIONS_PORT``. Raises `ActionsError` naming what is missing."""
    missing = [name for name in ("TOUCHDESK_SEARCH_URL", "TOUCHDESK_INNER_SECRET") if not environ.get(name)]
    if missing:
        raise ActionsError(f"not set: {', '.join(missing)}")
    port = environ.get("TOUCHDESK_ACTIONS_PORT", "5055")
    if not port.isdigit():
        raise ActionsError(f"TOUCHDESK_ACTIONS_PORT={port!r}: wanted a port")
    return ServerSettings(environ["TOUCHDESK_SEARCH_URL"], environ["TOUCHDESK_INNER_SECRET"], int(port))


def create_app(settings: ServerSettings) -> Sanic:
    """The server, its client of search made when it starts and closed when it stops."""
    app = Sanic("touchdesk_actions", configure_logging=False)
    app.config.ACCESS_LOG = False
    executor = ActionExecutor()
    expected = f"Bearer {settings.secret}".encode()

    @app.before_server_start
    async def connect(app: Sanic, _loop: object) -> None:
        app.ctx.session = aiohttp.ClientSession()
        search = SearchClient(settings.search_url, settings.secret, app.ctx.session)
        for action in ACTIONS:
            executor.register_action(action(search))
        logger.info("actions answer on 127.0.0.1:%d", settings.port)
        customers_are_served()

    @app.after_server_stop
    async def disconnect(app: Sanic, _loop: object) -> None:
        await app.ctx.session.close()

    @app.get("/health")
    async def health(_request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    @app.post("/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
            return _error(401, "unauthorized", "The inner secret is wrong or missing.")
        call = request.json
        if not isinstance(call, dict) or not isinstance(call.get("tracker"), dict):
            return _error(422, "bad_call", "This is not a call of Rasa's.")
        return response.json(await executor.run(call))

    # These answer and never go on as if nothing had happened; the cause is in the log.
    @app.exception(ActionsError)
    async def search_away(_request: Request, error: ActionsError) -> HTTPResponse:
        logger.error("Search: %s", error)
        return _error(502, "search_failed", "Search gave no answer.")

    @app.exception(ActionNotFoundException)
    async def no_such_action(_request: Request, error: ActionNotFoundException) -> HTTPResponse:
        return _error(404, "not_found", error.message)

    @app.exception(SanicException)
    async def refused(_request: Request, error: SanicException) -> HTTPResponse:
        return _error(error.status_code or 500, "bad_request", str(error))

    @app.exception(Exception)
    async def broken(_request: Request, error: Exception) -> HTTPResponse:
        logger.error("An action broke", exc_info=error)
        return _error(500, "internal", "The action failed.")

    return app


def _error(status: int, code: str, message: str) -> HTTPResponse:
    return response.json({"error": {"code": code, "message": message, "detail": None}}, status)


def main() -> None:
    """Serve until told to stop."""
    start_logging("actions")
    try:
        settings = read_settings(os.environ)
    except ActionsError as error:
        sys.exit(f"actions: {error}")
    create_app(settings).run(host="127.0.0.1", port=settings.port, workers=1, access_log=False, debug=False)


if __name__ == "__main__":
    main()
