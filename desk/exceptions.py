"""Everything that can go wrong with conversations; `widget.errors` turns each type into a status and the one error shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DeskError(Exception):
    """Base of this package's errors; ``code`` is what a program reads, the message what a person reads."""

    code = "refused"
    message = "That cannot be done."

    def __init__(self, message: str | None = None, **detail: Any) -> None:
        super().__init__(message or self.message)
        self.detail = detail or None


class NotFound(DeskError):
    """There is no such conversation, or it is another's: the two look the same."""

    code = "not_found"
    message = "There is no such conversation."


class TokenInvalid(DeskError):
    """The token is missing, forged or damaged."""

    code = "unauthorized"
    message = "A valid token is needed."


class TokenExpired(TokenInvalid):
    """The token was good once."""

    code = "token_expired"
    message = "This token has expired; please start again."


class MessageInvalid(DeskError):
    """A message breaks a rule; ``detail`` names the field."""

    code = "invalid"
    message = "That message cannot be taken."


class MessageTooLong(MessageInvalid):
    """The text is longer than a message may be; ``detail`` has the limit in characters."""

    code = "too_large"


class PasswordRefused(MessageInvalid):
    """A password that nobody should have; ``detail`` has the ``reason``."""

    code = "password_refused"
    reasons: Mapping[str, str] = {
        "too_short": "A password has at least 8 characters.",
        "too_long": "A password has at most 1000 characters.",
        "own_words": "Without the names of the kit, the company and the account, a password has at least 8 characters.",
        "breached": "This password is known from a breach; it is among the first that anybody would try.",
        "same": "The new password is the old one.",
    }

    def __init__(self, reason: str) -> None:
        super().__init__(self.reasons[reason], field="password", reason=reason)


class ClientIdReused(DeskError):
    """The same ``client_id`` came with another body."""

    code = "client_id_reused"
    message = "This client_id was used for another message."


class ConversationClosed(DeskError):
    """Nothing is added to a closed conversation."""

    code = "conversation_closed"
    message = "This conversation is closed; please start a new one."


class OwnerConflict(DeskError):
    """The conversation is not in a state that allows this."""

    code = "conflict"
    message = "The conversation has changed meanwhile."


class AlreadyTaken(OwnerConflict):
    """Another agent holds the conversation; ``detail`` names them."""

    code = "already_taken"
    message = "Another agent has this conversation."


class WrongCredentials(DeskError):
    """E-mail and password do not fit."""

    code = "wrong_credentials"
    message = "E-mail or password is wrong."


class PasswordExpired(DeskError):
    """The password fits, but it was made for its holder, too long ago, and never used to choose another."""

    code = "password_expired"
    message = "This first password has expired; please ask for a new one."


class TooManyTries(DeskError):
    """Signing in was tried too often; ``detail`` has the seconds until the next try."""

    code = "too_many"
    message = "Too many tries to sign in; please wait."


class IdentityInvalid(DeskError):
    """A signed identity that is not taken. Why is nobody's business: all look the same."""

    code = "invalid"
    message = "The identity cannot be accepted."

    def __init__(self) -> None:
        super().__init__(field="identity")


class NotSignedIn(DeskError):
    """No session, or one that has ended."""

    code = "unauthorized"
    message = "Please sign in."


class NotAllowed(DeskError):
    """Signed in, but not for this; also a write without the session's CSRF token."""

    code = "forbidden"
    message = "This is not allowed."


class PasswordChoiceNeeded(NotAllowed):
    """Signed in with a password that was made for its holder: until they have chosen their own, nothing else is open to them."""

    code = "password_choice_needed"
    message = "Please choose a password of your own first."


class BotFailed(DeskError):
    """Rasa gave no usable answer in time."""

    code = "bot_failed"
    message = "The bot gave no answer."
