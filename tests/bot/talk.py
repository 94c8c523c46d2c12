"""How the tests talk to Rasa: as web does, keeping the state between the turns."""

from __future__ import annotations

import itertools
import time
from typing import Any

import requests

from tests.bot.fake_search import SECRET

Json = dict[str, Any]
_turn_ids = itertools.count(1)


class Bot:
    """One conversation."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid
        self.state: Json = {}
        self.owner = "bot"
        self.last: Json = {}

    def post(self, body: object, secret: str = SECRET) -> requests.Response:
        """The bare call."""
        return requests.post(f"{self.url}/turns", json=body, headers={"Authorization": f"Bearer {secret}"}, timeout=20)

    def request(self, text: object, **changes: object) -> Json:
        """A request as web makes it."""
        return {"turn_id": f"t_{next(_turn_ids)}", "text": text, "state": self.state, "owner": self.owner, "budget_ms": 7900, **changes}

    def hears(self, text: str) -> Json:
        """Send words or a payload; gives the answer and keeps its state."""
        answer = self.post(self.request(text))
        assert answer.status_code == 200, answer.text
        self.last = answer.json()
        self.state = self.last["state"]
        if self.last["handoff"]:
            self.owner = "queued"
        return self.last

    def chooses(self, title: str) -> Json:
        """Click a choice of the last reply."""
        choices = {choice["title"]: choice["payload"] for choice in self.reply["choices"]}
        assert title in choices, f"{title!r} is not among {sorted(choices)}"
        return self.hears(choices[title])

    @property
    def reply(self) -> Json:
        """The one reply of the last turn."""
        (reply,) = self.last["replies"]
        assert isinstance(reply, dict)
        return reply

    @property
    def titles(self) -> list[str]:
        """Titles of the last reply's choices."""
        return [choice["title"] for choice in self.reply["choices"]]

    def wait_until_ready(self, limit_s: float) -> None:
        """Rasa listens before its model is loaded: wait for a whole turn."""
        deadline = time.monotonic() + limit_s
        while self.post(self.request("hi")).status_code == 503:
            assert time.monotonic() < deadline, "the model was not loaded in time"
            time.sleep(0.1)
