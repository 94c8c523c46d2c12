"""A customer and an agent as programs: they use the kit through its public contract alone, and remember what they were told."""

from __future__ import annotations

import secrets
import time
from typing import Any

import requests

TIMEOUT_S = 15


class Customer:
    """One visitor with one conversation."""

    def __init__(self, url: str, **start: Any) -> None:
        self._url = url
        self._session = requests.Session()
        begun = self._session.post(f"{url}/api/conversations", json=start, timeout=TIMEOUT_S)
        begun.raise_for_status()
        self.id: str = begun.json()["conversation"]["id"]
        self.token: str = begun.json()["token"]
        self._session.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str = "", **arguments: Any) -> requests.Response:
        """Any call about this conversation."""
        return self._session.request(method, f"{self._url}/api/conversations/{self.id}{path}", timeout=TIMEOUT_S, **arguments)

    def sends(self, client_id: str | None = None, **body: str) -> requests.Response:
        """Send a message once."""
        return self.call("POST", "/messages", json={"client_id": client_id or secrets.token_urlsafe(8), **body})

    def says(self, text: str) -> int:
        """Send words as the widget does, again under the same id until they are acknowledged; returns their number."""
        return self._until_acknowledged(text=text)

    def presses(self, payload: str) -> int:
        """Press a choice."""
        return self._until_acknowledged(payload=payload)

    def _until_acknowledged(self, **body: str) -> int:
        client_id, give_up = secrets.token_urlsafe(8), time.monotonic() + 30
        while True:
            try:
                answer = self.sends(client_id, **body)
                if answer.status_code in (200, 202):
                    return int(answer.json()["seq"])
                assert answer.status_code >= 500, answer.text
            except requests.RequestException:
                self._session.close()
            assert time.monotonic() < give_up, "no acknowledgement in 30 s"
            time.sleep(0.1)

    def events(self, after: int = 0, wait: int = 0) -> list[dict[str, Any]]:
        """The events after a number."""
        answer = self.call("GET", "/events", params={"after": after, "wait": wait})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["events"]
        return found

    def reply_to(self, seq: int, timeout_s: float = 12) -> dict[str, Any]:
        """The first message of the bot after a number, as its data."""
        give_up = time.monotonic() + timeout_s
        while time.monotonic() < give_up:
            try:
                for event in self.events(seq, wait=2):
                    if event["type"] == "message" and event["data"]["author"] == "bot":
                        return dict(event["data"])
            except requests.RequestException:
                self._session.close()
                time.sleep(0.1)
        raise AssertionError(f"no reply to {seq} within {timeout_s} s")

    def asks(self, text: str) -> dict[str, Any]:
        """Say something and read the bot's reply."""
        return self.reply_to(self.says(text))


class Agent:
    """One person signed in at the desk."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self._url = url
        self._session = requests.Session()
        signed_in = self._session.post(f"{url}/api/session", json={"email": email, "password": password}, timeout=TIMEOUT_S)
        signed_in.raise_for_status()
        self.id: str = signed_in.json()["staff"]["id"]
        self._session.headers["X-CSRF-Token"] = signed_in.json()["csrf_token"]

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Any call of the desk's API."""
        return self._session.request(method, f"{self._url}/api{path}", timeout=TIMEOUT_S, **arguments)

    def does(self, conversation_id: str, what: str, **body: Any) -> requests.Response:
        """One action on a conversation."""
        return self.call("POST", f"/desk/conversations/{conversation_id}/{what}", json=body)

    def opens(self, conversation_id: str) -> dict[str, Any]:
        """All the desk shows of a conversation."""
        answer = self.call("GET", f"/desk/conversations/{conversation_id}")
        answer.raise_for_status()
        opened: dict[str, Any] = answer.json()
        return opened

    def writes(self, conversation_id: str, text: str) -> int:
        """Send a reply."""
        answer = self.does(conversation_id, "messages", client_id=secrets.token_urlsafe(8), text=text)
        answer.raise_for_status()
        return int(answer.json()["seq"])
