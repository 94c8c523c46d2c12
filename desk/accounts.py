"""Who may sign in at the desk: accounts with argon2 hashes, and sessions that the server can end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from desk.exceptions import MessageInvalid, NotAllowed, NotSignedIn, WrongCredentials
from desk.guessing import Caller, Guessing
from desk.model import STAFF_ROLES, Staff
from desk.store import staff as rows
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.model import new_id

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1000


@dataclass(frozen=True)
class SignedIn:
    """A living session: who, and the token that every write must carry."""

    person: Staff
    csrf_token: str


class Accounts:
    """Accounts and sessions of staff."""

    def __init__(
        self, database: Database, *, clock: Clock, session_hours: float, hasher: PasswordHasher | None = None, guessing: Guessing | None = None
    ) -> None:
        self._database = database
        self._guessing = guessing or Guessing(database, key="", clock=clock)
        self._clock = clock
        self._session = timedelta(hours=session_hours)
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def add(self, email: str, name: str, password: str, role: str = "agent") -> Staff:
        """Make an account. Raises `MessageInvalid` for an unknown role, an address without @, or one that has an account."""
        if role not in STAFF_ROLES or "@" not in email or len(password) < SHORTEST_PASSWORD:
            raise MessageInvalid("An account needs an e-mail address, a known role and a password of at least 8 characters.")
        person = Staff(id=new_id(), email=_plain(email), name=name, role=role)
        hashed = self._hasher.hash(password)
        with self._database.writing() as connection:
            if rows.address_taken(connection, person.email):
                raise MessageInvalid(f"{person.email} has an account already.", field="email")
            rows.add_staff(connection, person, hashed, self._clock())
        return person

    def add_first(self, email: str, password: str) -> tuple[str, str] | None:
        """Make the first administrator, with a random password if none is given; address and password, or None when there is an account."""
        with self._database.reading() as connection:
            if rows.staff_count(connection):
                return None
        email, password = email or "admin@localhost", password or secrets.token_urlsafe(12)
        self.add(email, email.partition("@")[0].capitalize(), password, "administrator")
        return email, password

    def change_password(self, email: str, password: str) -> None:
        """Give an account another password; all its sessions end. Raises `MessageInvalid`."""
        if len(password) < SHORTEST_PASSWORD:
            raise MessageInvalid(f"A password has at least {SHORTEST_PASSWORD} characters.", field="password")
        self._change(email, password_hash=self._hasher.hash(password))

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
            rows.delete_sessions(connection, staff_id)

    def sign_in(self, email: Any, password: Any, caller: Caller | None = None) -> tuple[str, SignedIn]:
        """Begin a session: its token, which only the browser keeps, and who it is. Raises `WrongCredentials` or `TooManyTries`."""
        if not isinstance(email, str) or not isinstance(password, str) or len(password) > LONGEST_PASSWORD or not _encodable(email + password):
            raise WrongCredentials()
        try_id = self._guessing.begin(_plain(email), caller or Caller())
        with self._database.reading() as connection:
            found = rows.credentials(connection, _plain(email))
        person = self._checked(found, password)
        token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        with self._database.writing() as connection:
            self._guessing.succeeded(connection, try_id)
            rows.forget_sessions(connection, self._clock() - self._session)
            rows.add_session(connection, session_digest(token), person.id, csrf_token, self._clock())
            rows.seen(connection, person.id, self._clock())
        return token, SignedIn(person, csrf_token)

    def _checked(self, found: tuple[Staff, str] | None, password: str) -> Staff:
        """The person if the password fits; an unknown address takes as long as a wrong password."""
        try:
            self._hasher.verify(found[1] if found else self._nobody, password)
        except (VerificationError, InvalidHashError) as cause:
            raise WrongCredentials() from cause
        if found is None:
            raise WrongCredentials()
        return found[0]

    def session(self, token: str | None) -> SignedIn:
        """Who a session token belongs to. Raises `NotSignedIn`."""
        if not token:
            raise NotSignedIn()
        with self._database.reading() as connection:
            found = rows.find_session(connection, session_digest(token), self._clock() - self._session)
        if found is None:
            raise NotSignedIn()
        return SignedIn(*found)

    def ended(self, digests: Collection[str]) -> set[str]:
        """Those of the sessions, named by `session_digest`, that have ended."""
        with self._database.reading() as connection:
            return set(digests) - rows.living_sessions(connection, digests, self._clock() - self._session)

    def account(self, email: str) -> str:
        """What a device token calls the account of this address."""
        return self._guessing.account(_plain(email))

    def keep_alive(self, token: str) -> None:
        """The session is in use: its time begins anew."""
        with self._database.writing() as connection:
            rows.touch_session(connection, session_digest(token), self._clock())

    def sign_out(self, token: str) -> None:
        """End the session everywhere: the server forgets it."""
        with self._database.writing() as connection:
            rows.delete_session(connection, session_digest(token))


def check_csrf(signed_in: SignedIn, sent: str | None) -> None:
    """Raise `NotAllowed` unless a write carries its session's token."""
    if not sent or not hmac.compare_digest(sent.encode(), signed_in.csrf_token.encode()):
        raise NotAllowed("The X-CSRF-Token header is missing or wrong.")


def _plain(email: str) -> str:
    return email.strip().lower()


def session_digest(token: str) -> str:
    """What a session is kept as, and called where its token has no business."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
