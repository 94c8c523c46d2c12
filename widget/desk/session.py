"""Signing in and out, and who is signed in: the door to everything of the staff's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from desk.accounts import SignedIn, check_csrf, session_digest
from desk.exceptions import NotAllowed, PasswordChoiceNeeded
from desk.guessing import Caller
from desk.tokens import DEVICE
from touchpoints.model import new_id
from widget.gate import DEVICE_COOKIES
from widget.json_body import read_object
from widget.protection import READING
from widget.proxies import address_key
from widget.services import Services
from widget.shapes import staff_json


def cookie_name() -> str:
    """``__Host-`` binds the cookie to this host over https; loopback http cannot have the prefix."""
    return "__Host-touchdesk" if request.is_secure else "touchdesk"


def device_cookie_name() -> str:
    """The cookie by which a browser that has signed in before is known again."""
    return DEVICE_COOKIES[request.is_secure]


def session_token() -> str | None:
    """The session's token from the cookie."""
    return request.cookies.get(cookie_name())


def signed_in(services: Services, roles: Iterable[str] = (), *, choosing: bool = False) -> SignedIn:
    """Who is signed in. Raises `NotSignedIn`, `NotAllowed` for another role or a write without the CSRF token, and `PasswordChoiceNeeded`.

    ``choosing``: open also to who has yet to choose a password of their own.
    """
    session = services.accounts.session(session_token())
    g.staff = session.person.id  # for the log
    if request.method not in READING:
        check_csrf(session, request.headers.get("X-CSRF-Token"))
    if not choosing:
        check_role(session, roles)
    return session


def check_role(session: SignedIn, roles: Iterable[str] = ()) -> None:
    """Raise `PasswordChoiceNeeded` before the own password is chosen, `NotAllowed` for another role than these, where there are any."""
    if session.must_choose:
        raise PasswordChoiceNeeded()
    if roles and session.person.role not in roles:
        raise NotAllowed()


def caller(services: Services) -> Caller:
    """Who shows a password: address, device and browser."""
    device, account = services.tokens.known_device(request.cookies.get(device_cookie_name(), "")) or (None, None)
    return Caller(address_key(request.remote_addr or ""), device, account, request.headers.get("User-Agent", ""))


def session_api(services: Services) -> Blueprint:
    """``/api/session``."""
    api = Blueprint("session_api", __name__, url_prefix="/api/session")

    @api.get("")
    def current() -> ResponseReturnValue:
        return jsonify(session_shape(signed_in(services, choosing=True)))

    @api.post("")
    def sign_in() -> ResponseReturnValue:
        body, who = read_object(), caller(services)
        token, session = services.accounts.sign_in(body.get("email"), body.get("password"), who)
        g.staff = session.person.id  # for the log
        response: Response = jsonify(session_shape(session))
        device = services.tokens.device(who.device or new_id(), services.accounts.account(session.person.email))
        set_session_cookie(response, token)
        _set_cookie(response, device_cookie_name(), device, max_age=DEVICE)
        return response

    @api.delete("")
    def sign_out() -> ResponseReturnValue:
        signed_in(services, choosing=True)
        token = session_token() or ""
        services.accounts.sign_out(token)
        services.wakeups.wake_sessions({session_digest(token)})
        response = Response(status=204)
        response.delete_cookie(cookie_name(), httponly=True, samesite="Strict", secure=request.is_secure, path="/")
        return response

    return api


def set_session_cookie(response: Response, token: str) -> None:
    """Give the browser the token of its session."""
    _set_cookie(response, cookie_name(), token)


def _set_cookie(response: Response, name: str, value: str, **options: Any) -> None:
    """Out of reach of scripts, of other sites and, over https, of an unencrypted line."""
    response.set_cookie(name, value, httponly=True, samesite="Strict", secure=request.is_secure, path="/", **options)


def session_shape(session: SignedIn) -> dict[str, object]:
    """A session as its browser is told of it."""
    return {"csrf_token": session.csrf_token, "staff": staff_json(session.person), "must_choose_password": session.must_choose}
