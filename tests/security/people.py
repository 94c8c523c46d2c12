"""The seven kinds of people of the matrix, each with the credentials of theirs, and what belongs to whom."""

from __future__ import annotations

import http.client
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from desk.accounts import session_digest
from desk.model import Staff
from desk.own_sessions import public_id
from desk.tokens import Tokens
from tests.security.routes import PASSWORD, ROLES
from tests.security.served import PATIENCE_S, Served
from touchpoints.clock import system_clock

WORDS = "canary-words-of-this-customer"
OTHER_WORDS = "canary-words-of-another-customer"
PAGE = "https://shop.example/canary-page-of-this-customer"
NOTE = "canary-note-of-an-agent"
INTERNAL = "canary-internal-article"
REASON_OF_KEY = "canary-name-of-a-key"

_THEIR_OWN = {"this customer": (WORDS, PAGE), "another customer": (OTHER_WORDS,)}
_AT_THE_DESK = (WORDS, OTHER_WORDS, PAGE, NOTE)
TABLES = ("conversations", "events", "turns", "notes", "survey_answers", "desk_changes")


@dataclass(frozen=True)
class Answer:
    """What came back, a stream's first frames included."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    took_s: float = 0.0


class Wire:
    """One keep-alive connection to the app."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Send a request and read the whole answer, or the first frames of a stream."""
        before = time.perf_counter()
        try:
            self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):  # an idle connection was dropped
            self._connection = self._connect()
            self._connection.request(method, path, body, dict(headers))
            response = self._connection.getresponse()
        content = self._first_frames(response) if response.getheader("Content-Type", "").startswith("text/event-stream") else response.read()
        return Answer(response.status, tuple(response.getheaders()), content, time.perf_counter() - before)

    def _first_frames(self, response: http.client.HTTPResponse) -> bytes:
        """What a stream says at once; then the connection is left."""
        assert self._connection.sock is not None
        self._connection.sock.settimeout(0.15)
        content = b""
        try:
            while piece := response.read1(65536):
                content += piece
        except TimeoutError:
            pass
        response.close()
        self.close()
        self._connection = self._connect()
        return content

    def close(self) -> None:
        self._connection.close()


class People:
    """Everyone of the matrix in a running app."""

    def __init__(self, served: Served) -> None:
        self.served, self.services = served, served.services
        self.wire = Wire(served.port)
        self.headers: dict[str, dict[str, str]] = {role: {} for role in ROLES}
        self.staff: dict[str, Staff] = {}
        self.tokens: dict[str, str] = {}
        for role in ("agent", "editor", "administrator"):
            self.headers[role] = self._signs_in(role, role)
        self._signs_in("another agent", "agent")
        self._signs_in("another administrator", "administrator")
        self.tokens = {role: self.services.customers.start(None)[1] for role in ("this customer", "another customer")}
        for role, token in self.tokens.items():
            self.headers[role] = {"Authorization": f"Bearer {token}"}
        self.headers["expired token"] = self._expired()

    def _signs_in(self, name: str, role: str) -> dict[str, str]:
        email = f"{name.replace(' ', '-')}@desk.example"
        self.staff[name] = self.services.accounts.add(email, name.capitalize(), PASSWORD, role)
        return self.another_session(name)

    def another_session(self, role: str) -> dict[str, str]:
        """Headers of one more session of theirs."""
        token, session = self.services.accounts.sign_in(self.staff[role].email, PASSWORD)
        return {"Cookie": f"touchdesk={token}", "X-CSRF-Token": session.csrf_token}

    def another_session_id(self, role: str) -> str:
        """What one more session of theirs is called in their list."""
        token, _ = self.services.accounts.sign_in(self.staff[role].email, PASSWORD)
        return public_id(session_digest(token))

    def forget_tries(self) -> None:
        """Nobody has guessed yet."""
        with self.services.database.writing() as connection:
            connection.execute(text("DELETE FROM sign_in_tries"))

    def _expired(self) -> dict[str, str]:
        """This customer's token and an administrator's session, both from long ago."""
        visitor = self.services.customers.conversation(self.tokens["this customer"], self._any_conversation())[0].visitor_id
        long_ago = system_clock() - timedelta(days=365)
        settings = self.services.settings
        token = Tokens(settings.signing_key, settings.token_days, clock=lambda: long_ago).issue(visitor)
        session = self._signs_in("past administrator", "administrator")
        with self.services.database.writing() as connection:
            values = {"then": str(long_ago.replace(tzinfo=None)), "id": self.staff["past administrator"].id}
            connection.execute(text("UPDATE sessions SET created_at = :then, seen_at = :then WHERE staff_id = :id"), values)
        return {"Authorization": f"Bearer {token}", **session}

    def _any_conversation(self) -> str:
        return self.services.customers.conversations(self.tokens["this customer"])[0].id

    def may_read(self, role: str) -> tuple[str, ...]:
        """Which canaries are no leak in the hands of this role."""
        if role == "administrator":
            return (*_AT_THE_DESK, REASON_OF_KEY)
        return _AT_THE_DESK if role == "agent" else _THEIR_OWN.get(role, ())

    def conversation(self, whose: str, held_by: str | None = None, *, queued: bool = False) -> str:
        """A new conversation with the customer's words in it, still with the bot, waiting, or held by somebody who left a note."""
        customers, token = self.services.customers, self.tokens[whose]
        conversation, _ = customers.start(token, page=PAGE if whose == "this customer" else None)
        customers.say(token, conversation.id, "first", {"text": WORDS if whose == "this customer" else OTHER_WORDS})
        self._settle(conversation.id)
        if queued or held_by:
            customers.ask_for_person(token, conversation.id)
        if held_by:
            self.services.agents.seen(self.staff[held_by])
            self.services.agents.accept(self.staff[held_by], conversation.id)
            self.services.agents.note(self.staff[held_by], conversation.id, NOTE)
        return conversation.id

    def _settle(self, conversation_id: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.rows("turns", conversation_id, "AND status <> 'done'"):
            assert time.monotonic() < deadline, "a turn does not end"
            time.sleep(0.003)

    def rows(self, table: str, conversation_id: str, more: str = "") -> list[tuple[Any, ...]]:
        """What a table holds of a conversation."""
        column = "id" if table == "conversations" else "conversation_id"
        with self.services.database.reading() as connection:
            return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} WHERE {column} = :id {more}"), {"id": conversation_id})]

    def stored(self, conversation_ids: Iterator[str] | list[str]) -> list[Any]:
        """All that the database holds of these conversations."""
        return [self.rows(table, one) for one in conversation_ids for table in TABLES]

    def api_key(self, maker: str) -> str:
        """The id of a new key."""
        return self.services.ledger.make_key(REASON_OF_KEY, self.staff[maker].id)[0]

    def close(self) -> None:
        self.wire.close()


CANARIES = (WORDS, OTHER_WORDS, PAGE, NOTE, INTERNAL, REASON_OF_KEY)


def nobodys_id() -> str:
    """An id as the app gives them, which nothing has."""
    return secrets.token_urlsafe(16)
