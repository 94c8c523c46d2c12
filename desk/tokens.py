"""Signed tokens: the one that opens a visitor's conversations, and the one in an article's address that says where it was shown."""

from __future__ import annotations

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from desk.exceptions import TokenExpired, TokenInvalid

_DAY_S = 24 * 60 * 60


class Tokens:
    """Signs and reads tokens with one key; the two kinds have salts of their own, so neither passes for the other."""

    def __init__(self, signing_key: str, days: float) -> None:
        self._visitor = URLSafeTimedSerializer(signing_key, salt="touchdesk.visitor")
        self._reference = URLSafeTimedSerializer(signing_key, salt="touchdesk.reference")
        self._max_age_s = int(days * _DAY_S)

    def issue(self, visitor_id: str) -> str:
        """A token that names the visitor and opens all their conversations until it expires."""
        return self._visitor.dumps(visitor_id)

    def visitor(self, token: str) -> str:
        """The visitor a token names. Raises `TokenExpired` or `TokenInvalid`."""
        try:
            visitor_id = self._visitor.loads(token, max_age=self._max_age_s)
        except SignatureExpired as cause:
            raise TokenExpired() from cause
        except BadSignature as cause:
            raise TokenInvalid() from cause
        if not isinstance(visitor_id, str):
            raise TokenInvalid()
        return visitor_id

    def reference(self, conversation_id: str) -> str:
        """A reference for the address of an article shown in this conversation; it opens nothing."""
        return self._reference.dumps(conversation_id)

    def referred(self, reference: str) -> str | None:
        """The conversation that a reference names, or None for one that is forged, old or damaged."""
        try:
            conversation_id = self._reference.loads(reference, max_age=self._max_age_s)
        except BadSignature:
            return None
        return conversation_id if isinstance(conversation_id, str) else None
