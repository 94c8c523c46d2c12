"""The customers' API. Every route that touches a conversation goes through `desk.customers`, whose one door is `access`."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from desk.exceptions import TokenInvalid
from widget.json_body import read_object, text_field, whole_number
from widget.services import Services
from widget.shapes import conversation_json, event_json

LONGEST_WAIT_S = 30
HIGHEST_SEQ = 2**31 - 1


def bearer() -> str | None:
    """The token of the ``Authorization: Bearer`` header, if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _token() -> str:
    token = bearer()
    if token is None:
        raise TokenInvalid()
    return token


def wants_stream() -> bool:
    """Whether the client asked for an event stream."""
    return "text/event-stream" in request.headers.get("Accept", "")


def stream_response(pieces: object) -> Response:
    """An event stream that no proxy holds back."""
    return Response(pieces, mimetype="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})  # type: ignore[arg-type]


def chat_api(services: Services) -> Blueprint:
    """``/api/conversations`` and what hangs under it."""
    api = Blueprint("chat_api", __name__, url_prefix="/api/conversations")
    customers = services.customers

    @api.post("")
    def start() -> ResponseReturnValue:
        body = read_object()
        page, locale, continues = text_field(body, "page", 2000), text_field(body, "locale", 35), text_field(body, "continues", 64)
        conversation, token = customers.start(bearer(), page=page, locale=locale, continues=continues, identity=body.get("identity"))
        return jsonify({"conversation": conversation_json(conversation), "token": token}), 201

    @api.get("")
    def listed() -> ResponseReturnValue:
        return jsonify({"conversations": [conversation_json(conversation) for conversation in customers.conversations(_token())]})

    @api.get("/<conversation_id>")
    def one(conversation_id: str) -> ResponseReturnValue:
        return jsonify(conversation_json(*customers.conversation(_token(), conversation_id)))

    @api.post("/<conversation_id>/messages")
    def say(conversation_id: str) -> ResponseReturnValue:
        token, body = _token(), read_object()
        said: dict[str, Any] = {key: body[key] for key in ("text", "payload") if key in body}
        accepted = customers.say(token, conversation_id, body.get("client_id"), said)
        return jsonify({"seq": accepted.seq}), 200 if accepted.repeated else 202

    @api.get("/<conversation_id>/events")
    def events(conversation_id: str) -> ResponseReturnValue:
        token = _token()
        resumed = request.headers.get("Last-Event-ID", "")
        after = whole_number("after", int(resumed) if resumed.isascii() and resumed.isdigit() and len(resumed) < 10 else 0, 0, HIGHEST_SEQ)
        if wants_stream():
            return stream_response(services.streams.conversation(token, conversation_id, after))
        wait_s = whole_number("wait", 0, 0, LONGEST_WAIT_S)
        found, last = services.streams.poll(token, conversation_id, after, wait_s)
        return jsonify({"events": [event_json(event) for event in found], "last": last})

    @api.post("/<conversation_id>/handoff")
    def handoff(conversation_id: str) -> ResponseReturnValue:
        token, body = _token(), read_object()
        text_field(body, "reason", 200)
        return jsonify(conversation_json(customers.ask_for_person(token, conversation_id)))

    @api.post("/<conversation_id>/cancel-handoff")
    def cancel_handoff(conversation_id: str) -> ResponseReturnValue:
        return jsonify(conversation_json(customers.cancel_handoff(_token(), conversation_id)))

    @api.post("/<conversation_id>/close")
    def close(conversation_id: str) -> ResponseReturnValue:
        return jsonify(conversation_json(customers.close(_token(), conversation_id)))

    @api.post("/<conversation_id>/typing")
    def typing(conversation_id: str) -> ResponseReturnValue:
        customers.typing(_token(), conversation_id)
        return "", 204

    @api.post("/<conversation_id>/survey")
    def survey(conversation_id: str) -> ResponseReturnValue:
        token, body = _token(), read_object()
        customers.rate(token, conversation_id, body)
        return jsonify({})

    return api
