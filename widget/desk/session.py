"""Signing in and out, and who is signed in: the door to everything of the staff's."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from desk.accounts import SignedIn, check_csrf
from desk.exceptions import NotAllowed
from widget.json_body import read_object
from widget.services import Services
from widget.shapes import staff_json

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name() -> str:
    """``__Host-`` binds the cookie to this host over https; loopback http cannot have the prefix."""
    return "__Host-touchdesk" if request.is_secure else "touchdesk"


def session_token() -> str | None:
    """The session's token from the cookie."""
    return request.cookies.get(cookie_name())


def signed_in(services: Services, roles: Iterable[str] = ()) -> SignedIn:
    """Who is signed in. Raises `NotSignedIn`, and `NotAllowed` for another role or a write without the CSRF token."""
    session = services.accounts.session(session_token())
    if request.method not in _READING:
        check_csrf(session, request.headers.get("X-CSRF-Token"))
    if roles and session.person.role not in roles:
        raise NotAllowed()
    return session


def session_api(services: Services) -> Blueprint:
    """``/api/session``."""
    api = Blueprint("session_api", __name__, url_prefix="/api/session")

    @api.get("")
    def current() -> ResponseReturnValue:
        return jsonify(_shape(signed_in(services)))

    @api.post("")
    def sign_in() -> ResponseReturnValue:
        body = read_object()
        token, session = services.accounts.sign_in(body.get("email"), body.get("password"))
        response: Response = jsonify(_shape(session))
        response.set_cookie(cookie_name(), token, httponly=True, samesite="Strict", secure=request.is_secure, path="/")
        return response

    @api.delete("")
    def sign_out() -> ResponseReturnValue:
        signed_in(services)
        services.accounts.sign_out(session_token() or "")
        response = Response(status=204)
        response.delete_cookie(cookie_name(), httponly=True, samesite="Strict", secure=request.is_secure, path="/")
        return response

    return api


def _shape(session: SignedIn) -> dict[str, object]:
    return {"csrf_token": session.csrf_token, "staff": staff_json(session.person)}
