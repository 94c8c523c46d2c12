"""A signed identity over HTTP: the customer's conversations on two devices, and their name at the desk."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from flask import Flask

from kit.settings import ROOT
from tests.contract.described import Caller, Description
from tests.contract.kit_stand_in import ADMINISTRATOR, Neighbours, neighbours, web_services
from tests.contract.people import signed_in
from tests.widget.test_bad_input import check_shape
from tests.widget.test_customer_api import code
from widget.app import create_app

SECRET = "shared by the site's server and the kit"


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbours]:
    with neighbours() as server:
        yield server


@pytest.fixture
def app(tmp_path: Any, around: Neighbours) -> Iterator[Flask]:
    with web_services(tmp_path, around, identity_secret=SECRET) as services:
        yield create_app(services.settings, services)


def signed(**changes: Any) -> str:
    """What the site's server does, as the documentation shows it."""
    now = int(time.time())
    claims = {"aud": "touchdesk", "sub": "crm:4711", "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(16)}
    return jwt.encode({**claims, "name": "Zoë", "email": "zoe@shop.example", **changes}, SECRET, algorithm="HS256")


def test_a_known_customer_on_two_devices(app: Flask) -> None:
    """Both open the same conversations; the desk shows who it is; every answer is as described."""
    description = Description()
    phone, computer = Caller(app.test_client(), app.url_map, description), Caller(app.test_client(), app.url_map, description)
    begun = phone.call("POST", "/api/conversations", {"identity": signed()}).get_json()
    here = computer.call("POST", "/api/conversations", {"identity": signed()}).get_json()
    computer.headers = {"Authorization": f"Bearer {here['token']}"}
    listed = computer.call("GET", "/api/conversations").get_json()["conversations"]
    assert {one["id"] for one in listed} == {begun["conversation"]["id"], here["conversation"]["id"]}
    desk = signed_in(Caller(app.test_client(), app.url_map, description), ADMINISTRATOR)
    opened = desk.call("GET", f"/api/desk/conversations/{begun['conversation']['id']}").get_json()
    assert opened["conversation"]["customer"] == {"id": "crm:4711", "name": "Zoë", "email": "zoe@shop.example"}
    anonymous = phone.call("POST", "/api/conversations", {}).get_json()["conversation"]["id"]
    assert desk.call("GET", f"/api/desk/conversations/{anonymous}").get_json()["conversation"]["customer"] is None


@pytest.mark.parametrize("identity", ["forged", 5, ["x"], {}, "", True, "x" * 60_000])
def test_one_that_is_not_taken_is_refused_in_words(app: Flask, identity: Any) -> None:
    """422 in the one shape, and no conversation."""
    answer = app.test_client().post("/api/conversations", json={"identity": identity})
    assert code(answer) == (422, "invalid")
    assert answer.get_json()["error"]["detail"] == {"field": "identity"}
    check_shape(answer)


def test_an_identity_used_again_is_refused_the_same_way(app: Flask) -> None:
    """Nobody learns that it was good once."""
    identity = signed()
    client = app.test_client()
    assert client.post("/api/conversations", json={"identity": identity}).status_code == 201
    used, forged = (client.post("/api/conversations", json={"identity": one}) for one in (identity, "forged"))
    assert used.get_data() == forged.get_data()
    assert used.status_code == forged.status_code == 422


def test_a_site_that_does_as_the_documentation_shows_is_understood(app: Flask) -> None:
    """Its lines of Python, word for word."""
    page = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
    chapter = page.split("\n## Signed identity\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```python\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= 10
    site: dict[str, Any] = {}
    exec(block, site)
    identity = site["identity_of"]({"id": "crm:4711", "name": "Zoë", "email": "zoe@shop.example"}, SECRET)
    assert app.test_client().post("/api/conversations", json={"identity": identity}).status_code == 201
