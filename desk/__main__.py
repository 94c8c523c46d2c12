"""``python -m desk init`` brings the database up to date and makes the first staff account; ``add-staff`` makes another.

``set-password``, ``set-role``, ``disable`` and ``enable`` change one, which ends all its sessions at once. A password that is printed here is good
for seven days, and whoever signs in with it chooses their own before all else.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from desk.accounts import Accounts, made_password
from desk.exceptions import DeskError, MessageInvalid, PasswordRefused
from desk.migrate import migrate
from desk.model import STAFF_ROLES
from desk.passwords import words_of_kit
from kit.settings import PREFIX, Settings, read_settings
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
    _add_changes(commands)
    arguments = parser.parse_args()
    settings = read_settings()
    database = open_database(settings.database)
    try:
        done = _do(database, settings, arguments)
    except DeskError as refusal:
        parser.error(str(refusal))
    print(json.dumps(done))
    return 0


def _add_changes(commands: Any) -> None:
    """What is done to an account that is there; each ends all its sessions."""
    password = commands.add_parser("set-password", help="give an account a new random password; prints it, as JSON")
    role = commands.add_parser("set-role", help="give an account another role")
    disable = commands.add_parser("disable", help="let nobody sign in to an account any more")
    enable = commands.add_parser("enable", help="let an account be used again")
    for command in (password, role, disable, enable):
        command.add_argument("email")
    role.add_argument("role", choices=STAFF_ROLES)


def _do(database: Database, settings: Settings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Do what was asked for; what is printed of it."""
    if arguments.command == "init":
        return {"created": _init(database, settings)}
    if arguments.command == "add-staff":
        return {"created": _add(database, settings, arguments)}
    accounts = _accounts(database, settings)
    if arguments.command == "set-password":
        password = made_password()
        accounts.change_password(arguments.email, password)
        return {"changed": {"email": arguments.email, "password": password}}
    if arguments.command == "set-role":
        accounts.change_role(arguments.email, arguments.role)
    elif arguments.command == "disable":
        accounts.disable(arguments.email)
    else:
        accounts.enable(arguments.email)
    return {"changed": {"email": arguments.email}}


def _init(database: Database, settings: Settings) -> dict[str, str] | None:
    migrate(database)
    try:
        made = _accounts(database, settings).add_first(settings.admin_email, settings.admin_password)
    except PasswordRefused as refusal:
        raise MessageInvalid(f"{PREFIX}ADMIN_PASSWORD cannot be used. {refusal}") from refusal
    return {"email": made[0], "password": made[1]} if made else None


def _add(database: Database, settings: Settings, arguments: argparse.Namespace) -> dict[str, str]:
    password = made_password()
    person = _accounts(database, settings).add(arguments.email, arguments.name, password, arguments.role, made=True)
    return {"email": person.email, "password": password}


def _accounts(database: Database, settings: Settings) -> Accounts:
    return Accounts(database, clock=system_clock, session_hours=settings.session_hours, own_words=lambda: words_of_kit(settings.brand))


if __name__ == "__main__":
    raise SystemExit(main())
