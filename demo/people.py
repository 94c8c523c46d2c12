"""The people of the play as programs: they know the kit by its public contract alone. What the kit refuses raises
`Refused`, an answer that is none `PlayFailed`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import requests

from demo.errors import PlayFailed, Refused

TIMEOUT_S = 30
REPLY_WAIT_S = 20
SILENCE_WAIT_S = 2
"""While a person is awaited the bot may have nothing to say; its turn takes some hundredths of a second."""
SHIFT = timedelta(hours=10)
"""An agent signs in anew after so long: the next day."""


def _checked(answer: requests.Response) -> requests.Response:
    if answer.ok:
        return answer
    told = f"{answer.request.method} {answer.request.path_url.partition('?')[0]}: {answer.status_code} {answer.text[:300]}"
    raise (Refused if answer.status_code < 500 else PlayFailed)(told)


class Caller:
    """One browser or program that calls the kit."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One call."""
        try:
            return _checked(self._session.request(method, self._url + path, timeout=TIMEOUT_S, **options))
        except requests.RequestException as cause:
            raise PlayFailed(f"{method} {path}: {cause}") from cause

    def close(self) -> None:
        """Hang up."""
        self._session.close()


class Customer(Caller):
    """A visitor with at most one open conversation. ``events`` is what came of it but for their own words, ``seen`` that of all of theirs."""

    def __init__(self, url: str, page: str | None, locale: str) -> None:
        super().__init__(url)
        self._place = {"page": page, "locale": locale}
        self.conversation: str | None = None
        self.owner = "bot"
        self.events: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self._last = 0

    def begins(self) -> None:
        """Open the chat; once it is open already, or was closed, this begins a further conversation that continues it."""
        earlier = {"continues": self.conversation} if self.conversation else {}
        begun = self.call("POST", "/api/conversations", json={**self._place, **earlier}).json()
        self._session.headers["Authorization"] = f"Bearer {begun['token']}"
        self.conversation, self.owner, self.events = begun["conversation"]["id"], "bot", []
        self._last = 0

    def does(self, what: str, body: Mapping[str, Any] | None = None) -> requests.Response:
        """One of the calls of the own conversation, which is begun if there is none."""
        if self.conversation is None:
            self.begins()
        return self.call("POST", f"/api/conversations/{self.conversation}/{what}", json=body or {})

    def sends(self, **body: str) -> list[dict[str, Any]]:
        """Send a message; gives back what came of it, which is nothing where a person reads it."""
        sent = self.does("messages", {"client_id": secrets.token_urlsafe(8), **body}).json()["seq"]
        if self.owner == "agent":
            return []
        known = len(self.events)
        self._last = sent
        self.looks(REPLY_WAIT_S if self.owner == "bot" else SILENCE_WAIT_S)
        return self.events[known:]

    def looks(self, wait_s: int = 0) -> str:
        """Read what is new, for at most ``wait_s`` until there is something, and say who has the conversation."""
        if self.conversation is None:
            return self.owner
        path = f"/api/conversations/{self.conversation}/events"
        found = self.call("GET", path, params={"after": self._last, "wait": wait_s}).json()["events"]
        for event in found:
            self._last = event["seq"]
            self.events.append(event)
            self.seen.append(event)
            if event["type"] == "owner":
                self.owner = event["data"]["owner"]
        return self.owner

    def payload(self, wanted: str) -> str | None:
        """The payload of the choice that is meant among those last offered: its intent, its intent with a word of its own, or its title."""
        intent, _, word = wanted.partition(" ")
        for choice in next((event["data"]["choices"] for event in reversed(self.events) if event["data"].get("choices")), ()):
            begins = str(choice["payload"]).partition("{")[0]
            if choice["title"].casefold() == wanted.casefold() or (begins == f"/{intent}" and word in choice["payload"]):
                return str(choice["payload"])
        return None

    def link(self, slug: str | None) -> str | None:
        """The newest link to an article, to this one if it is named."""
        for event in reversed(self.events):
            for source in event["data"].get("sources") or ():
                if slug in (None, source["slug"]):
                    return str(source["url"])
        return None


class Agent(Caller):
    """A person at the desk, who signs in when the day begins."""

    def __init__(self, url: str, email: str, password: str) -> None:
        super().__init__(url)
        self._account = {"email": email, "password": password}
        self._since: datetime | None = None

    def at_work(self, now: datetime) -> None:
        """Sign in, if this is another day."""
        if self._since is not None and now - self._since < SHIFT:
            return
        self.goes_home(now)
        signed_in = self.call("POST", "/api/session", json=self._account).json()
        self._session.headers["X-CSRF-Token"] = signed_in["csrf_token"]
        self._since = now

    def goes_home(self, now: datetime) -> None:
        """Sign out, where the session has not run out by itself."""
        if self._since is not None and now - self._since < SHIFT:
            self.call("DELETE", "/api/session")
        self._session.cookies.clear()
        self._since = None

    def does(self, conversation: str, what: str, body: Mapping[str, Any] | None = None) -> None:
        """One action on a conversation."""
        self.call("POST", f"/api/desk/conversations/{conversation}/{what}", json=body or {})

    def writes(self, conversation: str, text: str) -> None:
        """Send a reply."""
        self.does(conversation, "messages", {"client_id": secrets.token_urlsafe(8), "text": text})

    def is_away(self, away: bool) -> None:
        """Say that nothing is to be given to them, or that they are back."""
        self.call("PUT", "/api/desk/presence", json={"away": away})


class Shop(Caller):
    """The shop's own systems: they send with an API key what happened outside the kit."""

    def __init__(self, url: str, email: str, password: str) -> None:
        super().__init__(url)
        token = self.call("POST", "/api/session", json={"email": email, "password": password}).json()["csrf_token"]
        made = self.call("POST", "/api/keys", json={"name": "Shop (demo)"}, headers={"X-CSRF-Token": token}).json()
        self.call("DELETE", "/api/session", headers={"X-CSRF-Token": token})
        self._session.headers["Authorization"] = f"Bearer {made['key']}"

    def visitor_of(self, conversation: str) -> str | None:
        """The visitor whose conversation this is, as the ledger names them; None while nothing of it is recorded."""
        found = self.call("GET", "/api/touchpoints", params={"conversation": conversation, "limit": 1}).json()["touchpoints"]
        return found[0]["visitor_id"] if found else None

    def sends(self, touchpoints: Sequence[Mapping[str, Any]]) -> None:
        """Send some. Raises `PlayFailed` for one that the ledger does not take."""
        answer = self.call("POST", "/api/touchpoints", json={"touchpoints": list(touchpoints)}).json()
        if answer["refused"]:
            raise PlayFailed(f"a touchpoint was refused: {json.dumps(answer['refused'][0])}")
