"""No crossing: every route, seven kinds of people, own, other's and absent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.contract.kit_stand_in import Neighbours
from tests.security.matrix import asked, rules_of, timing, told_apart, unlisted
from tests.security.people import WORDS, nobodys_id
from tests.security.routes import ROLES, ROUTES, STREAM, TARGETS
from tests.security.watching import heard_beside
from tests.security.world import World, elsewhere, without_door, world


@pytest.fixture(scope="module")
def running(folder: Path, around: Neighbours) -> Iterator[World]:
    with world(folder, around) as made:
        yield made


@pytest.fixture
def here(running: World) -> Iterator[World]:
    """The app without a fault; one that a test plants goes with it."""
    yield running
    running.plant.spoil = None


def test_every_route_is_in_the_matrix(here: World) -> None:
    """A route that nobody thought about fails the build, and so does a line of the table that is no route any more."""
    assert unlisted(here.served.app) == []
    assert rules_of(here.served.app) == set(ROUTES)


def test_a_new_route_is_missed(here: World) -> None:
    """The check above can fail."""
    app = Flask("grown")
    app.add_url_rule("/api/secrets/<name>", view_func=lambda name: name, endpoint="secrets", methods=["GET"])
    assert "GET /api/secrets/<name> is not in the matrix" in unlisted(app)


def test_nobody_gets_what_is_not_theirs(here: World) -> None:
    """Each cell is answered as its role and target want; other's and absent look alike; a refused call changes nothing."""
    matrix = asked(here.people)
    assert matrix.faults == []
    assert matrix.cells == sum(len(routes) for routes in ROUTES.values()) * len(ROLES) * len(TARGETS)


GUARDED = [(method, rule) for (method, rule), routes in ROUTES.items() if routes[0].door not in ("anyone", "guess", "anyone or customer")]


@pytest.mark.parametrize(("method", "rule"), GUARDED)
def test_a_door_left_open_is_reported(here: World, method: str, rule: str) -> None:
    """For every guarded route in turn: with its check taken out the matrix says who got in."""
    here.plant.spoil = without_door(here, method, rule)
    faults = asked(here.people, (method, rule)).faults
    assert any("nobody" in fault for fault in faults), faults


def test_a_word_that_gives_it_away_is_reported(here: World) -> None:
    """Refused either way, but in other words where the conversation exists."""
    theirs = here.people.conversation("this customer")
    there, absent = (f"/api/conversations/{one}" for one in (theirs, nobodys_id()))
    assert told_apart(here.people, "another customer", there, absent) == []
    here.plant.spoil = elsewhere(theirs, "/api/elsewhere")
    assert told_apart(here.people, "another customer", there, absent) != []


def test_anothers_words_are_recognised(here: World) -> None:
    """An answer of the right status that holds what this person may not read."""
    theirs = here.people.conversation("this customer")
    stolen = {"HTTP_AUTHORIZATION": here.people.headers["this customer"]["Authorization"]}

    def spoil(environ: dict[str, Any]) -> None:
        if environ["PATH_INFO"] == "/help/router-red-light":
            environ.update(stolen, PATH_INFO=f"/api/conversations/{theirs}/events")

    here.plant.spoil = spoil
    faults = asked(here.people, ("GET", "/help/<slug>")).faults
    assert any(fault.endswith(f"told {WORDS}") for fault in faults)


def test_a_slower_no_is_noticed(here: World) -> None:
    """Two milliseconds more where the conversation exists; the full run measures every such route."""

    def spoil(environ: dict[str, Any]) -> None:
        if environ["PATH_INFO"].startswith("/api/conversations/") and here.people.rows("conversations", environ["PATH_INFO"].split("/")[3]):
            time.sleep(0.01)

    here.plant.spoil = spoil
    assert timing(here.people, "GET", "/api/conversations/<conversation_id>", "another customer", rounds=15) > 0.2


def test_a_stream_tells_its_own_conversation_only(here: World) -> None:
    """While this customer and an agent write, another customer's open stream and the public pages stay silent about it."""
    assert heard_beside(here.people) == {"another customer": False, "this customer": True}


def test_a_stream_that_leads_elsewhere_is_heard(here: World) -> None:
    """The check above can fail: another customer's stream is this customer's."""
    stolen = here.people.headers["this customer"]["Authorization"]
    told: list[str] = []

    def spoil(environ: dict[str, Any]) -> None:
        if environ.get("HTTP_ACCEPT") == STREAM:
            told.append(environ["PATH_INFO"])
            environ.update(HTTP_AUTHORIZATION=stolen, PATH_INFO=told[0])

    here.plant.spoil = spoil
    assert heard_beside(here.people)["another customer"]
    assert len(told) == 2


def test_refusals_leave_no_traceback_in_the_log(here: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Streams that are refused are refused in a thread; it must not cry about it."""
    for path in ("/api/desk/events", f"/api/conversations/{nobodys_id()}/events"):
        for headers in here.people.headers.values():
            here.people.wire.ask("GET", path, None, {**headers, "Accept": STREAM})
    assert "Traceback" not in capfd.readouterr().err
