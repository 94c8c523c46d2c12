"""The web process of the play: the ordinary one, but for its clock. ``python -m demo.web CLOCK CAST``

CAST is a JSON list of accounts (``email``, ``name``, ``password``, ``role``) that are made, at the play's time, if they are not there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from demo.clock import PlayClock
from desk.migrate import migrate
from kit.logs import start_logging
from kit.settings import read_settings, with_secrets
from widget.app import create_app
from widget.server import serve
from widget.services import Housekeeping, build_services
from widget.work import Pools


def main() -> int:
    start_logging("demo")
    clock, cast = PlayClock(Path(sys.argv[1])), Path(sys.argv[2])
    settings = with_secrets(read_settings())
    pools = Pools()
    services = build_services(settings, clock=clock, offload=pools.offload)
    migrate(services.database)
    if cast.exists():
        for person in json.loads(cast.read_text(encoding="utf-8")):
            services.accounts.add(**person)
        cast.unlink()
    housekeeping = Housekeeping(services)
    housekeeping.start()
    serve(create_app(settings, services), pools, settings.host, settings.port, services.wakeups.close_all)
    housekeeping.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
