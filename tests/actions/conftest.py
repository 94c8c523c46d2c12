"""Set-up of the actions' tests: the fake search, and the actions run as rasa-sdk runs them, without Rasa."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from rasa_sdk.executor import ActionExecutor

from actions.search_client import SearchClient
from actions.server import ACTIONS
from actions.state import State, write_state
from tests.bot.fake_search import SECRET, FakeSearch, serving

Json = dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    """rasa-sdk's pinned libraries warn of each other; a warning of ours stays an error."""
    for line in ("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning"):
        config.addinivalue_line("filterwarnings", line)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the option of a plugin that only the other Python has."""
    parser.addini("timeout", "of pytest-timeout, which is not installed here")


@pytest.fixture(scope="session")
def search_service() -> Iterator[FakeSearch]:
    """The fake search, serving."""
    with serving(FakeSearch()) as search:
        yield search


@pytest.fixture
def search(search_service: FakeSearch) -> FakeSearch:
    """The fake search, knowing nothing of other tests."""
    search_service.forget()
    return search_service


class Desk:
    """Runs one action on one conversation, over real HTTP to the fake search."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.slots: Json = {**write_state(State()), "owner": "bot"}
        self.sent: list[Json] = []

    def runs(self, name: str, text: str = "", **entities: str) -> str | None:
        """Run the action ``action_<name>``; keeps the slots it set and gives the result's name."""
        self.sent = asyncio.run(self._run(f"action_{name}", text, entities))
        assert all(event["event"] == "slot" for event in self.sent)
        self.slots.update({event["name"]: event["value"] for event in self.sent})
        result = self.slots.get("result")
        assert result is None or isinstance(result, str)
        return result

    async def _run(self, name: str, text: str, entities: dict[str, str]) -> list[Json]:
        message = {"text": text, "entities": [{"entity": key, "value": value} for key, value in entities.items()], "intent": {}}
        unused = {"events": [], "active_loop": {}, "latest_action_name": None, "paused": False, "followup_action": None}
        tracker = {**unused, "sender_id": "s", "slots": self.slots, "latest_message": message}
        async with aiohttp.ClientSession() as session:
            executor = ActionExecutor()
            for action in ACTIONS:
                executor.register_action(action(SearchClient(self.url, SECRET, session)))
            answer = await executor.run({"next_action": name, "sender_id": "s", "tracker": tracker, "domain": {}})
        assert answer["responses"] == []
        events: list[Json] = answer["events"]
        return events


@pytest.fixture
def desk(search: FakeSearch) -> Desk:
    """A conversation at its beginning."""
    return Desk(search.url)
