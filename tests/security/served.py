"""The app as it is served: real HTTP on loopback, threads and greenlets as in the web process, a real SQLite file, stand-ins for Rasa and search."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from sqlalchemy import event

from desk.accounts import Accounts
from desk.guessing import Guessing
from desk.migrate import migrate
from kit.settings import Settings
from tests.contract.kit_stand_in import Neighbours
from tests.desk.house import CHEAP
from touchpoints.clock import system_clock
from widget.app import create_app
from widget.gate import front, places
from widget.server import Server, listen
from widget.services import Services, build_services
from widget.work import Pools, Work

PATIENCE_S = 30.0
AMPLE = dict.fromkeys(
    (
        "messages_per_minute",
        "visitor_requests_per_minute",
        "address_requests_per_minute",
        "conversations_per_minute",
        "connections_per_address",
        "wasted_connections_per_minute",
    ),
    10_000_000,
)
"""Everybody here calls from one address, faster than anybody would: limits have tests of their own."""
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]
Dress = Callable[[Any, Services], Wsgi]
"""Makes of the finished app what is served in its place: a test plants a fault so."""


@dataclass
class Served:
    """A running app and the parts it is made of."""

    port: int
    app: Any
    services: Services

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _as_it_is(app: Any, services: Services) -> Wsgi:
    wsgi: Wsgi = app
    return wsgi


@contextmanager
def served(folder: Path, neighbours: Neighbours, *, dress: Dress = _as_it_is, port: int = 0, **settings: Any) -> Iterator[Served]:
    """Serve the app with its data in ``folder``, for as long as the block runs."""
    near = neighbours.server_address[1]
    given: dict[str, Any] = {"inner_secret": "inner", "signing_key": "a signing key of the tests", "rasa_port": near, "search_port": near}
    thread = _ServerThread(Settings(var=folder, **AMPLE | given | settings), dress, port)
    thread.start()
    try:
        yield thread.wait_served()
    finally:
        thread.stop()


def _signed_in_cheaply(services: Services) -> Services:
    """Argon2 as always, but not made to be slow: nobody here is kept from guessing by that."""
    database, hours = services.database, services.settings.session_hours
    guessing = Guessing(database, key=services.settings.signing_key, clock=system_clock)
    return replace(services, accounts=Accounts(database, clock=system_clock, session_hours=hours, hasher=CHEAP, guessing=guessing))


class _ServerThread(threading.Thread):
    """gevent's hub belongs to a thread, so everything that lives on it is made here."""

    def __init__(self, settings: Settings, dress: Dress, port: int) -> None:
        super().__init__(name="served", daemon=True)
        self._settings, self._dress, self._port = settings, dress, port
        self._began = threading.Event()
        self._served: Served | None = None
        self._failure: BaseException | None = None
        self._ended: Any = None
        self._loop: Any = None

    def run(self) -> None:
        try:
            self._serve()
        except BaseException as failure:  # told to the test that waits
            self._failure = failure
        finally:
            self._began.set()

    def _serve(self) -> None:
        pools, self._ended, self._loop = Pools(), Event(), gevent.get_hub().loop
        services = _signed_in_cheaply(build_services(self._settings, offload=pools.offload))
        event.listen(services.database.engine, "connect", lambda connection, record: connection.execute("PRAGMA synchronous=OFF"))
        migrate(services.database)
        app = create_app(self._settings, services)
        listener = listen("127.0.0.1", self._port)
        work = Work(self._dress(app, services), pools)
        server = Server(listener, front(self._settings, services.tokens)(work), places=places(self._settings), error_log=None)
        server.start()
        services.runner.start()
        self._served = Served(listener.getsockname()[1], app, services)
        self._began.set()
        self._ended.wait()
        services.wakeups.close_all()
        server.stop(timeout=2)
        services.runner.stop()
        for pool in vars(pools).values():
            pool.kill()
        services.database.engine.dispose()
        gevent.get_hub().destroy(destroy_loop=True)

    def wait_served(self) -> Served:
        assert self._began.wait(PATIENCE_S)
        if self._failure is not None:
            raise self._failure
        assert self._served is not None
        return self._served

    def stop(self) -> None:
        if self.is_alive():
            self._loop.run_callback_threadsafe(self._ended.set)
            self.join(PATIENCE_S)
        assert not self.is_alive()
