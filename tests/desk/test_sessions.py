"""A session ends everywhere when its person signs out, gets another password or role, or may not come in any more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.accounts import Accounts, session_digest
from desk.exceptions import MessageInvalid, NotSignedIn, WrongCredentials
from kit.settings import PREFIX, ROOT
from tests.desk.house import House
from touchpoints.clock import system_clock
from touchpoints.database import open_database

EMAIL, PASSWORD = "ada@desk.example", "correct horse battery"

CHANGES: dict[str, Callable[[Accounts], None]] = {
    "password": lambda accounts: accounts.change_password(" Ada@desk.example", "another horse battery"),
    "role": lambda accounts: accounts.change_role(EMAIL, "editor"),
    "disabled": lambda accounts: accounts.disable(EMAIL),
    "disabled and back": lambda accounts: (accounts.disable(EMAIL), accounts.enable(EMAIL))[0],
}


@pytest.fixture
def sessions(house: House) -> list[str]:
    """Two of Ada's, and one of Bob's."""
    house.accounts.add(EMAIL, "Ada", PASSWORD)
    house.accounts.add("bob@desk.example", "Bob", PASSWORD)
    return [house.accounts.sign_in(email, PASSWORD)[0] for email in (EMAIL, EMAIL, "bob@desk.example")]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_session_of_a_changed_account_is_dead(house: House, sessions: list[str], change: Callable[[Accounts], None]) -> None:
    """Every copy of every cookie of it; and nobody else's."""
    change(house.accounts)
    for token in sessions[:2]:
        with pytest.raises(NotSignedIn):
            house.accounts.session(token)
    assert house.accounts.session(sessions[2]).person.name == "Bob"
    digests = [session_digest(token) for token in sessions]
    assert house.accounts.ended(digests) == set(digests[:2])


def test_only_the_new_password_signs_in(house: House, sessions: list[str]) -> None:
    """And a disabled account not even with that, until it is enabled again."""
    house.accounts.change_password(EMAIL, "another horse battery")
    with pytest.raises(WrongCredentials):
        house.accounts.sign_in(EMAIL, PASSWORD)
    assert house.accounts.sign_in(EMAIL, "another horse battery")
    house.accounts.disable(EMAIL)
    with pytest.raises(WrongCredentials):
        house.accounts.sign_in(EMAIL, "another horse battery")
    house.accounts.enable(EMAIL)
    house.accounts.change_role(EMAIL, "administrator")
    assert house.accounts.sign_in(EMAIL, "another horse battery")[1].person.role == "administrator"


def test_ended_is_also_what_ended_by_itself_or_never_was(house: House, sessions: list[str]) -> None:
    """After twelve hours of nothing, signed out, made up."""
    digests = [session_digest(token) for token in sessions]
    house.accounts.sign_out(sessions[0])
    assert house.accounts.ended([*digests, "made up"]) == {digests[0], "made up"}
    house.clock.passes(12 * 3600)
    assert house.accounts.ended(digests) == set(digests)


def test_what_has_ended_is_not_kept_for_ever(house: House, sessions: list[str]) -> None:
    """The next signing in takes it away."""
    house.clock.passes(12 * 3600 + 1)
    house.accounts.sign_in(EMAIL, PASSWORD)
    assert len(house.rows("SELECT * FROM sessions")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda accounts: accounts.change_password(EMAIL, "short"),
        lambda accounts: accounts.change_role(EMAIL, "king"),
        lambda accounts: accounts.disable("nobody@desk.example"),
        lambda accounts: accounts.change_password("nobody@desk.example", PASSWORD),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(house: House, sessions: list[str], wrong: Callable[[Accounts], None]) -> None:
    """It is refused in words, and everybody stays signed in."""
    with pytest.raises(MessageInvalid):
        wrong(house.accounts)
    assert house.accounts.ended([session_digest(token) for token in sessions]) == set()


@pytest.mark.timeout(400)
def test_an_operator_changes_accounts_at_the_command_line(tmp_path: Path) -> None:
    """A new random password is printed and is the only one that signs in; disabled and back; unknown accounts are refused in words."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment = {**inherited, PREFIX + "VAR": str(tmp_path), PREFIX + "ADMIN_EMAIL": EMAIL, PREFIX + "ADMIN_PASSWORD": PASSWORD}

    def desk(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "desk", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)

    assert desk("init").returncode == 0
    changed = json.loads(desk("set-password", EMAIL).stdout)["changed"]
    assert changed["email"] == EMAIL
    for command in (("disable", EMAIL), ("enable", EMAIL), ("set-role", EMAIL, "agent")):
        assert desk(*command).returncode == 0, command
    refusal = desk("disable", "nobody@desk.example")
    assert (refusal.returncode, "There is no account nobody@desk.example." in refusal.stderr) == (2, True)
    database = open_database(f"sqlite:///{tmp_path / 'touchdesk.sqlite'}")
    accounts = Accounts(database, clock=system_clock, session_hours=12)
    with pytest.raises(WrongCredentials):
        accounts.sign_in(EMAIL, PASSWORD)
    assert accounts.sign_in(EMAIL, changed["password"])[1].person.role == "agent"
    database.engine.dispose()
