"""What somebody sees and ends of their own sessions: where they are signed in, and where they should not be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.accounts import session_digest
from desk.browsers import Browser
from desk.exceptions import NotFound, NotSignedIn
from desk.store import sessions as rows
from touchpoints.clock import Clock
from touchpoints.database import Database

ID_CHARACTERS = 22


@dataclass(frozen=True)
class OwnSession:
    """One session as its person sees it; ``is_this`` is the one that asks."""

    id: str
    begun_at: datetime
    used_at: datetime
    browser: Browser
    is_this: bool


class OwnSessions:
    """The sessions of whoever a token belongs to. Raises `NotSignedIn` for a token that is no longer good."""

    def __init__(self, database: Database, *, clock: Clock, session_hours: float) -> None:
        self._database = database
        self._clock = clock
        self._session = timedelta(hours=session_hours)

    def of(self, token: str) -> list[OwnSession]:
        """All that are alive, this one first, then the last used."""
        with self._database.reading() as connection:
            found = self._listed(connection, token)
        this = session_digest(token)
        own = [OwnSession(public_id(one.token_hash), one.begun_at, one.used_at, one.browser, one.token_hash == this) for one in found]
        return sorted(own, key=lambda session: not session.is_this)

    def end(self, token: str, session_id: str) -> str:
        """End one of them; its digest. Raises `NotFound` for another's, and for one that is not there."""
        with self._database.writing() as connection:
            for one in self._listed(connection, token):
                if public_id(one.token_hash) == session_id:
                    rows.delete_session(connection, one.token_hash)
                    return one.token_hash
        raise NotFound("There is no such session.")

    def end_others(self, token: str) -> set[str]:
        """End all but the one that asks; their digests."""
        with self._database.writing() as connection:
            return rows.delete_sessions(connection, self._person_id(connection, token), but=session_digest(token))

    def _listed(self, connection: Connection, token: str) -> list[rows.ListedSession]:
        return rows.sessions_of(connection, self._person_id(connection, token), self._clock() - self._session)

    def _person_id(self, connection: Connection, token: str) -> str:
        found = rows.find_session(connection, session_digest(token), self._clock() - self._session)
        if found is None:
            raise NotSignedIn()
        return found.person.id


def public_id(token_hash: str) -> str:
    """What a session is called where its person reads it: a digest of what it is kept as, so it opens nothing and says nothing of either."""
    return hashlib.sha256(f"session:{token_hash}".encode()).hexdigest()[:ID_CHARACTERS]
