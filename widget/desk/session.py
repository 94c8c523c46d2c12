"""Signing in and out, and who is signed in: the door to everything of the staff's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from desk.accounts import SignedIn, check_csrf, session_digest
from desk.exceptions import NotAllowed
from desk.guessing import Caller
from desk.tokens import DEVICE
from touchpoints.model import new_id
from widget.gate import DEVICE_COOKIES
from widget.json_body import read_object
from widget.proxies import address_key
from widget.services import Services
from widget.shapes import staff_json

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name() -> str:
    """``__Host-`` binds the cookie to this host over https; loopback http cannot have the prefix."""
    return "__Host-touchdesk" if request.is_secure else "touchdesk"


def device_cookie_name() -> str:
    """The cookie by which a browser that has signed in before is known again."""
    return DEVICE_COOKIES[request.is_secure]


def session_token() -> str | None:
    """The session's token from the cookie."""
    return request.cookies.get(cookie_name())


def signed_in(services: Services, roles: Iterable[str] = ()) -> SignedIn:
    """Who is signed in. Raises `NotSignedIn`, and `NotAllowed` for another role or a write without the CSRF token."""
    session = services.accounts.session(session_token())
    g.staff = session.person.id  # for the log
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
        device_id, account = services.tokens.known_device(request.cookies.get(device_cookie_name(), "")) or (None, None)
        caller = Caller(address=address_key(request.remote_addr or ""), device=device_id, account=account)
        token, session = services.accounts.sign_in(body.get("email"), body.get("password"), caller)
        g.staff = session.person.id  # for the log
        response: Response = jsonify(_shape(session))
        device = services.tokens.device(device_id or new_id(), services.accounts.account(session.person.email))
        _set_cookie(response, cookie_name(), token)
        _set_cookie(response, device_cookie_name(), device, max_age=DEVICE)
        return response

    @api.delete("")
    def sign_out() -> ResponseReturnValue:
        signed_in(services)
        token = session_token() or ""
        services.accounts.sign_out(token)
        services.wakeups.wake_sessions({session_digest(token)})
        response = Response(status=204)
        response.delete_cookie(cookie_name(), httponly=True, samesite="Strict", secure=request.is_secure, path="/")
        return response

    return api


def _set_cookie(response: Response, name: str, value: str, **options: Any) -> None:
    """Out of reach of scripts, of other sites and, over https, of an unencrypted line."""
    response.set_cookie(name, value, httponly=True, samesite="Strict", secure=request.is_secure, path="/", **options)


def _shape(session: SignedIn) -> dict[str, object]:
    return {"csrf_token": session.csrf_token, "staff": staff_json(session.person)}
