"""Named moments in the life of a message at which a test can let a process of its own die.

``reach(name)`` does nothing, always, in a kit that is run: only a call of `arm` inside the process sets a point, there is no setting, variable,
file or request that leads to it, and nothing but ``tests/faults`` calls it (a test reads the sources for that).
"""

from __future__ import annotations

import os
import signal
import threading

POINTS = (
    "say.received",  # a message was read, nothing is written
    "say.stored",  # it is in the transaction, which is not committed
    "say.committed",  # it is on disk; nobody has been told, its turn has not begun
    "answer.ready",  # the answer to a write is worked out, and not sent
    "answer.sent",  # its bytes were handed to the system
    "turn.taken",  # a worker has the turn and has asked nobody
    "turn.answered",  # Rasa has answered; nothing is stored
    "turn.stored",  # the reply is in the transaction, which is not committed
    "turn.committed",  # it is on disk; no stream has been woken
    "owner.stored",  # a change of owner is in the transaction
    "owner.committed",  # it is on disk and not acknowledged
    "stream.before",  # a stream has read events and sent none of them
    "stream.after",  # it has sent them
)

_lock = threading.Lock()
_armed: dict[str, int] = {}


def arm(point: str, passes: int = 0) -> None:
    """Let this process kill itself when it reaches ``point`` after having passed it so many times. Raises ValueError for an unknown point."""
    if point not in POINTS:
        raise ValueError(f"there is no point {point!r}")
    _armed[point] = passes


def reach(point: str) -> None:
    """The process is at ``point``. Without `arm` this does nothing."""
    if point not in _armed:
        return
    with _lock:
        _armed[point] -= 1
        if _armed[point] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
