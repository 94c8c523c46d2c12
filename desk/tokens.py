"""Signed tokens: one opens a visitor's conversations, one in an article's address says where it was shown, one knows a browser of staff again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from desk.exceptions import TokenExpired, TokenInvalid
from touchpoints.clock import Clock, system_clock


class _Signer(TimestampSigner):
    """Stamps with the clock that is passed in."""

    def __init__(self, *arguments: Any, clock: Clock, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock().timestamp())


DEVICE = timedelta(days=400)
"""As long as browsers keep a cookie."""


class Tokens:
    """Signs and reads tokens with one key; each kind has a salt of its own, so none passes for another."""

    def __init__(self, signing_key: str, days: float, clock: Clock = system_clock) -> None:
        kind: dict[str, Any] = {"signer": _Signer, "signer_kwargs": {"clock": clock}}
        self._visitor: URLSafeTimedSerializer = URLSafeTimedSerializer(signing_key, salt="touchdesk.visitor", **kind)
        self._reference: URLSafeTimedSerializer = URLSafeTimedSerializer(signing_key, salt="touchdesk.reference", **kind)
        self._device: URLSafeTimedSerializer = URLSafeTimedSerializer(signing_key, salt="touchdesk.device", **kind)
        self._longest = timedelta(days=days)
        self._clock = clock

    def issue(self, visitor_id: str) -> str:
        """A token that names the visitor and opens all their conversations until it expires."""
        return self._visitor.dumps(visitor_id)

    def visitor(self, token: str) -> str:
        """The visitor a token names. Raises `TokenExpired` or `TokenInvalid`."""
        visitor_id, expired = self._read(self._visitor, token, self._longest)
        if visitor_id is None:
            raise TokenInvalid()
        if expired:
            raise TokenExpired()
        return visitor_id

    def _read(self, serializer: URLSafeTimedSerializer, token: str, longest: timedelta) -> tuple[str | None, bool]:
        """What was signed, None if it was not by us, and whether it is too old; a clock that was set back makes no token old."""
        try:
            value, signed_at = serializer.loads(token, return_timestamp=True)
        except BadData:
            return None, False
        return value if isinstance(value, str) else None, self._clock() - signed_at > longest

    def reference(self, conversation_id: str) -> str:
        """A reference for the address of an article shown in this conversation; it opens nothing."""
        return self._reference.dumps(conversation_id)

    def referred(self, reference: str) -> str | None:
        """The conversation that a reference names, or None for one that is forged, old or damaged."""
        conversation_id, expired = self._read(self._reference, reference, self._longest)
        return None if expired else conversation_id

    def device(self, device_id: str, account: str) -> str:
        """A token for a browser in which somebody has signed in to this account; it opens nothing."""
        return self._device.dumps(f"{device_id} {account}")

    def known_device(self, token: str) -> tuple[str, str] | None:
        """Device and account that a token names, or None for one that is forged, old or damaged."""
        named, expired = self._read(self._device, token, DEVICE)
        if named is None or expired:
            return None
        device_id, _, account = named.partition(" ")
        return device_id, account
