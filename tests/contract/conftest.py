"""The web app over stand-ins of its neighbours, and people who use it. One app a module, since its accounts take time to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.contract.described import Caller, Description
from tests.contract.kit_stand_in import ADMINISTRATOR, EDITOR, SHOP, Neighbours, neighbours, web_services
from tests.contract.people import Customer, signed_in
from widget.app import create_app
from widget.services import Services


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbours]:
    with neighbours() as server:
        yield server


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, around: Neighbours) -> Iterator[Services]:
    """One app for all, since its accounts take time to make; every test has conversations of its own."""
    with web_services(tmp_path_factory.mktemp("var"), around) as built:
        yield built


@pytest.fixture(scope="module")
def app(services: Services) -> Flask:
    return create_app(services.settings, services)


@pytest.fixture
def caller(app: Flask, description: Description) -> Callable[[], Caller]:
    """Makes clients; each has its own cookies, and holds every answer it gets against the description."""
    return lambda: Caller(app.test_client(), app.url_map, description)


@pytest.fixture
def anyone(caller: Callable[[], Caller]) -> Caller:
    return caller()


@pytest.fixture
def customer(caller: Callable[[], Caller]) -> Customer:
    return Customer(caller(), page=f"{SHOP}/routers", locale="en-GB")


@pytest.fixture
def agent(caller: Callable[[], Caller]) -> Caller:
    return signed_in(caller(), ADMINISTRATOR)


@pytest.fixture
def editor(caller: Callable[[], Caller]) -> Caller:
    return signed_in(caller(), EDITOR)
