"""The ledger as a service: what the faces record in it, what comes from outside, and what is read from it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.exceptions import TouchpointInvalid
from touchpoints.intake import MOST, Refused, Taken, read_touchpoint
from touchpoints.model import Recorded, Touchpoint, new_id
from touchpoints.schema import api_keys
from touchpoints.store import known_ids, read_ledger, record

StageOf = Callable[[str], str | None]


class Ledger:
    """Records and reads touchpoints outside conversations; those of conversations are recorded with their events."""

    def __init__(self, database: Database, clock: Clock, stage_of: StageOf) -> None:
        self._database = database
        self._clock = clock
        self._stage_of = stage_of

    def record(self, connection: Connection, *entries: Touchpoint) -> None:
        """Record within the caller's transaction."""
        record(connection, entries, self._clock())

    def article_view(self, slug: str, *, visitor_id: str | None = None, conversation_id: str | None = None) -> Touchpoint:
        """The touchpoint of an article that was opened, from the chat or in the help centre."""
        return self._of_article("article_view", slug, visitor_id=visitor_id, conversation_id=conversation_id)

    def article_feedback(self, slug: str, helpful: bool, reason: str | None, *, visitor_id: str | None = None) -> None:
        """Record whether an article helped."""
        entry = self._of_article(
            "article_feedback",
            slug,
            visitor_id=visitor_id,
            outcome="helpful" if helpful else "not_helpful",
            emotion="positive" if helpful else "negative",
            data={"reason": reason} if reason else {},
        )
        with self._database.writing() as connection:
            self.record(connection, entry)

    def search(self, query: str, slugs: Sequence[str], answerable: bool) -> None:
        """Record a search in the help centre and what it found."""
        data = {"query": query[:500], "found": list(slugs)[:10]}
        entry = Touchpoint(
            at=self._clock(),
            kind="search",
            stage="service",
            channel="help_centre",
            actor="customer",
            outcome="answerable" if answerable else "no_answer",
            data=data,
        )
        with self._database.writing() as connection:
            self.record(connection, entry)

    def _of_article(self, kind: str, slug: str, **values: Any) -> Touchpoint:
        stage = self._stage_of(slug) or "service"
        channel = "widget" if values.get("conversation_id") else "help_centre"
        return Touchpoint(at=self._clock(), kind=kind, stage=stage, channel=channel, actor="customer", article=slug, **values)

    def take(self, given: Any) -> Taken:
        """Record touchpoints from outside; the same id again is counted and changes nothing. Raises `TouchpointInvalid` for another form."""
        if not isinstance(given, list) or len(given) > MOST:
            raise TouchpointInvalid(f"touchpoints must be a list of at most {MOST}.", field="touchpoints")
        refused: list[Refused] = []
        good: dict[str, Touchpoint] = {}
        repeated = 0
        for index, entry in enumerate(given):
            try:
                touchpoint = read_touchpoint(entry)
            except TouchpointInvalid as cause:
                refused.append(Refused(index, "invalid", str(cause)))
                continue
            repeated += touchpoint.id in good
            good.setdefault(touchpoint.id, touchpoint)
        with self._database.writing() as connection:
            known = known_ids(connection, good)
            self.record(connection, *(entry for key, entry in good.items() if key not in known))
        return Taken(len(good) - len(known), repeated + len(known), tuple(refused))

    def read(self, *, after: int = 0, limit: int = 1000, conversation_id: str | None = None, customer: str | None = None) -> list[Recorded]:
        """Touchpoints after a cursor, in recorded order."""
        with self._database.reading() as connection:
            return read_ledger(connection, after=after, limit=limit, conversation_id=conversation_id, customer=customer)

    def pages(self, after: int = 0) -> Iterator[list[Recorded]]:
        """The whole ledger after a cursor, a page at a time, each in a transaction of its own so that no export holds the database.

        The first page is read at once, so that a database that cannot be read is known before an export begins.
        """
        return self._pages(self.read(after=after))

    def _pages(self, rows: list[Recorded]) -> Iterator[list[Recorded]]:
        while rows:
            yield rows
            rows = self.read(after=rows[-1].seq)

    def make_key(self, name: str, staff_id: str) -> tuple[str, str]:
        """Make an API key; its id and the key itself, which is never shown again."""
        key_id, key = new_id(), f"td_{secrets.token_urlsafe(32)}"
        row = {"id": key_id, "name": name, "hash": _digest(key), "created_by": staff_id, "created_at": self._clock()}
        with self._database.writing() as connection:
            connection.execute(insert(api_keys).values(row))
        return key_id, key

    def revoke_key(self, key_id: str) -> bool:
        """Make a key useless from now on; False when there is none of that id."""
        with self._database.writing() as connection:
            statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
            return connection.execute(statement.values(revoked_at=self._clock())).rowcount == 1

    def knows_key(self, key: str) -> bool:
        """Whether this is a living API key."""
        query = select(api_keys.c.id).where(api_keys.c.hash == _digest(key), api_keys.c.revoked_at.is_(None))
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
