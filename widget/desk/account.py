"""What staff do with their own account: change their password, and see and end their sessions. For every role."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from desk.own_sessions import OwnSession
from widget.desk.session import caller, session_shape, session_token, set_session_cookie, signed_in
from widget.json_body import read_object
from widget.services import Services
from widget.shapes import time_json


def account_api(services: Services) -> Blueprint:
    """``/api/account``."""
    api = Blueprint("account_api", __name__, url_prefix="/api/account")
    sessions = services.own_sessions

    @api.put("/password")
    def change_password() -> ResponseReturnValue:
        signed_in(services, choosing=True)
        body = read_object()
        changed = services.accounts.choose_password(session_token(), body.get("current"), body.get("new"), caller(services))
        response: Response = jsonify(session_shape(changed.session))
        set_session_cookie(response, changed.token)
        # Only once the browser has the new cookie: this browser's own streams come back with it.
        response.call_on_close(lambda: services.wakeups.wake_sessions(changed.ended))
        return response

    @api.get("/sessions")
    def listed() -> ResponseReturnValue:
        signed_in(services)
        return jsonify({"sessions": [_session_json(session) for session in sessions.of(session_token() or "")]})

    def confirmed() -> None:
        """Who ends sessions shows their password once more: whoever carried one off must not throw the others out."""
        signed_in(services)
        services.accounts.confirm(session_token(), read_object().get("password"), caller(services))

    @api.post("/sessions/<session_id>/end")
    def end(session_id: str) -> ResponseReturnValue:
        confirmed()
        services.wakeups.wake_sessions({sessions.end(session_token() or "", session_id)})
        return "", 204

    @api.post("/sessions/end-others")
    def end_others() -> ResponseReturnValue:
        confirmed()
        services.wakeups.wake_sessions(sessions.end_others(session_token() or ""))
        return "", 204

    return api


def _session_json(session: OwnSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "begun_at": time_json(session.begun_at),
        "used_at": time_json(session.used_at),
        "browser": session.browser.name,
        "system": session.browser.system,
        "this": session.is_this,
    }
