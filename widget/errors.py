"""Every error leaves in the one shape, ``{"error": {"code", "message", "detail"}}``, with the fitting status."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from desk import exceptions as desk
from knowledge_base.exceptions import LibraryUnavailable
from touchpoints import exceptions as touchpoints

log = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (desk.NotFound, 404, "not_found"),
    (desk.TokenExpired, 401, "token_expired"),
    (desk.TokenInvalid, 401, "unauthorized"),
    (desk.NotSignedIn, 401, "unauthorized"),
    (desk.WrongCredentials, 401, "wrong_credentials"),
    (desk.PasswordExpired, 401, "password_expired"),
    (desk.TooManyTries, 429, "too_many"),
    (desk.IdentityInvalid, 422, "invalid"),
    (desk.PasswordChoiceNeeded, 403, "password_choice_needed"),
    (desk.NotAllowed, 403, "forbidden"),
    (desk.ClientIdReused, 409, "client_id_reused"),
    (desk.ConversationClosed, 409, "conversation_closed"),
    (desk.AlreadyTaken, 409, "already_taken"),
    (desk.OwnerConflict, 409, "conflict"),
    (desk.MessageTooLong, 413, "too_large"),
    (desk.PasswordRefused, 422, "password_refused"),
    (desk.MessageInvalid, 422, "invalid"),
    (touchpoints.TouchpointInvalid, 422, "invalid"),
    (touchpoints.StoreBusy, 503, "busy"),
    (touchpoints.StoreError, 503, "unavailable"),
    (LibraryUnavailable, 503, "unavailable"),
)
"""First match wins, so the special stand before the general."""

_HTTP_CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
_HTTP_CODES |= {415: "unsupported_media_type", 422: "invalid", 429: "too_many", 500: "internal", 503: "unavailable"}
RETRY_AFTER_S = 2
LATE = "touchdesk.late"
"""In the environ of a request that has waited for too long: it is not begun any more."""


def error_response(status: int, code: str, message: str, detail: Any = None) -> Response:
    """The one error shape; where a browser asks for a page, the same words as one."""
    if _wants_page():
        return make_response(render_template("error.html", status=status, message=message), status)
    response = make_response(jsonify({"error": {"code": code, "message": message, "detail": detail}}), status)
    if status in (429, 503):
        response.headers["Retry-After"] = str((detail or {}).get("retry_after_s", RETRY_AFTER_S))
    return response


def _wants_page() -> bool:
    api = request.path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))
    return not api and request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html"


def handle_errors(app: Flask) -> None:
    """Let the app answer every error in the one shape."""
    for kind, status, code in reversed(STATUSES):
        app.register_error_handler(kind, _handler(status, code))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)
    app.before_request(_refuse_late)


def _refuse_late() -> None:
    if request.environ.get(LATE):
        raise touchpoints.StoreBusy()


def _handler(status: int, code: str) -> Any:
    def handle(error: Exception) -> Response:
        if status >= 500:
            log.error("%s: %s", request.endpoint, error)
        message = "This cannot be done just now; please try again." if status >= 500 and code != "busy" else str(error)
        return error_response(status, code, message, getattr(error, "detail", None) or None)

    return handle


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    response = error_response(status, _HTTP_CODES.get(status, "refused"), error.description or error.name)
    if "Allow" in (headers := dict(error.get_headers())):
        response.headers["Allow"] = headers["Allow"]
    return response


def _unforeseen(error: Exception) -> Response:
    """The last handler: the log gets the cause, the reader a plain sentence."""
    log.exception("%s %s failed", request.method, request.endpoint)
    return error_response(500, "internal", "Something went wrong on our side.")
