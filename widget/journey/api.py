"""The ledger over HTTP: in from outside, out as pages and as files, and the keys that open it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, UnprocessableEntity

from desk.messages import check_text
from touchpoints.export import FORMATS, as_row
from widget.bodies import limit_bytes
from widget.chat.api import bearer
from widget.desk.session import signed_in
from widget.json_body import read_object, whole_number
from widget.services import Services

HIGHEST_CURSOR = 2**53
ROLES = ("administrator",)


def journey_api(services: Services) -> Blueprint:
    """``/api/touchpoints`` and ``/api/keys``."""
    api = Blueprint("journey_api", __name__, url_prefix="/api")

    def permitted() -> None:
        """An API key, or an administrator's session."""
        key = bearer()
        if key is None or not services.ledger.knows_key(key):
            signed_in(services, ROLES)

    @api.post("/touchpoints")
    def take() -> ResponseReturnValue:
        permitted()
        request.max_content_length = limit_bytes(request.path)
        taken = services.ledger.take(read_object().get("touchpoints"))
        return jsonify({"accepted": taken.accepted, "repeated": taken.repeated, "refused": [dict(vars(one)) for one in taken.refused]})

    @api.get("/touchpoints")
    def read() -> ResponseReturnValue:
        permitted()
        limit = whole_number("limit", 200, 1, 1000)
        found = services.ledger.read(
            after=whole_number("since", 0, 0, HIGHEST_CURSOR),
            limit=limit,
            conversation_id=request.args.get("conversation"),
            customer=request.args.get("customer"),
        )
        following = str(found[-1].seq) if len(found) == limit else None
        return jsonify({"touchpoints": [as_row(recorded) for recorded in found], "next": following})

    @api.get("/touchpoints/export")
    def export() -> ResponseReturnValue:
        permitted()
        name = request.args.get("format", "csv")
        if name not in FORMATS:
            raise UnprocessableEntity(f"format must be one of {', '.join(FORMATS)}.")
        mimetype, written = FORMATS[name]
        pieces: Iterator[str] = written(services.ledger.pages(whole_number("since", 0, 0, HIGHEST_CURSOR)))
        headers = {"Content-Disposition": f'attachment; filename="touchpoints.{name}"'}
        return Response(pieces, mimetype=mimetype, headers=headers)

    @api.post("/keys")
    def make_key() -> ResponseReturnValue:
        person = signed_in(services, ROLES).person
        key_id, key = services.ledger.make_key(check_text(read_object().get("name"), "name", 100), person.id)
        return jsonify({"id": key_id, "key": key}), 201

    @api.delete("/keys/<key_id>")
    def revoke_key(key_id: str) -> ResponseReturnValue:
        signed_in(services, ROLES)
        if not services.ledger.revoke_key(key_id):
            raise NotFound("There is no such key.")
        return "", 204

    return api
