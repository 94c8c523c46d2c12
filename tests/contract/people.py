"""Customers and staff as clients: all they do goes through the API, and every answer is held against its description."""

from __future__ import annotations

import secrets
from typing import Any

from tests.contract.described import Caller


class Customer:
    """A visitor with a conversation."""

    def __init__(self, calls: Caller, **start: Any) -> None:
        begun = calls.call("POST", "/api/conversations", start)
        self.calls = calls
        self.id: str = begun.json["conversation"]["id"]
        calls.headers = {"Authorization": f"Bearer {begun.json['token']}"}

    def call(self, method: str, path: str = "", body: Any = None, **arguments: Any) -> Any:
        return self.calls.call(method, f"/api/conversations/{self.id}{path}", body, **arguments)

    def says(self, text: str) -> int:
        """Say something and wait for the answer; the number of the answer."""
        seq: int = self.call("POST", "/messages", {"client_id": secrets.token_urlsafe(8), "text": text}).json["seq"]
        events = self.call("GET", f"/events?after={seq}&wait=10").json["events"]
        assert events, "no answer came"
        return int(events[-1]["seq"])


def signed_in(calls: Caller, account: dict[str, str]) -> Caller:
    session = calls.call("POST", "/api/session", account)
    calls.headers = {"X-CSRF-Token": session.json["csrf_token"]}
    return calls


def desk_path(customer: Customer, path: str = "") -> str:
    return f"/api/desk/conversations/{customer.id}{path}"


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]
