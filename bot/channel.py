"""Rasa as a function of (text, state): ``POST /turns``, one throw-away tracker a turn, nothing to remember and nothing to lose."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, response
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from bot.actions_endpoint import ActionsEndpoint
from bot.logs import customers_are_served
from bot.turns import (
    BadTurn,
    Json,
    NotAuthorized,
    NotReady,
    Turn,
    TurnError,
    TurnFailed,
    TurnTimedOut,
    act_meant,
    error_of,
    read_turn,
    response_of,
    slots_of,
)

logger = logging.getLogger(__name__)

OnMessage = Callable[[UserMessage], Awaitable[Any]]


class WholeReplies(CollectingOutputChannel):
    """Keeps each reply whole; the stock channel splits text at blank lines and takes ``custom`` apart."""

    async def send_response(self, recipient_id: str, message: Json) -> None:
        """Collect the reply as Rasa made it."""
        self.messages.append(message)


class TouchdeskInput(InputChannel):
    """The channel of the inner call from web."""

    def __init__(self, secret: str) -> None:
        """An empty secret would open the door to everybody, so it stops the start."""
        if not secret or secret.startswith("${"):
            raise ValueError("bot/credentials.yml: TOUCHDESK_INNER_SECRET is not set")
        self._authorization = f"Bearer {secret}".encode()

    @classmethod
    def name(cls) -> str:
        """Name of the channel in Rasa's events."""
        return "touchdesk"

    @classmethod
    def from_credentials(cls, credentials: Json | None) -> TouchdeskInput:
        """Make the channel from its part of credentials.yml."""
        return cls(str((credentials or {}).get("secret", "")))

    def url_prefix(self) -> str:
        """``/turns`` stands at the root; an empty prefix would put it under Rasa's ``/webhooks/``."""
        return "/"

    def blueprint(self, on_new_message: OnMessage) -> Blueprint:
        """The one route."""
        turns = Blueprint("touchdesk_turns")

        @turns.post("/turns")
        async def take(request: Request) -> HTTPResponse:
            try:
                self._authorize(request)
                return response.json(await take_turn(_turn_of(request), request.app.ctx.agent, on_new_message))
            except TurnError as error:
                return response.json(error_of(error), error.status)

        return turns

    def _authorize(self, request: Request) -> None:
        shown = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(shown, self._authorization):
            raise NotAuthorized


async def take_turn(turn: Turn, agent: Agent, on_new_message: OnMessage) -> Json:
    """Let Rasa take the turn within its budget. Raises `TurnError`."""
    if not agent.is_ready():
        raise NotReady
    customers_are_served()
    replies = WholeReplies()
    # A name of its own for every call: the same turn run again must not find the tracker of its first run.
    tracker = await _tracker_with_slots(agent, uuid4().hex, slots_of(turn))
    message = UserMessage(turn.text, replies, tracker.sender_id, input_channel=TouchdeskInput.name(), message_id=turn.turn_id)
    try:
        await asyncio.wait_for(on_new_message(message), turn.budget_s)
    except asyncio.TimeoutError:
        logger.warning("Turn %s took longer than %.1f s", turn.turn_id, turn.budget_s)
        raise TurnTimedOut from None
    heard = tracker.latest_message
    if heard is None or not heard.intent.get("name"):
        raise TurnFailed
    return act_meant(response_of(heard.intent, replies.messages, tracker.current_slot_values()), heard.entities)


async def _tracker_with_slots(agent: Agent, sender_id: str, slots: Json) -> DialogueStateTracker:
    processor = agent.processor
    if processor is None:
        raise NotReady
    if processor.action_endpoint is not None and not isinstance(processor.action_endpoint, ActionsEndpoint):
        # Rasa makes one from endpoints.yml and offers no way to name another class there.
        processor.action_endpoint = ActionsEndpoint.in_place_of(processor.action_endpoint)
    tracker = await processor.fetch_tracker_and_update_session(sender_id)
    tracker.update_with_events([SlotSet(name, value) for name, value in slots.items()], processor.domain)
    return tracker


def _turn_of(request: Request) -> Turn:
    try:
        body = request.json
    except SanicException as cause:  # Sanic's InvalidUsage: the body is not JSON
        raise BadTurn("body") from cause
    return read_turn(body)
