"""The agents' API: cookie session, CSRF token on every write, no answer to other origins."""

from __future__ import annotations

import time

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from desk.accounts import SignedIn, session_digest
from desk.model import Staff
from widget.chat.api import LONGEST_WAIT_S, stream_response, wants_stream
from widget.desk.session import check_role, session_token, signed_in
from widget.json_body import read_object, whole_number
from widget.services import Services
from widget.shapes import change_json, desk_conversation_json, event_json, note_json, shown_article_json, staff_json

HIGHEST_CURSOR = 2**53
ROLES = ("agent", "administrator")
SEEN_EVERY_S = 10.0


class Presence:
    """That an agent's desk is open: their session lives on, and they keep what they hold."""

    def __init__(self, services: Services, session: SignedIn, token: str) -> None:
        self._services = services
        self._person = session.person
        self._token = token
        self.session = session_digest(token)
        self._kept_at = float("-inf")

    def keep(self) -> None:
        """Note it, at most every `SEEN_EVERY_S`: each note is a write, and this is asked at each event. Raises `NotSignedIn`."""
        self._services.accounts.session(self._token)
        if time.monotonic() - self._kept_at >= SEEN_EVERY_S:
            self._kept_at = time.monotonic()
            self._services.accounts.keep_alive(self._token)
            self._services.agents.seen(self._person)


def desk_api(services: Services) -> Blueprint:
    """``/api/desk``: a few lines a route, which share who asks; long because the routes are many."""
    api = Blueprint("desk_api", __name__, url_prefix="/api/desk")
    agents = services.agents

    def agent() -> Staff:
        return signed_in(services, ROLES).person

    @api.get("/conversations")
    def listed() -> ResponseReturnValue:
        person = agent()
        mine = person if request.args.get("mine") == "1" else None
        found = agents.conversations(request.args.get("owner", "queued"), mine)
        words = agents.last_words([conversation for conversation, _ in found])
        listed = [desk_conversation_json(conversation, newest, words.get(conversation.id)) for conversation, newest in found]
        return jsonify({"conversations": listed})

    @api.get("/conversations/<conversation_id>")
    def one(conversation_id: str) -> ResponseReturnValue:
        agent()
        opened = agents.open(conversation_id)
        return jsonify(
            {
                "conversation": desk_conversation_json(opened.conversation),
                "reason": opened.conversation.reason,
                "shown_articles": [shown_article_json(shown) for shown in opened.shown_articles],
                "transcript": [event_json(event) for event in opened.transcript],
                "notes": [note_json(note) for note in opened.notes],
            }
        )

    @api.post("/conversations/<conversation_id>/accept")
    def accept(conversation_id: str) -> ResponseReturnValue:
        return jsonify({"conversation": desk_conversation_json(agents.accept(agent(), conversation_id))})

    @api.post("/conversations/<conversation_id>/messages")
    def say(conversation_id: str) -> ResponseReturnValue:
        person, body = agent(), read_object()
        accepted = agents.say(person, conversation_id, body.get("client_id"), body.get("text"))
        return jsonify({"seq": accepted.seq}), 200 if accepted.repeated else 202

    @api.post("/conversations/<conversation_id>/notes")
    def note(conversation_id: str) -> ResponseReturnValue:
        person, body = agent(), read_object()
        return jsonify(note_json(agents.note(person, conversation_id, body.get("text")))), 201

    @api.post("/conversations/<conversation_id>/transfer")
    def transfer(conversation_id: str) -> ResponseReturnValue:
        person, body = agent(), read_object()
        return jsonify({"conversation": desk_conversation_json(agents.transfer(person, conversation_id, body.get("note")))})

    @api.post("/conversations/<conversation_id>/return")
    def give_back(conversation_id: str) -> ResponseReturnValue:
        return jsonify({"conversation": desk_conversation_json(agents.give_back(agent(), conversation_id))})

    @api.post("/conversations/<conversation_id>/close")
    def close(conversation_id: str) -> ResponseReturnValue:
        person, body = agent(), read_object()
        closed = agents.close(person, conversation_id, body.get("resolution"), body.get("article"))
        return jsonify({"conversation": desk_conversation_json(closed)})

    @api.post("/conversations/<conversation_id>/typing")
    def typing(conversation_id: str) -> ResponseReturnValue:
        agents.typing(agent(), conversation_id)
        return "", 204

    @api.put("/presence")
    def presence() -> ResponseReturnValue:
        person, body = agent(), read_object()
        agents.set_away(person, body.get("away"))
        return jsonify({"staff": staff_json(person) | {"away": body["away"]}})

    @api.get("/events")
    def events() -> ResponseReturnValue:
        presence = signed_in_for_stream()
        cursor = whole_number("after", _resumed(), 0, HIGHEST_CURSOR)
        after = None if cursor == HIGHEST_CURSOR else cursor
        if not wants_stream():
            wait_s = whole_number("wait", 0, 0, LONGEST_WAIT_S)
            changes, cursor = services.streams.poll_desk(after, wait_s, presence.session, presence.keep)
            return jsonify({"events": [change_json(change) for change in changes], "cursor": str(cursor)})
        return stream_response(services.streams.desk(after, presence.session, presence.keep))

    def signed_in_for_stream() -> Presence:
        """The route runs in a greenlet, so the look into the database goes to a thread of its own."""
        token = session_token() or ""
        session: SignedIn = services.streams.offload(services.accounts.session, token)
        check_role(session, ROLES)
        return Presence(services, session, token)

    return api


def _resumed() -> int:
    """The cursor that a browser's ``EventSource`` sends when it comes back; without one, what happens from now on."""
    cursor = request.headers.get("Last-Event-ID", "")
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 16 else HIGHEST_CURSOR
