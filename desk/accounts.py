"""Who may sign in at the desk: accounts with argon2 hashes, and sessions that the server can end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from desk.browsers import Browser, recognise
from desk.exceptions import MessageInvalid, NotAllowed, NotSignedIn, PasswordExpired, PasswordRefused, WrongCredentials
from desk.guessing import Caller, Guessing
from desk.model import STAFF_ROLES, Staff
from desk.passwords import LONGEST, check_password, words_of_person
from desk.store import sessions as session_rows
from desk.store import staff as rows
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.model import new_id

MADE_PASSWORD = timedelta(days=7)
"""So long somebody has to sign in with a password that was made for them, and to choose their own."""


@dataclass(frozen=True)
class SignedIn:
    """A living session: who, the token that every write must carry, and whether they have to choose a password before all else."""

    person: Staff
    csrf_token: str
    must_choose: bool = False


@dataclass(frozen=True)
class Changed:
    """A password was changed: the token of the session that goes on, who it is, and the digests of all that have ended."""

    token: str
    session: SignedIn
    ended: set[str]


class Accounts:
    """Accounts and sessions of staff. ``own_words`` are those of the kit and the company, which no password may rest on."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        session_hours: float,
        hasher: PasswordHasher | None = None,
        guessing: Guessing | None = None,
        own_words: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._database = database
        self._guessing = guessing or Guessing(database, key="", clock=clock)
        self._clock = clock
        self._session = timedelta(hours=session_hours)
        self._hasher = hasher or PasswordHasher()
        self._own_words = own_words
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def add(self, email: str, name: str, password: str, role: str = "agent", *, made: bool = False) -> Staff:
        """Make an account; with a password that was ``made`` for its holder they have to choose their own.

        Raises `MessageInvalid` for an unknown role, an address without @, or one that has an account, and `PasswordRefused`.
        """
        if role not in STAFF_ROLES or "@" not in email:
            raise MessageInvalid("An account needs an e-mail address and a known role.")
        person = Staff(id=new_id(), email=_plain(email), name=name, role=role)
        hashed = self._hashed(password, person.email, name)
        with self._database.writing() as connection:
            if rows.address_taken(connection, person.email):
                raise MessageInvalid(f"{person.email} has an account already.", field="email")
            rows.add_staff(connection, person, hashed, self._clock(), made=made)
        return person

    def add_first(self, email: str, password: str) -> tuple[str, str] | None:
        """Make the first administrator, with a random password if none is given; address and password, or None when there is an account."""
        with self._database.reading() as connection:
            if rows.staff_count(connection):
                return None
        email, given = email or "admin@localhost", password
        password = given or made_password()
        self.add(email, email.partition("@")[0].capitalize(), password, "administrator", made=not given)
        return email, password

    def change_password(self, email: str, password: str) -> None:
        """Give an account another password, which its holder has to change; all its sessions end. Raises `MessageInvalid` or `PasswordRefused`."""
        self._change(email, password_hash=self._hashed(password, _plain(email)), password_made_at=self._clock())

    def choose_password(self, token: str | None, current: Any, new: Any, caller: Caller | None = None) -> Changed:
        """Change the own password. All the person's sessions end; this one goes on under another token.

        Raises `NotSignedIn`, `PasswordRefused`, and for a wrong current password what `sign_in` does: each is a try.
        """
        person, caller = self.session(token).person, caller or Caller()
        if not isinstance(new, str) or not _encodable(new):
            raise MessageInvalid("new must be a text.", field="new")
        if new == current:
            raise PasswordRefused("same")
        hashed = self._hashed(new, person.email, person.name)
        found, try_id = self._tried(person.email, current, caller)
        with self._database.writing() as connection:
            if not rows.replace_password(connection, person.id, found.password_hash, hashed) or not self._find(connection, token):
                raise NotSignedIn()  # an administrator was quicker
            self._guessing.succeeded(connection, try_id)
            ended = session_rows.delete_sessions(connection, person.id)
            token, session = self._begin(connection, person, recognise(caller.user_agent))
        return Changed(token, session, ended)

    def confirm(self, token: str | None, password: Any, caller: Caller | None = None) -> None:
        """Ask whoever is signed in for their password once more. Raises `NotSignedIn`, and for a wrong one what `sign_in` does: each is a try."""
        _, try_id = self._tried(self.session(token).person.email, password, caller or Caller())
        with self._database.writing() as connection:
            self._guessing.succeeded(connection, try_id)

    def _hashed(self, password: str, email: str, name: str = "") -> str:
        check_password(password, {*self._own_words(), *words_of_person(email, name)})
        return self._hasher.hash(password)

    def change_role(self, email: str, role: str) -> None:
        """Give an account another role; all its sessions end. Raises `MessageInvalid`."""
        if role not in STAFF_ROLES:
            raise MessageInvalid(f"A role is one of {', '.join(STAFF_ROLES)}.", field="role")
        self._change(email, role=role)

    def disable(self, email: str) -> None:
        """Nobody signs in to the account any more; all its sessions end. Raises `MessageInvalid`."""
        self._change(email, disabled_at=self._clock())

    def enable(self, email: str) -> None:
        """The account can be used again. Raises `MessageInvalid`."""
        self._change(email, disabled_at=None)

    def _change(self, email: str, **values: Any) -> None:
        with self._database.writing() as connection:
            staff_id = rows.change_staff(connection, _plain(email), **values)
            if staff_id is None:
                raise MessageInvalid(f"There is no account {_plain(email)}.", field="email")
            session_rows.delete_sessions(connection, staff_id)

    def sign_in(self, email: Any, password: Any, caller: Caller | None = None) -> tuple[str, SignedIn]:
        """Begin a session: its token, which only the browser keeps, and who it is. Raises `WrongCredentials`, `PasswordExpired` or `TooManyTries`."""
        if not isinstance(email, str) or not _encodable(email):
            raise WrongCredentials()
        caller = caller or Caller()
        found, try_id = self._tried(_plain(email), password, caller)
        if found.made_at and self._clock() - found.made_at > MADE_PASSWORD:
            raise PasswordExpired()
        with self._database.writing() as connection:
            self._guessing.succeeded(connection, try_id)
            session_rows.forget_sessions(connection, self._clock() - self._session)
            token, session = self._begin(connection, found.person, recognise(caller.user_agent), must_choose=found.made_at is not None)
            rows.seen(connection, found.person.id, self._clock())
        return token, session

    def _begin(self, connection: Connection, person: Staff, browser: Browser, *, must_choose: bool = False) -> tuple[str, SignedIn]:
        token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        session_rows.add_session(connection, session_digest(token), person.id, csrf_token, self._clock(), browser)
        return token, SignedIn(person, csrf_token, must_choose)

    def _tried(self, email: str, password: Any, caller: Caller) -> tuple[rows.Credentials, str]:
        """The account if the password fits, and the try to take off again; an unknown address takes as long as a wrong password."""
        if not isinstance(password, str) or len(password) > LONGEST or not _encodable(password):
            raise WrongCredentials()
        try_id = self._guessing.begin(email, caller)
        with self._database.reading() as connection:
            found = rows.credentials(connection, email)
        try:
            self._hasher.verify(found.password_hash if found else self._nobody, password)
        except (VerificationError, InvalidHashError) as cause:
            raise WrongCredentials() from cause
        if found is None:
            raise WrongCredentials()
        return found, try_id

    def session(self, token: str | None) -> SignedIn:
        """Who a session token belongs to. Raises `NotSignedIn`."""
        with self._database.reading() as connection:
            found = self._find(connection, token)
        if found is None:
            raise NotSignedIn()
        return SignedIn(found.person, found.csrf_token, found.must_choose)

    def _find(self, connection: Connection, token: str | None) -> session_rows.FoundSession | None:
        return session_rows.find_session(connection, session_digest(token), self._clock() - self._session) if token else None

    def ended(self, digests: Collection[str]) -> set[str]:
        """Those of the sessions, named by `session_digest`, that have ended."""
        with self._database.reading() as connection:
            return set(digests) - session_rows.living_sessions(connection, digests, self._clock() - self._session)

    def account(self, email: str) -> str:
        """What a device token calls the account of this address."""
        return self._guessing.account(_plain(email))

    def keep_alive(self, token: str) -> None:
        """The session is in use: its time begins anew."""
        with self._database.writing() as connection:
            session_rows.touch_session(connection, session_digest(token), self._clock())

    def sign_out(self, token: str) -> None:
        """End the session everywhere: the server forgets it."""
        with self._database.writing() as connection:
            session_rows.delete_session(connection, session_digest(token))


def check_csrf(signed_in: SignedIn, sent: str | None) -> None:
    """Raise `NotAllowed` unless a write carries its session's token."""
    if not sent or not hmac.compare_digest(sent.encode(), signed_in.csrf_token.encode()):
        raise NotAllowed("The X-CSRF-Token header is missing or wrong.")


def made_password() -> str:
    """A password for somebody else, at random: 96 bits."""
    return secrets.token_urlsafe(12)


def _plain(email: str) -> str:
    return email.strip().lower()


def session_digest(token: str) -> str:
    """What a session is kept as, and called where its token has no business."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
