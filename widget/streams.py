"""Event streams and long polls: each is a greenlet that sleeps until woken and reads the database in a thread of the pool."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from desk.agents import Agents
from desk.customers import Customers
from desk.exceptions import DeskError
from desk.model import Event, QueuePlace
from kit.failpoints import reach
from touchpoints.exceptions import StoreError
from widget.shapes import change_json, event_json, queue_json
from widget.wakeups import DESK, Listener, Wakeups

Result = TypeVar("Result")
Offload = Callable[..., Any]
"""Runs a function with its arguments in a thread and gives back what it returns."""

BEAT_S = 15.0


def frame(kind: str, data: Any, number: int | None = None) -> str:
    """One event in the form of ``text/event-stream``."""
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


class Streams:
    """What customers and the desk watch."""

    def __init__(self, wakeups: Wakeups, offload: Offload, customers: Customers, agents: Agents) -> None:
        self._wakeups = wakeups
        self.offload = offload
        self._customers = customers
        self._agents = agents

    def conversation(self, token: str, conversation_id: str, after: int) -> Iterator[str]:
        """A conversation's events after a number, for as long as the client reads. Raises `DeskError` before the first piece."""
        self.offload(self._customers.watch, token, conversation_id, after)
        return self._conversation(token, conversation_id, after)

    def _conversation(self, token: str, conversation_id: str, last: int) -> Iterator[str]:
        shown: QueuePlace | None = None
        with self._wakeups.listening(conversation_id) as listener:
            yield ": open\n\n"
            while True:
                try:
                    events, place = self.offload(self._customers.watch, token, conversation_id, last)
                except (DeskError, StoreError):
                    return  # the client asks again and is told why
                listener.queued = place is not None
                last = events[-1].seq if events else last
                pieces = [frame("event", event_json(event), event.seq) for event in events]
                pieces += [frame("typing", dict(signal.data)) for signal in _taken(listener)]
                if place is not None and place != shown:
                    pieces.append(frame("queue", queue_json(place)))
                shown = place
                if pieces:
                    reach("stream.before")
                    yield "".join(pieces)
                    reach("stream.after")
                if not events and not listener.wait(BEAT_S):
                    yield ": beat\n\n"
                if listener.closing:
                    yield frame("reconnect", {})
                    return

    def poll(self, token: str, conversation_id: str, after: int, wait_s: float) -> tuple[list[Event], int]:
        """The events after a number, as soon as there are some, at the latest after ``wait_s``."""
        deadline = time.monotonic() + wait_s
        with self._wakeups.listening(conversation_id) as listener:
            while True:
                events, last = self.offload(self._customers.events, token, conversation_id, after)
                remaining_s = deadline - time.monotonic()
                if events or remaining_s <= 0 or listener.closing:
                    return events, last
                listener.wait(remaining_s)

    def desk(self, after: int | None, session: str, alive: Callable[[], Any]) -> Iterator[str]:
        """What changes at the desk after a cursor, for as long as the session lasts.

        ``alive`` notes that the agent is there, and raises when their session has ended; ``session`` is what it is woken by then.
        """
        _, cursor = self.offload(self._agents.changes_after, after)
        return self._desk(cursor if after is None else after, session, alive)

    def _desk(self, cursor: int, session: str, alive: Callable[[], Any]) -> Iterator[str]:
        with self._wakeups.listening(DESK, session) as listener:
            yield ": open\n\n"
            while True:
                try:
                    self.offload(alive)
                    changes, cursor = self.offload(self._agents.changes_after, cursor)
                except (DeskError, StoreError):
                    return
                pieces = [frame("change", change_json(change), change["number"]) for change in changes]
                pieces += [frame("typing", {"conversation_id": signal.conversation_id}) for signal in _taken(listener)]
                if pieces:
                    yield "".join(pieces)
                if not changes and not listener.wait(BEAT_S):
                    yield ": beat\n\n"
                if listener.closing:
                    yield frame("reconnect", {})
                    return

    def poll_desk(self, after: int | None, wait_s: float, session: str, alive: Callable[[], Any]) -> tuple[list[dict[str, Any]], int]:
        """What changed at the desk after a cursor, as soon as something has, at the latest after ``wait_s``; the rest as for `desk`."""
        deadline = time.monotonic() + wait_s
        with self._wakeups.listening(DESK, session) as listener:
            while True:
                self.offload(alive)
                changes, cursor = self.offload(self._agents.changes_after, after)
                after, remaining_s = cursor, deadline - time.monotonic()
                if changes or remaining_s <= 0 or listener.closing:
                    return changes, cursor
                listener.wait(remaining_s)


def _taken(listener: Listener) -> list[Any]:
    taken = list(listener.signals)
    listener.signals.clear()
    return taken
