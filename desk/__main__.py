"""``python -m desk init`` brings the database up to date and makes the first staff account; ``add-staff`` makes another."""

from __future__ import annotations

import argparse
import json
import secrets

from desk.accounts import Accounts
from desk.exceptions import DeskError
from desk.migrate import migrate
from desk.model import STAFF_ROLES
from kit.settings import Settings, read_settings
from touchpoints.clock import system_clock
from touchpoints.database import Database, open_database


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m desk", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init", help="prepare the database; prints the first account if it made one, as JSON")
    add = commands.add_parser("add-staff", help="make an account; prints it with its password, as JSON")
    add.add_argument("email")
    add.add_argument("name")
    add.add_argument("--role", choices=STAFF_ROLES, default="agent")
    arguments = parser.parse_args()
    settings = read_settings()
    database = open_database(settings.database)
    try:
        made = _init(database, settings) if arguments.command == "init" else _add(database, settings, arguments)
    except DeskError as refusal:
        parser.error(str(refusal))
    print(json.dumps({"created": made}))
    return 0


def _init(database: Database, settings: Settings) -> dict[str, str] | None:
    migrate(database)
    made = _accounts(database, settings).add_first(settings.admin_email, settings.admin_password)
    return {"email": made[0], "password": made[1]} if made else None


def _add(database: Database, settings: Settings, arguments: argparse.Namespace) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    person = _accounts(database, settings).add(arguments.email, arguments.name, password, arguments.role)
    return {"email": person.email, "password": password}


def _accounts(database: Database, settings: Settings) -> Accounts:
    return Accounts(database, clock=system_clock, session_hours=settings.session_hours)


if __name__ == "__main__":
    raise SystemExit(main())
