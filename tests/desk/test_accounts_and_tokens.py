"""Who may come in: staff by password and session, visitors by signed token."""

from __future__ import annotations

import base64
import time

import pytest
from itsdangerous import URLSafeTimedSerializer

from desk.accounts import Accounts, check_csrf, session_digest
from desk.exceptions import MessageInvalid, NotAllowed, NotSignedIn, TokenExpired, TokenInvalid, WrongCredentials
from desk.tokens import Tokens
from tests.desk.house import FixedClock, House

KEY = "a signing key of the tests"


def test_passwords_are_kept_as_argon2_and_tokens_as_digests(house: House) -> None:
    """Nothing in the database signs anybody in."""
    house.accounts.add("Ada@Desk.example ", "Ada", "correct horse battery")
    token, session = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    (stored,) = house.rows("SELECT email, password_hash FROM staff")
    assert stored["email"] == "ada@desk.example"
    assert stored["password_hash"].startswith("$argon2id$")
    assert token not in str(house.rows("SELECT * FROM sessions"))
    assert house.accounts.session(token) == session


def test_signing_out_kills_every_copy_of_the_cookie(house: House) -> None:
    """The server forgets that session, and no other."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    here, _ = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    there, _ = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    house.accounts.sign_out(here)
    with pytest.raises(NotSignedIn):
        house.accounts.session(here)
    assert house.accounts.session(there).person.name == "Ada"


def test_a_session_ends_after_twelve_hours_of_nothing(house: House) -> None:
    """Use makes its time begin anew."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    token, _ = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    house.clock.passes(11 * 3600)
    house.accounts.keep_alive(token)
    house.clock.passes(11 * 3600)
    assert house.accounts.session(token)
    house.clock.passes(3600)
    with pytest.raises(NotSignedIn):
        house.accounts.session(token)


def test_a_session_ends_after_a_week_however_much_it_is_used(house: House) -> None:
    """A session that was carried off while in use is not good for ever."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    token, _ = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    for _ in range(7 * 4 - 1):
        house.clock.passes(6 * 3600)
        house.accounts.keep_alive(token)
        assert house.accounts.session(token)
    house.clock.passes(11 * 3600)
    house.accounts.keep_alive(token)
    house.clock.passes(8 * 3600)
    with pytest.raises(NotSignedIn):
        house.accounts.session(token)
    assert house.accounts.ended({session_digest(token)}) == {session_digest(token)}


def test_a_disabled_account_is_out_at_once(house: House) -> None:
    """Its sessions are worth nothing, and its password neither."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    token, _ = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    house.execute("UPDATE staff SET disabled_at = '2026-11-21 19:00:00'")
    with pytest.raises(NotSignedIn):
        house.accounts.session(token)
    with pytest.raises(WrongCredentials):
        house.accounts.sign_in("ada@desk.example", "correct horse battery")


WRONG: list[tuple[object, object]] = [
    ("ada@desk.example", "wrong"),
    ("ada@desk.example", ""),
    ("nobody@desk.example", "correct horse battery"),
    ("", ""),
    (None, None),
    (["ada@desk.example"], "correct horse battery"),
    ("ada@desk.example", 5),
    ("ada@desk.example", "x" * 100_000),
    ("ada@desk.example\ud800", "correct horse battery"),
]


def test_whatever_is_wrong_is_told_in_the_same_words(house: House) -> None:
    """Neither the address nor the password is given away."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    told = set()
    for email, password in WRONG:
        with pytest.raises(WrongCredentials) as refusal:
            house.accounts.sign_in(email, password)
        told.add((str(refusal.value), str(refusal.value.detail)))
    assert len(told) == 1


def test_an_unknown_address_takes_as_long_as_a_wrong_password(house: House) -> None:
    """The password is hashed either way; told apart by processor time, which a busy machine does not change much."""
    accounts = Accounts(house.database, clock=house.clock, session_hours=12)
    accounts.add("ada@desk.example", "Ada", "correct horse battery")

    def cost_s(email: str) -> float:
        costs = []
        for _ in range(3):
            before = time.process_time()
            with pytest.raises(WrongCredentials):
                accounts.sign_in(email, "wrong")
            costs.append(time.process_time() - before)
        return min(costs)

    known, unknown = cost_s("ada@desk.example"), cost_s("nobody@desk.example")
    assert unknown > known / 3


def test_the_first_account_is_made_once(house: House) -> None:
    """With the password given, or a random one; not when there is an account already."""
    email, password = house.accounts.add_first("", "") or ("", "")
    assert email == "admin@localhost"
    assert house.accounts.sign_in(email, password)[1].person.role == "administrator"
    assert house.accounts.add_first("boss@desk.example", "another password") is None


@pytest.mark.parametrize(
    ("email", "password", "role"),
    [("a@b.example", "short", "agent"), ("nobody", "long enough", "agent"), ("a@b.example", "long enough", "king")],
)
def test_an_account_needs_an_address_a_role_and_a_password(house: House, email: str, password: str, role: str) -> None:
    """Eight characters at least."""
    with pytest.raises(MessageInvalid):
        house.accounts.add(email, "A", password, role)


def test_a_write_without_its_csrf_token_is_refused(house: House) -> None:
    """The token is the session's own."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    _, session = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    _, other = house.accounts.sign_in("ada@desk.example", "correct horse battery")
    check_csrf(session, session.csrf_token)
    for wrong in (None, "", "wrong", "é", other.csrf_token):
        with pytest.raises(NotAllowed):
            check_csrf(session, wrong)


def test_a_token_names_its_visitor_until_it_expires() -> None:
    """Thirty days, by the clock of this machine."""
    clock = FixedClock()
    tokens = Tokens(KEY, days=30, clock=clock)
    token = tokens.issue("visitor-1")
    assert tokens.visitor(token) == "visitor-1"
    clock.passes(30 * 86400 - 5)
    assert tokens.visitor(token) == "visitor-1"
    clock.passes(10)
    with pytest.raises(TokenExpired):
        tokens.visitor(token)


def test_a_clock_that_was_set_back_makes_no_token_old() -> None:
    """Customers keep their conversations when the machine's time is put right by an hour."""
    clock = FixedClock()
    tokens = Tokens(KEY, days=30, clock=clock)
    token = tokens.issue("visitor-1")
    clock.passes(-3600)
    assert tokens.visitor(token) == "visitor-1"


def forgeries() -> list[str]:
    good = Tokens(KEY, days=30).issue("visitor-1")
    payload, stamp, signature = good.split(".")
    other = base64.urlsafe_b64encode(b'"visitor-2"').decode().rstrip("=")
    return [
        "",
        ".",
        "..",
        "visitor-1",
        good[:-1],
        good + "x",
        f"{other}.{stamp}.{signature}",
        f"{payload}.{stamp[::-1]}.{signature}",
        f"{payload}.{stamp}.",
        f"{payload}.{signature}",
        "é.ü.ö",
        "\0",
        "A" * 10_000,
        Tokens("another key of another site", days=30).issue("visitor-1"),
        Tokens(KEY, days=30).reference("visitor-1"),
        URLSafeTimedSerializer(KEY, salt="touchdesk.visitor").dumps(["visitor-1"]),
        URLSafeTimedSerializer(KEY, salt="something else").dumps("visitor-1"),
        "eyJhbGciOiJub25lIn0.InZpc2l0b3ItMSI.",
    ]


@pytest.mark.parametrize("forged", forgeries())
def test_no_forgery_passes(forged: str) -> None:
    """Cut, changed, of another key, of the other kind, of another form: all the same refusal."""
    with pytest.raises(TokenInvalid) as refusal:
        Tokens(KEY, days=30).visitor(forged)
    assert not isinstance(refusal.value, TokenExpired)
    assert str(refusal.value) == "A valid token is needed."


def test_a_reference_names_a_conversation_and_opens_nothing() -> None:
    """A worthless one is no error: the article is shown all the same."""
    clock = FixedClock()
    tokens = Tokens(KEY, days=30, clock=clock)
    reference = tokens.reference("conversation-1")
    assert tokens.referred(reference) == "conversation-1"
    assert tokens.referred(tokens.issue("visitor-1")) is None
    assert tokens.referred("forged") is None
    clock.passes(31 * 86400)
    assert tokens.referred(reference) is None


def test_an_address_has_one_account(house: House) -> None:
    """A second one is refused in words, however the address is written."""
    house.accounts.add("ada@desk.example", "Ada", "correct horse battery")
    with pytest.raises(MessageInvalid, match="has an account already"):
        house.accounts.add(" ADA@desk.example", "Another Ada", "correct horse battery")
