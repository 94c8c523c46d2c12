"""What web says while its database cannot be used: 503 to everyone, and why to the operator. It begins to serve by itself when that is over."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterable
from typing import Any

import gevent
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from touchpoints.exceptions import StoreError
from widget.errors import RETRY_AFTER_S
from widget.server import listen

log = logging.getLogger(__name__)

TRIED_EVERY_S = 1.0
_NUMBERS = (signal.SIGTERM, signal.SIGINT)


def until_usable(prepare: Callable[[], None], host: str, port: int) -> bool:
    """Prepare the database, again and again until it works; False when a signal ended the waiting.

    A program that died instead would be started again ever more rarely, and would tell nobody why.
    """
    problem = _problem(prepare)
    if not problem:
        return True
    log.error("waiting for the database: %s", problem)
    waiting = Waiting(problem)
    server = WSGIServer(listen(host, port), waiting, log=None, error_log=log)
    stopping = Event()
    handlers = [gevent.signal_handler(number, stopping.set) for number in _NUMBERS]
    server.start()
    while waiting.problem and not stopping.wait(TRIED_EVERY_S):
        waiting.problem = gevent.get_hub().threadpool.apply(_problem, (prepare,))
    server.stop(timeout=1)
    for handler in handlers:
        handler.cancel()
    return not stopping.is_set()


def _problem(prepare: Callable[[], None]) -> str:
    try:
        prepare()
    except StoreError as failure:
        return str(failure)
    return ""


class Waiting:
    """A WSGI application that has nothing to offer but the reason."""

    def __init__(self, problem: str) -> None:
        self.problem = problem

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: dict[str, Any] = {"error": {"code": "unavailable", "message": "This cannot be done just now; please try again.", "detail": None}}
        if environ["PATH_INFO"] == "/readyz":
            answer = {"ready": False, "parts": {"database": {"ready": False, "message": self.problem}}, "notes": []}
        content = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content))), ("Retry-After", str(RETRY_AFTER_S))]
        start_response("503 Service Unavailable", headers)
        return [content]
