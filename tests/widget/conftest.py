"""The whole app around the desk of the tests: requests in, answers out, and the stored state."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from desk.migrate import migrate
from desk.readiness import Readiness
from kit.settings import Settings
from knowledge_base.library import Library
from tests.desk.house import House
from touchpoints.database import open_database
from widget.app import create_app
from widget.services import Services
from widget.streams import Streams
from widget.wakeups import Wakeups

SITE = "https://shop.example"
PASSWORD = "correct horse battery"


class Kit:
    """The app with everything behind it, and the ways people use it."""

    def __init__(self, folder: Path) -> None:
        self.wakeups = Wakeups()
        self.house = House(folder / "touchdesk.sqlite", self.wakeups.notify)
        house = self.house
        settings = Settings(var=folder, sites=(SITE, "http://127.0.0.1:7599"), inner_secret="inner", signing_key="signing")
        library = Library(settings.index)
        self.services = Services(
            settings=settings,
            database=house.database,
            library=library,
            search=house.search,
            ledger=house.ledger,
            accounts=house.accounts,
            own_sessions=house.own_sessions,
            customers=house.customers,
            agents=house.agents,
            tokens=house.tokens,
            reading=house.reading,
            readiness=Readiness(house.database, house.rasa, house.search, library),
            streams=Streams(self.wakeups, lambda function, *arguments: function(*arguments), house.customers, house.agents),
            wakeups=self.wakeups,
            runner=house.runner,
        )
        self.app: Flask = create_app(settings, self.services)

    def customer(self) -> Customer:
        return Customer(self)

    def staff(self, name: str = "Ada", role: str = "agent") -> Staff:
        self.house.accounts.add(f"{name.lower()}@desk.example", name, PASSWORD, role)
        return Staff(self, name)


class Customer:
    """A browser with a token and a conversation."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.client = kit, kit.app.test_client()
        started = self.client.post("/api/conversations", json={"page": "https://shop.example/", "locale": "en"}).get_json()
        self.token, self.id = started["token"], started["conversation"]["id"]
        self._messages = 0

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str = "", **options: Any) -> TestResponse:
        return self.client.get(f"/api/conversations/{self.id}{path}", headers=self.headers | options.pop("headers", {}), **options)

    def post(self, path: str, body: Any = None, **options: Any) -> TestResponse:
        return self.client.post(f"/api/conversations/{self.id}{path}", json=body, headers=self.headers, **options)

    def says(self, text: Any) -> TestResponse:
        self._messages += 1
        answer = self.post("/messages", {"client_id": f"m{self._messages}", "text": text})
        self.kit.house.settle()
        return answer

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/events").get_json()["events"]
        return found


class Staff:
    """A browser that is signed in."""

    def __init__(self, kit: Kit, name: str) -> None:
        self.client: FlaskClient = kit.app.test_client()
        self.signed_in = self.client.post("/api/session", json={"email": f"{name.lower()}@desk.example", "password": PASSWORD})
        self.csrf = self.signed_in.get_json()["csrf_token"]

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def write(self, method: str, path: str, body: Any = None) -> TestResponse:
        return self.client.open(path, method=method, json=body, headers={"X-CSRF-Token": self.csrf})

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.write("POST", path, body)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as the first start leaves it."""
    path = tmp_path_factory.mktemp("fresh") / "touchdesk.sqlite"
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    database.engine.dispose()
    return path


@pytest.fixture
def kit(migrated: Path, tmp_path: Path) -> Iterator[Kit]:
    shutil.copy(migrated, tmp_path / "touchdesk.sqlite")
    kit = Kit(tmp_path)
    yield kit
    kit.house.close()


@pytest.fixture
def customer(kit: Kit) -> Customer:
    return kit.customer()
