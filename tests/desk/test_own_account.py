"""What somebody does with their own account: choosing a password, the first one that was made for them, and the sessions they have."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from desk.accounts import MADE_PASSWORD, Accounts, session_digest
from desk.exceptions import MessageInvalid, NotFound, NotSignedIn, PasswordExpired, PasswordRefused, TooManyTries, WrongCredentials
from desk.guessing import MOST_TRIES, Caller
from kit.settings import PREFIX, ROOT
from tests.desk.house import CHEAP, House

EMAIL, OLD, CHOSEN = "ada@desk.example", "correct horse battery", "nine red kites over the weir"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0"


@pytest.fixture
def ada(house: House) -> str:
    """Ada's session token."""
    house.accounts.add(EMAIL, "Ada", OLD)
    return house.accounts.sign_in(EMAIL, OLD)[0]


def test_a_chosen_password_is_the_only_one_that_signs_in(house: House, ada: str) -> None:
    """The old one is worth nothing from that moment."""
    house.accounts.choose_password(ada, OLD, CHOSEN)
    with pytest.raises(WrongCredentials):
        house.accounts.sign_in(EMAIL, OLD)
    assert house.accounts.sign_in(EMAIL, CHOSEN)[1].person.name == "Ada"


def test_all_sessions_end_and_this_one_goes_on_under_another_token(house: House, ada: str) -> None:
    """Both tokens of it are new; a copy of the old cookie is dead, and nobody else's session is touched."""
    other = house.accounts.sign_in(EMAIL, OLD)[0]
    house.accounts.add("bob@desk.example", "Bob", OLD)
    bob = house.accounts.sign_in("bob@desk.example", OLD)[0]
    before = house.accounts.session(ada)
    changed = house.accounts.choose_password(ada, OLD, CHOSEN, Caller(user_agent=FIREFOX))
    assert changed.ended == {session_digest(ada), session_digest(other)}
    for ended in (ada, other):
        with pytest.raises(NotSignedIn):
            house.accounts.session(ended)
    assert changed.token not in (ada, other)
    assert house.accounts.session(changed.token) == changed.session
    assert changed.session.csrf_token != before.csrf_token
    assert house.accounts.session(bob)
    assert house.own_sessions.of(changed.token)[0].browser.name == "Firefox"


def test_a_wrong_current_password_is_a_try_like_any_other(house: House, ada: str) -> None:
    """After ten of them the right one has to wait too, here and at the sign-in; nothing was changed."""
    told: list[str] = []
    for _ in range(MOST_TRIES + 2):
        with pytest.raises((WrongCredentials, TooManyTries)) as refusal:
            house.accounts.choose_password(ada, "a guess", CHOSEN, Caller(address="203.0.113.1"))
        told.append(refusal.value.code)
    assert told == ["wrong_credentials"] * MOST_TRIES + ["too_many"] * 2
    with pytest.raises(TooManyTries):
        house.accounts.choose_password(ada, OLD, CHOSEN, Caller(address="203.0.113.1"))
    with pytest.raises(TooManyTries):
        house.accounts.sign_in(EMAIL, OLD, Caller(address="192.0.2.1"))
    house.clock.passes(900)
    assert house.accounts.session(ada)
    assert house.accounts.sign_in(EMAIL, OLD)


def test_changing_a_password_costs_no_try(house: House, ada: str) -> None:
    """Nor does a new one that is refused, whatever stood beside it."""
    for refused in ("short", "password1", "touch ada", OLD):
        with pytest.raises(PasswordRefused):
            house.accounts.choose_password(ada, OLD, refused)
    house.accounts.choose_password(ada, OLD, CHOSEN)
    assert house.rows("SELECT * FROM sign_in_tries") == []


@pytest.mark.parametrize(
    ("current", "new", "refusal"),
    [
        (OLD, "seven c", PasswordRefused),
        (OLD, "12345678", PasswordRefused),
        (OLD, "Ada ada 1", PasswordRefused),
        (OLD, OLD, PasswordRefused),
        (OLD, None, MessageInvalid),
        (OLD, ["a", "list"], MessageInvalid),
        (OLD, CHOSEN + "\ud800", MessageInvalid),
        (None, CHOSEN, WrongCredentials),
        (OLD.upper(), CHOSEN, WrongCredentials),
        ("x" * 100_000, CHOSEN, WrongCredentials),
    ],
)
def test_what_is_refused_changes_nothing(house: House, ada: str, current: Any, new: Any, refusal: type[Exception]) -> None:
    """The password stays, and so does every session."""
    with pytest.raises(refusal):
        house.accounts.choose_password(ada, current, new)
    assert house.accounts.session(ada)
    assert house.accounts.sign_in(EMAIL, OLD)


def test_without_a_living_session_nothing_can_be_chosen(house: House, ada: str) -> None:
    """Not even with the right password."""
    house.accounts.sign_out(ada)
    for token in (ada, "made up", "", None):
        with pytest.raises(NotSignedIn):
            house.accounts.choose_password(token, OLD, CHOSEN)


class Interrupted(PasswordHasher):
    """While it looks at a password something else happens, once."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._meanwhile: list[Callable[[], None]] = [meanwhile]

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        done = super().verify(hash, password)
        if self._meanwhile:
            self._meanwhile.pop()()
        return done


@pytest.mark.parametrize("what", ["password", "sign-out", "disabled"])
def test_whoever_ends_the_session_meanwhile_wins(house: House, ada: str, what: str) -> None:
    """An administrator makes another password at the same moment: theirs stays, and nobody slips in under it."""
    meanwhile: dict[str, Callable[[], None]] = {
        "password": lambda: house.accounts.change_password(EMAIL, "made by another"),
        "sign-out": lambda: house.accounts.sign_out(ada),
        "disabled": lambda: house.accounts.disable(EMAIL),
    }
    accounts = Accounts(house.database, clock=house.clock, session_hours=12, hasher=Interrupted(meanwhile[what]))
    with pytest.raises(NotSignedIn):
        accounts.choose_password(ada, OLD, CHOSEN)
    assert house.rows("SELECT * FROM sessions") == []
    house.accounts.enable(EMAIL)
    assert house.accounts.sign_in(EMAIL, "made by another" if what == "password" else OLD)


def test_a_made_password_has_to_be_exchanged(house: House, ada: str) -> None:
    """It signs in to nothing but the choice of another, until another was chosen; then never again."""
    house.accounts.change_password(EMAIL, "made by an owner")
    token, session = house.accounts.sign_in(EMAIL, "made by an owner")
    assert session.must_choose
    assert house.accounts.session(token).must_choose
    changed = house.accounts.choose_password(token, "made by an owner", CHOSEN)
    assert not changed.session.must_choose
    assert not house.accounts.session(changed.token).must_choose
    assert not house.accounts.sign_in(EMAIL, CHOSEN)[1].must_choose


def test_a_made_password_is_good_for_seven_days(house: House) -> None:
    """Then whoever shows it is told to ask for a new one; a wrong one is still just wrong."""
    house.accounts.add(EMAIL, "Ada", OLD, made=True)
    house.clock.passes(MADE_PASSWORD.total_seconds())
    assert house.accounts.sign_in(EMAIL, OLD)[1].must_choose
    house.clock.passes(1)
    with pytest.raises(PasswordExpired):
        house.accounts.sign_in(EMAIL, OLD)
    with pytest.raises(WrongCredentials):
        house.accounts.sign_in(EMAIL, "a guess")
    house.accounts.change_password(EMAIL, "made once more")
    assert house.accounts.sign_in(EMAIL, "made once more")[1].must_choose


def test_a_chosen_password_does_not_age(house: House, ada: str) -> None:
    """Nobody has to change what they chose."""
    house.clock.passes(3 * 365 * 86400)
    assert not house.accounts.sign_in(EMAIL, OLD)[1].must_choose


def test_the_first_account_exchanges_a_password_that_was_made_and_keeps_one_that_was_given(house: House, tmp_path: Path) -> None:
    """Whoever set it up chose that one."""
    _, made = house.accounts.add_first("", "") or ("", "")
    assert house.accounts.sign_in("admin@localhost", made)[1].must_choose
    house.execute("DELETE FROM sessions")
    house.execute("DELETE FROM staff")
    house.accounts.add_first(EMAIL, OLD)
    assert not house.accounts.sign_in(EMAIL, OLD)[1].must_choose


def test_no_account_begins_with_a_password_that_everybody_knows(house: House) -> None:
    """Neither the first nor any other, nor by an administrator's hand."""
    accounts = Accounts(house.database, clock=house.clock, session_hours=12, hasher=CHEAP, own_words=lambda: ["Hearthlink"])
    for refused in (
        lambda: accounts.add_first(EMAIL, "trustno1"),
        lambda: accounts.add_first(EMAIL, "Hearthlink1"),
        lambda: accounts.add(EMAIL, "Lovelace", "lovelace1815"),
        lambda: accounts.change_password(EMAIL, "iloveyou"),
    ):
        with pytest.raises(PasswordRefused):
            refused()
    assert house.rows("SELECT * FROM staff") == []


@pytest.mark.timeout(200)
def test_the_start_refuses_a_first_password_that_everybody_knows(tmp_path: Path) -> None:
    """In a sentence that names the setting; no account is made."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment = {**inherited, PREFIX + "VAR": str(tmp_path), PREFIX + "ADMIN_EMAIL": EMAIL, PREFIX + "ADMIN_PASSWORD": "Hearthlink!"}
    command = [sys.executable, "-m", "desk", "init"]
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert told.returncode == 2
    assert "TOUCHDESK_ADMIN_PASSWORD cannot be used. Without the names" in told.stderr


def test_somebody_sees_where_they_are_signed_in(house: House, ada: str) -> None:
    """The session that asks first, then the last used; what is over, and what is another's, is not there."""
    house.accounts.add("bob@desk.example", "Bob", OLD)
    house.accounts.sign_in("bob@desk.example", OLD)
    house.clock.passes(60)
    phone = house.accounts.sign_in(EMAIL, OLD, Caller(user_agent=FIREFOX))[0]
    house.clock.passes(60)
    house.accounts.sign_in(EMAIL, OLD)
    begun = house.clock()
    house.clock.passes(11 * 3600)
    house.accounts.keep_alive(phone)
    house.accounts.keep_alive(ada)
    house.clock.passes(60)
    here, *others = house.own_sessions.of(ada)
    assert here.is_this
    assert [(one.is_this, one.browser.name, one.browser.system) for one in others] == [(False, "Firefox", "Windows"), (False, None, None)]
    assert (others[1].begun_at, others[1].used_at) == (begun, begun)
    house.clock.passes(3600)
    assert len(house.own_sessions.of(ada)) == 2


def test_what_a_session_is_called_opens_nothing(house: House, ada: str) -> None:
    """It is neither its token nor what is kept of it."""
    (own,) = house.own_sessions.of(ada)
    assert own.id not in ada
    assert own.id not in str(house.rows("SELECT * FROM sessions"))
    with pytest.raises(NotSignedIn):
        house.accounts.session(own.id)
    assert house.own_sessions.of(ada)[0].id == own.id


def test_one_session_is_ended(house: House, ada: str) -> None:
    """Another's cannot be, and looks like one that is not there."""
    house.accounts.add("bob@desk.example", "Bob", OLD)
    bob = house.accounts.sign_in("bob@desk.example", OLD)[0]
    lost = house.accounts.sign_in(EMAIL, OLD)[0]
    (found,) = [session for session in house.own_sessions.of(ada) if not session.is_this]
    told = set()
    for foreign in (house.own_sessions.of(bob)[0].id, "nobodys", ""):
        with pytest.raises(NotFound) as refusal:
            house.own_sessions.end(ada, foreign)
        told.add(str(refusal.value))
    assert len(told) == 1
    assert house.own_sessions.end(ada, found.id) == session_digest(lost)
    with pytest.raises(NotSignedIn):
        house.accounts.session(lost)
    assert house.accounts.session(ada)
    assert house.accounts.session(bob)


def test_all_others_are_ended(house: House, ada: str) -> None:
    """This one stays, and so do those of other people."""
    house.accounts.add("bob@desk.example", "Bob", OLD)
    bob = house.accounts.sign_in("bob@desk.example", OLD)[0]
    others = [house.accounts.sign_in(EMAIL, OLD)[0] for _ in range(3)]
    assert house.own_sessions.end_others(ada) == {session_digest(token) for token in others}
    assert house.own_sessions.end_others(ada) == set()
    assert house.accounts.session(ada)
    assert house.accounts.session(bob)


def test_whose_session_has_ended_sees_and_ends_nothing(house: House, ada: str) -> None:
    """A copied cookie of a session that is over is worth nothing here either."""
    stays = house.accounts.sign_in(EMAIL, OLD)[0]
    house.accounts.sign_out(ada)
    for ask in (house.own_sessions.of, house.own_sessions.end_others, lambda token: house.own_sessions.end(token, "x")):
        with pytest.raises(NotSignedIn):
            ask(ada)
    assert house.accounts.session(stays)
