"""Wakes the streams of a conversation, and of the desk, when something has been committed. Safe to call from any thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.event import Event as Woken

from desk.model import Notice

DESK = "desk"
MOST_SIGNALS = 16


class Listener:
    """One open stream: woken when there may be something to read, and handed what is sent without being stored.

    ``session`` names the session of staff that it was opened with.
    """

    def __init__(self, session: str | None = None) -> None:
        self.session = session
        self.signals: deque[Notice] = deque(maxlen=MOST_SIGNALS)
        self.queued = False
        self.closing = False
        self._woken = Woken()

    def wake(self) -> None:
        """Let the stream look."""
        self._woken.set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep until woken; False when the time ran out first."""
        woken = bool(self._woken.wait(timeout_s))
        self._woken.clear()
        return woken


class Wakeups:
    """The listeners of this process. Lives on the hub of the thread that made it."""

    def __init__(self) -> None:
        self._loop: Any = gevent.get_hub().loop
        self._listeners: dict[str, set[Listener]] = {}
        self._closing = False

    def notify(self, notice: Notice) -> None:
        """Tell whoever listens, after the commit."""
        self._loop.run_callback_threadsafe(self._deliver, notice)

    def count(self) -> int:
        """How many streams are open; asked from any thread, so of a copy."""
        return sum(len(listeners) for listeners in list(self._listeners.values()))

    @contextmanager
    def listening(self, key: str, session: str | None = None) -> Iterator[Listener]:
        """Listen to a conversation, or to `DESK`."""
        listener = Listener(session)
        listener.closing = self._closing
        self._listeners.setdefault(key, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[key].discard(listener)
            if not self._listeners[key]:
                del self._listeners[key]

    def sessions(self) -> set[str]:
        """The sessions of staff that have something open; asked from any thread, so of a copy."""
        return {listener.session for listener in list(self._listeners.get(DESK, ())) if listener.session is not None}

    def wake_sessions(self, sessions: Collection[str]) -> None:
        """Let what these sessions have open look whether it may go on. Safe to call from any thread."""
        self._loop.run_callback_threadsafe(self._wake_sessions, sessions)

    def _wake_sessions(self, sessions: Collection[str]) -> None:
        for listener in self._listeners.get(DESK, ()):
            if listener.session in sessions:
                listener.wake()

    def close_all(self) -> None:
        """Ask every stream to end: the server is going down, and the clients come back to the next one."""
        self._closing = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.closing = True
                listener.wake()

    def _deliver(self, notice: Notice) -> None:
        for listener in self._listeners.get(notice.conversation_id, ()):
            if notice.kind == "typing":
                listener.signals.append(notice)
            if notice.kind != "customer_typing":
                listener.wake()
        for listener in self._listeners.get(DESK, ()):
            if notice.kind == "customer_typing":
                listener.signals.append(notice)
            if notice.kind != "typing":
                listener.wake()
        if notice.kind == "event":
            self._wake_queue()

    def _wake_queue(self) -> None:
        """Whoever waits may have moved up."""
        for listeners in self._listeners.values():
            for listener in listeners:
                if listener.queued:
                    listener.wake()
