"""Guessing passwords is slow, and nobody is locked out of their own account by it."""

from __future__ import annotations

import threading
import time

import pytest

from desk.accounts import Accounts
from desk.exceptions import TooManyTries, WrongCredentials
from desk.guessing import MOST_TRIES, WINDOW, Caller
from tests.desk.house import CHEAP, House
from touchpoints.exceptions import StoreBusy

EMAIL, PASSWORD = "ada@desk.example", "correct horse battery"


@pytest.fixture
def ada(house: House) -> House:
    house.accounts.add(EMAIL, "Ada", PASSWORD)
    return house


def guess(house: House, email: str = EMAIL, **caller: str) -> str:
    """What becomes of a wrong password."""
    try:
        house.accounts.sign_in(email, "wrong", Caller(**caller))
    except (WrongCredentials, TooManyTries) as refusal:
        return refusal.code
    return "signed in"


def known(house: House, device: str = "device-1", email: str = EMAIL) -> Caller:
    """A browser in which this account has been used before."""
    return Caller(address="203.0.113.9", device=device, account=house.accounts.account(email))


def test_ten_tries_in_a_quarter_of_an_hour_for_an_address(ada: House) -> None:
    """Whichever accounts it tries; another address is not held up, and time heals."""
    told = [guess(ada, f"nobody-{n}@desk.example", address="203.0.113.1") for n in range(15)]
    assert told == ["wrong_credentials"] * MOST_TRIES + ["too_many"] * 5
    assert guess(ada, "nobody@desk.example", address="203.0.113.2") == "wrong_credentials"
    ada.clock.passes(WINDOW.total_seconds() - 1)
    assert guess(ada, "nobody@desk.example", address="203.0.113.1") == "too_many"
    ada.clock.passes(1)
    assert guess(ada, "nobody@desk.example", address="203.0.113.1") == "wrong_credentials"


@pytest.mark.parametrize("email", [EMAIL, "nobody@desk.example"])
def test_ten_tries_for_an_account_from_wherever(ada: House, email: str) -> None:
    """One that is not there is counted and told the same; so is one written in another way."""
    told = [guess(ada, email if n % 2 else f" {email.upper()}", address=f"203.0.113.{n}") for n in range(15)]
    assert told == ["wrong_credentials"] * MOST_TRIES + ["too_many"] * 5


def test_the_refusal_says_for_how_long(ada: House) -> None:
    """Until the oldest of the ten tries no longer counts; asking meanwhile makes it no longer."""
    for _ in range(MOST_TRIES):
        guess(ada, address="203.0.113.1")
        ada.clock.passes(10)
    for left_s in (800, 700):
        with pytest.raises(TooManyTries) as refusal:
            ada.accounts.sign_in(EMAIL, PASSWORD, Caller(address="203.0.113.1"))
        assert refusal.value.detail == {"retry_after_s": left_s + 1}
        ada.clock.passes(100)


def test_a_thousand_guesses_from_two_hundred_addresses_do_not_lock_the_owner_out(ada: House) -> None:
    """Ten of the guesses are looked at; the owner's own browser gets in at once, an unknown one has to wait."""
    told = [guess(ada, address=f"198.51.100.{n % 200}") for n in range(1000)]
    assert told.count("wrong_credentials") == MOST_TRIES
    before = time.monotonic()
    assert ada.accounts.sign_in(EMAIL, PASSWORD, known(ada))[1].person.name == "Ada"
    assert time.monotonic() - before < 1
    with pytest.raises(TooManyTries):
        ada.accounts.sign_in(EMAIL, PASSWORD, Caller(address="203.0.113.9"))


def test_a_known_browser_may_guess_ten_times_too(ada: House) -> None:
    """For itself alone: another known browser and the address are not touched by it."""
    told = []
    for _ in range(12):
        try:
            ada.accounts.sign_in(EMAIL, "wrong", known(ada, "stolen"))
        except (WrongCredentials, TooManyTries) as refusal:
            told.append(refusal.code)
    assert told == ["wrong_credentials"] * MOST_TRIES + ["too_many"] * 2
    assert ada.accounts.sign_in(EMAIL, PASSWORD, known(ada, "device-2"))
    assert ada.accounts.sign_in(EMAIL, PASSWORD, Caller(address="203.0.113.9"))


def test_a_browser_known_for_one_account_is_a_stranger_to_another(ada: House) -> None:
    """Its guesses at others count for address and account."""
    ada.accounts.add("bob@desk.example", "Bob", PASSWORD)
    for _ in range(MOST_TRIES):
        with pytest.raises(WrongCredentials):
            ada.accounts.sign_in("bob@desk.example", "wrong", known(ada))
    assert guess(ada, "bob@desk.example", address="192.0.2.1") == "too_many"
    assert guess(ada, "carol@desk.example", address="203.0.113.9") == "too_many"


def test_signing_in_costs_no_try(ada: House) -> None:
    """An office of thirty people behind one address begins its day."""
    for n in range(30):
        ada.accounts.add(f"agent-{n}@desk.example", f"Agent {n}", PASSWORD)
        assert ada.accounts.sign_in(f"agent-{n}@desk.example", PASSWORD, Caller(address="203.0.113.1"))
    assert ada.rows("SELECT * FROM sign_in_tries") == []


def test_many_at_once_get_no_more_than_one_after_another(ada: House) -> None:
    """A try is counted before its password is looked at."""
    told: list[str] = []

    def try_until_told() -> None:
        while True:
            try:
                return told.append(guess(ada, address="203.0.113.1"))
            except StoreBusy:
                continue  # on a busy machine the database may be held for long

    guessers = [threading.Thread(target=try_until_told) for _ in range(30)]
    for guesser in guessers:
        guesser.start()
    for guesser in guessers:
        guesser.join(100)
    assert sorted(told) == ["too_many"] * 20 + ["wrong_credentials"] * MOST_TRIES


def test_a_restart_forgets_no_guess(ada: House) -> None:
    """It is all in the database, without anybody's address."""
    for _ in range(MOST_TRIES):
        guess(ada, address="203.0.113.1")
    again = Accounts(ada.database, clock=ada.clock, session_hours=12, hasher=CHEAP)
    with pytest.raises(TooManyTries):
        again.sign_in(EMAIL, "wrong", Caller(address="192.0.2.1"))
    kept = str(ada.rows("SELECT * FROM sign_in_tries"))
    assert EMAIL not in kept
    assert "203.0.113.1" not in kept


def test_what_no_longer_counts_is_not_kept(ada: House) -> None:
    """The next try takes it away."""
    for _ in range(5):
        guess(ada, address="203.0.113.1")
    ada.clock.passes(WINDOW.total_seconds())
    guess(ada, address="203.0.113.1")
    assert len(ada.rows("SELECT * FROM sign_in_tries")) == 2


def test_a_clock_that_was_set_back_locks_nobody_out(ada: House) -> None:
    """Tries of an hour that has not come yet do not count."""
    for _ in range(MOST_TRIES):
        guess(ada, address="203.0.113.1")
    ada.clock.passes(-3600)
    assert guess(ada, address="203.0.113.1") == "wrong_credentials"
