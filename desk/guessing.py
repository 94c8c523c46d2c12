"""How often signing in may be tried: ten times in a quarter of an hour for an address, and as often for an account, whichever ends first.

Somebody who guesses at an account would so lock its owner out. So a browser that has signed in before carries a device token, which names that
account: its tries are counted for the device alone, and no guessing from elsewhere stands in its way.

Tries are counted in the database, before the password is looked at, and taken off again when it was right: many at once get no more than one after
another, and a restart forgets nothing. An account that is not there counts like one that is.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desk.exceptions import TooManyTries
from desk.store import staff as rows
from touchpoints.clock import Clock
from touchpoints.database import Database
from touchpoints.model import new_id

MOST_TRIES = 10
WINDOW = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=1)
"""Tries further ahead are from before the clock was set back; counted, they would keep everyone out for as long."""


@dataclass(frozen=True)
class Caller:
    """Who tries: from which address, with a good device token that device and its account (as `Guessing.account` names it), and in which browser."""

    address: str = ""
    device: str | None = None
    account: str | None = None
    user_agent: str = ""


class Guessing:
    """Counts tries. ``key`` keys the digests under which addresses and accounts are kept."""

    def __init__(self, database: Database, *, key: str, clock: Clock) -> None:
        self._database = database
        self._key = key.encode()
        self._clock = clock

    def begin(self, email: str, caller: Caller) -> str:
        """Count a try; its id. Raises `TooManyTries` when there were too many, and then this one does not count."""
        counted_for, try_id = self._counted_for(email, caller), new_id()
        with self._database.reading() as connection:
            self._check(connection, counted_for)  # a flood is refused without a write
        with self._database.writing() as connection:
            self._check(connection, counted_for)
            rows.forget_tries(connection, self._clock() - WINDOW)
            rows.add_try(connection, try_id, counted_for, self._clock())
        return try_id

    def succeeded(self, connection: Connection, try_id: str) -> None:
        """The password was right."""
        rows.forget_try(connection, try_id)

    def _counted_for(self, email: str, caller: Caller) -> list[str]:
        if caller.device is not None and caller.account == self.account(email):
            return [self._digest("device", caller.device)]
        return [self._digest("address", caller.address), self.account(email)]

    def account(self, email: str) -> str:
        """What an account is called here, and in device tokens."""
        return self._digest("account", email)

    def _check(self, connection: Connection, counted_for: list[str]) -> None:
        now = self._clock()
        waits = [_wait_s(rows.tries_since(connection, one, now - WINDOW, now + CLOCK_SKEW), now) for one in counted_for]
        if (longest := max(waits)) > 0:
            raise TooManyTries(retry_after_s=longest)

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _wait_s(tries: list[datetime], now: datetime) -> int:
    """Whole seconds until one more is allowed, 0 for now."""
    if len(tries) < MOST_TRIES:
        return 0
    return max(1, int((tries[-MOST_TRIES] + WINDOW - now).total_seconds()) + 1)
