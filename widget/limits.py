"""How much one conversation, visitor or address may ask: token buckets in memory, counted by a clock that never steps.

Of our own because the rule is twenty lines, while `limits`, the well-kept library for it, counts by the wall clock (set back by an hour, it would
refuse for an hour) and keeps every key until a timer thread comes by. Nothing here locks: all is asked by the one thread that holds the sockets.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gevent
from gevent.lock import BoundedSemaphore

from widget.proxies import Network, address_key, is_trusted, plain_address

MOST_KEYS = 100_000
"""Buckets kept; beyond that the one unused for longest goes, and would begin full again. About 20 MiB."""

SHUT_OUT_S = 2.0
"""What is wasted in the meantime costs next to nothing; whoever shares the address and came in vain comes again within seconds."""

ROUNDING = 1e-6
"""Whoever comes back just when they were told to must not be a billionth of a second early."""


@dataclass(frozen=True)
class Allowance:
    """So many requests a minute for one key, all of them at once if they come at once."""

    key: tuple[str, ...]
    per_minute: int


class Buckets:
    """Token buckets, one a key: each holds a minute's worth and fills evenly."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS) -> None:
        self._clock = clock
        self._most_keys = most_keys
        self._levels: OrderedDict[tuple[str, ...], tuple[float, float]] = OrderedDict()

    def take(self, allowances: Iterable[Allowance]) -> float:
        """Take one from each; 0.0 if all had one, else the seconds until the first that had none has one again.

        What comes after that first one is not touched, so a flood that is refused to a visitor costs their address nothing.
        """
        now = self._clock()
        for allowance in allowances:
            if wait_s := self._take(allowance, now):
                return wait_s
        return 0.0

    def _take(self, allowance: Allowance, now: float) -> float:
        most, a_second = float(allowance.per_minute), allowance.per_minute / 60
        level, seen = self._levels.pop(allowance.key, (most, now))
        level = min(most, level + max(0.0, now - seen) * a_second)
        taken = level >= 1 - ROUNDING
        self._levels[allowance.key] = (max(0.0, level - 1) if taken else level, now)
        if len(self._levels) > self._most_keys:
            self._levels.popitem(last=False)
        return 0.0 if taken else (1 - level) / a_second

    def __len__(self) -> int:
        return len(self._levels)


class Places:
    """How many of something are open at once for a key."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def enter(self, key: str, most: int) -> bool:
        """Take a place; False when all are taken."""
        if self._taken[key] >= most:
            return False
        self._taken[key] += 1
        return True

    def leave(self, key: str) -> None:
        """Give a place back."""
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]


class Lines:
    """A line for each key: one goes on at once, the next ones wait in the order they came, and ``pause_s`` more between two of them."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self._pause_s = pause_s
        self._semaphores: dict[str, tuple[BoundedSemaphore, int]] = {}

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Wait for one's turn, without holding up other greenlets."""
        semaphore, users = self._semaphores.get(key, (BoundedSemaphore(1), 0))
        self._semaphores[key] = semaphore, users + 1
        try:
            with semaphore:
                if users:
                    gevent.sleep(self._pause_s)
                yield
        finally:
            semaphore, users = self._semaphores[key]
            if users == 1:
                del self._semaphores[key]
            else:
                self._semaphores[key] = semaphore, users - 1

    def __len__(self) -> int:
        return len(self._semaphores)


class AddressPlaces:
    """How many connections an address has open at once, and how many it wastes; those of our own proxies carry everybody and are not counted.

    A connection is wasted that ends without a request that can be read. An address that wastes more than it may is shut out for a
    moment: its new connections are closed before anything is done for them.
    """

    def __init__(
        self,
        most: int = sys.maxsize,
        proxies: Sequence[Network] = (),
        *,
        wasted_per_minute: int = sys.maxsize,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._proxies = proxies
        self._places = Places()
        self._wasted_per_minute = wasted_per_minute
        self._clock = clock
        self._wasted = Buckets(clock)
        self._shut_out: dict[str, float] = {}

    def enter(self, address: str) -> bool:
        """Take a place for a connection; False when its address has all it may."""
        key = self._key(address)
        return key is None or self._places.enter(key, self._most)

    def leave(self, address: str) -> None:
        """The connection is over."""
        key = self._key(address)
        if key is not None:
            self._places.leave(key)

    def waste(self, address: str) -> None:
        """A connection of the address is over without a request."""
        key = self._key(address)
        if key is not None and self._wasted.take([Allowance(("wasted", key), self._wasted_per_minute)]):
            self._shut_out[key] = self._clock() + SHUT_OUT_S

    def is_shut_out(self, address: str) -> bool:
        """Whether the address has wasted too many just now."""
        key = self._key(address) if self._shut_out else None
        if key is None or key not in self._shut_out:
            return False
        if self._clock() < self._shut_out[key]:
            return True
        del self._shut_out[key]
        return False

    def _key(self, address: str) -> str | None:
        plain = plain_address(address)
        return None if plain is None or is_trusted(plain, self._proxies) else address_key(plain)


def whole_seconds(wait_s: float) -> int:
    """For a ``Retry-After`` header: rounded up, at least 1."""
    return max(1, math.ceil(wait_s - ROUNDING))
