"""``python -m widget`` runs the web process."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable

from desk.migrate import migrate
from kit.errors import SettingError
from kit.logs import start_logging
from kit.settings import read_settings, with_secrets
from touchpoints.clock import SteadyClock
from widget.app import create_app
from widget.gate import front, places
from widget.server import serve
from widget.services import Housekeeping, build_services
from widget.waiting import until_usable
from widget.work import Pools


def main(wall: Callable[[], float] = time.time) -> int:
    """Serve until told to stop. ``wall`` is the machine's clock, which somebody may set at any moment."""
    start_logging("web")
    try:
        settings = with_secrets(read_settings())
    except SettingError as problem:
        print(problem, file=sys.stderr)
        return 1
    pools, clock = Pools(), SteadyClock(wall)
    services = build_services(settings, clock=clock, offload=pools.offload)
    if not until_usable(lambda: migrate(services.database), settings.host, settings.port):
        return 0
    housekeeping = Housekeeping(services)
    housekeeping.start()
    app, gate = create_app(settings, services, clock=clock), front(settings, services.tokens)
    serve(app, pools, settings.host, settings.port, services.wakeups.close_all, front=gate, places=places(settings))
    if housekeeping.stop():
        logging.shutdown()
        os._exit(0)  # Python would wait for a thread that waits for Rasa; its turn is handed back
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
