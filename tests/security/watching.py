"""Two customers who watch their own conversations while one of them is written to."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping

from tests.security.people import WORDS, People
from tests.security.routes import STREAM
from tests.security.served import PATIENCE_S

SAID = f"{WORDS}, said while others watch"
QUIET_S = 1.0


class Ear(threading.Thread):
    """Reads a stream until it is told that enough was said."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._connection.request("GET", path, headers={**headers, "Accept": STREAM})
        self._response = self._connection.getresponse()
        assert self._response.status == 200
        assert self._connection.sock is not None
        self._connection.sock.settimeout(QUIET_S)
        self.heard = b""
        self.start()

    def run(self) -> None:
        try:
            while piece := self._response.read1(65536):
                self.heard += piece
        except TimeoutError:  # it has been quiet for long enough
            pass
        finally:
            self._response.close()
            self._connection.close()


def heard_beside(people: People) -> dict[str, bool]:
    """Whether each customer's stream told what was said in this customer's conversation."""
    conversations = {role: people.conversation(role) for role in ("this customer", "another customer")}
    ears = {role: Ear(people.served.port, f"/api/conversations/{one}/events?after=0", people.headers[role]) for role, one in conversations.items()}
    people.services.customers.say(people.tokens["this customer"], conversations["this customer"], "beside", {"text": SAID})
    people.services.customers.typing(people.tokens["this customer"], conversations["this customer"])
    for ear in ears.values():
        ear.join(PATIENCE_S)
    return {role: SAID.encode() in ear.heard for role, ear in ears.items()}
