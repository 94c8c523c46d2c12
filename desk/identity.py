"""Who a customer is, as their own site has signed it: a short-lived, one-time JWT under a secret that site and kit share.

One algorithm, HS256, and nothing in the token's header has a say in that. The token is read in the strictest way there is, since only the site's own
developer writes it: whatever is odd about it is refused, and nobody is told what.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from desk.exceptions import IdentityInvalid, MessageInvalid
from desk.messages import check_text
from desk.model import Identity
from touchpoints.clock import Clock

ALGORITHM = "HS256"
AUDIENCE = "touchdesk"
LONGEST = timedelta(minutes=5)
"""From ``iat`` to ``exp``."""
SKEW = timedelta(seconds=60)
"""How far the site's clock may be ahead of or behind ours."""
LONGEST_TOKEN = 4096
_HEADER = frozenset({"alg", "typ"})
_CUSTOMER = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")
"""As the ledger has it, so that both name the same customer."""
_ONCE = re.compile(r"[\x21-\x7e]{8,128}\Z")
_OPTIONS: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "strict_aud": True, "require": ["aud", "exp", "iat", "jti", "sub"]}
"""Times are checked here, by the clock that is passed in."""


class SignedIdentities:
    """Reads identity tokens signed with the site's secret."""

    def __init__(self, secret: str, *, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def read(self, token: Any) -> Identity:
        """Who a token names. Raises `IdentityInvalid`, always the same."""
        claims = self._claims(token)
        issued, expires = _time(claims["iat"]), _time(claims["exp"])
        now = self._clock()
        if issued > now + SKEW or expires <= now - SKEW or not timedelta(0) < expires - issued <= LONGEST:
            raise IdentityInvalid()
        if "nbf" in claims and _time(claims["nbf"]) > now + SKEW:
            raise IdentityInvalid()
        if not _fits(_CUSTOMER, claims["sub"]) or not _fits(_ONCE, claims["jti"]):
            raise IdentityInvalid()
        digest = hashlib.sha256(claims["jti"].encode()).hexdigest()
        name, email = _words(claims.get("name"), "name", 100), _words(claims.get("email"), "email", 254)
        return Identity(customer=claims["sub"], digest=digest, until=expires + SKEW, name=name, email=email)

    def _claims(self, token: Any) -> dict[str, Any]:
        if not isinstance(token, str) or not token.isascii() or len(token) > LONGEST_TOKEN:
            raise IdentityInvalid()
        try:
            if not jwt.get_unverified_header(token).keys() <= _HEADER:
                raise IdentityInvalid()
            claims: dict[str, Any] = jwt.decode(token, self._secret, algorithms=[ALGORITHM], audience=AUDIENCE, options=_OPTIONS)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as cause:
            raise IdentityInvalid() from cause
        return claims


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.match(value) is not None


def _time(value: Any) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**40:
        raise IdentityInvalid()
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise IdentityInvalid() from cause


def _words(value: Any, field: str, limit: int) -> str | None:
    try:
        return None if value is None else check_text(value, field, limit)
    except MessageInvalid as cause:
        raise IdentityInvalid() from cause
