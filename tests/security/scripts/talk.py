"""Conversations whose every word is a payload: a customer's, an agent's and the bot's, with notes, a page they came from, and a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
from sqlalchemy import text

from desk.identity import ALGORITHM, AUDIENCE
from desk.journal import Journal
from desk.model import Event, Staff
from desk.store import conversations as rows
from desk.turns import Notify
from knowledge_base.preparing import prepare
from tests.security.shelf import article
from touchpoints.clock import system_clock
from touchpoints.model import new_id
from widget.services import Services

from .payloads import Payload
from .sinks import Batch, all_at, at

END = "This is the end of the payloads."
PASSWORD = "correct horse battery"
SECRET = "what the shop of the tests signs with"
OUTCOME = "answered"


@dataclass(frozen=True)
class Talk:
    """A conversation, and what opens it."""

    id: str
    token: str
    batches: Sequence[Batch]


class Talkers:
    """A customer and an agent who write payloads."""

    def __init__(self, services: Services, notify: Notify) -> None:
        self._services = services
        self._notify = notify
        self._journal = Journal(system_clock, lambda slug: None)
        self.agent: Staff = services.accounts.add("agent@desk.example", "Ada", PASSWORD, "administrator")
        self.cookie = services.accounts.sign_in("agent@desk.example", PASSWORD)[0]

    def named(self, batch: Batch) -> Staff:
        """The agent under another name and address."""
        name = all_at("agent's name", batch, " ")
        with self._services.database.writing() as connection:
            values = {"name": name, "email": all_at("staff's name and e-mail", batch, " "), "id": self.agent.id}
            connection.execute(text("UPDATE staff SET name = :name, email = :email WHERE id = :id"), values)
        return Staff(id=self.agent.id, email="", name=name, role="administrator")

    def talk(self, batches: Sequence[Batch]) -> Talk:
        """One conversation, with each batch said by everyone."""
        customers, agents = self._services.customers, self._services.agents
        page = all_at("page title and address", batches[0], " ")
        locale, identity = at("page title and address", batches[0][0])[:35], self._signed(batches[0])
        conversation, token = customers.start(None, page=page[:2000], locale=locale, identity=identity)
        for number, batch in enumerate(batches):
            named = self.named(batch)
            if number == 0:
                customers.ask_for_person(token, conversation.id)
                agents.seen(named)
                agents.accept(named, conversation.id)
            customers.say(token, conversation.id, f"c{number}", {"text": all_at("customer's message", batch)})
            agents.say(named, conversation.id, f"a{number}", all_at("agent's message", batch))
            agents.note(named, conversation.id, all_at("notes", batch))
            self._bot_says(conversation.id, batch)
        agents.say(self.agent, conversation.id, "end", f"{END} {conversation.id}")
        return Talk(conversation.id, token, batches)

    def closes(self, talk: Talk) -> None:
        """The agent has done with a conversation."""
        self._services.agents.close(self.agent, talk.id, "solved")

    def _signed(self, batch: Batch) -> str:
        """Who the customer is, as a shop would sign it that checks its customers' names for nothing."""
        now = system_clock()
        name, email = at("customer's name and e-mail", batch[0])[:100], all_at("customer's name and e-mail", batch, " ")[:254]
        times = {"iat": now, "exp": now + timedelta(minutes=5)}
        claims = {"aud": AUDIENCE, "sub": new_id(), "jti": new_id(), "name": name, "email": email, **times}
        return jwt.encode(claims, SECRET, ALGORITHM)

    def _bot_says(self, conversation_id: str, batch: Batch) -> None:
        """As a reply of the bot is stored, its body both made from Markdown and as an attacker would wish it."""
        data = {
            "author": "bot",
            "text": all_at("bot's words", batch),
            "body": [node for payload in batch for node in _body(payload)],
            "choices": [{"title": at("choices", payload), "payload": at("choices", payload)} for payload in batch],
            "sources": [_source(payload) for payload in batch],
            "outcome": OUTCOME,
        }
        with self._services.database.writing() as connection:
            conversation = rows.find_conversation(connection, conversation_id)
            assert conversation is not None
            event = Event(conversation_id=conversation_id, seq=0, type="message", at=system_clock(), data=data, sender="bot")
            self._journal.append(connection, conversation, event)


def _body(payload: Payload) -> list[dict[str, Any]]:
    words = at("bot's body", payload)
    inner = [{"el": "text", "text": words}]
    hostile = [
        {"el": "p", "children": inner, "onclick": words},
        {"el": words, "text": words},
        {"el": "a", "href": words, "children": inner},
        {"el": "img", "src": words, "alt": words},
        {"el": "script", "text": words, "src": words},
        {"el": "iframe", "src": words, "srcdoc": words, "children": inner},
    ]
    made = prepare(article("made", "Made", f"{words}\n\n[go](<{words}>)"))
    return hostile + [node for passage in made.passages for node in passage.body]


def _source(payload: Payload) -> dict[str, Any]:
    words = at("sources", payload)
    return {"slug": words, "section": words, "title": words, "url": words, "confidence": 0.9}
