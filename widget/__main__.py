"""``python -m widget`` runs the web process."""

from __future__ import annotations

import logging
import os
import sys

from desk.migrate import migrate
from kit.errors import SettingError
from kit.logs import start_logging
from kit.settings import read_settings, with_secrets
from touchpoints.exceptions import StoreError
from widget.app import create_app
from widget.server import Pools, serve
from widget.services import Housekeeping, build_services


def main() -> int:
    start_logging("web")
    try:
        settings = with_secrets(read_settings())
        pools = Pools()
        services = build_services(settings, offload=pools.offload)
        migrate(services.database)
    except (SettingError, StoreError) as problem:
        print(problem, file=sys.stderr)
        return 1
    housekeeping = Housekeeping(services)
    housekeeping.start()
    serve(create_app(settings, services), pools, settings.host, settings.port, services.wakeups.close_all)
    if housekeeping.stop():
        logging.shutdown()
        os._exit(0)  # Python would wait for a thread that waits for Rasa; its turn is handed back
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
