"""Calls that nobody would make do no harm: from the description, from hypothesis, and from mutated bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.kit_stand_in import Neighbours
from tests.security.figures import ready
from tests.security.fuzz.described_calls import called, document
from tests.security.fuzz.mutations import Mutations, Names
from tests.security.fuzz.raw_requests import _judged, answered, barrage, web
from tests.security.world import World, world

pytestmark = pytest.mark.timeout(600)
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def here(folder: Path, around: Neighbours) -> Iterator[World]:
    with world(folder, around) as made, ready(made):
        yield made


def test_the_api_answers_as_described(here: World) -> None:
    """schemathesis: fitting calls and others to every operation, all checks; no 5xx and no answer that is not described."""
    found = called(here.people, examples=3)
    assert found.faults == {}
    assert found.operations == sum(len([name for name in item if name != "parameters"]) for item in document()["paths"].values())


def test_an_answer_that_is_not_described_is_reported(here: World) -> None:
    """The check above can fail: the description is made to say less, and other, than the kit does."""
    said = document()
    only = said["paths"]["/api/brand"]
    said["paths"] = {"/api/brand": only}
    assert called(here.people, 1, description=said).faults == {}
    only["get"]["responses"] = {"404": only["get"]["responses"]["200"]}
    assert any("UndefinedStatusCode 200" in fault for fault in called(here.people, 1, description=said).faults)


def test_mutated_requests_do_no_harm(tmp_path: Path) -> None:
    """Two thousand here, a hundred thousand in the full run: no 5xx, nothing of the code in answer or log, alive and no larger afterwards."""
    with web(tmp_path) as running:
        found = barrage(running, 2000)
    assert found.faults == []
    assert (found.alive, found.traces_in_log) == (True, 0)
    assert found.grown_bytes <= 64 * MEBIBYTE
    assert found.sent == 2000
    assert len(found.statuses) >= 8, found.statuses


def test_harm_would_be_reported(tmp_path: Path) -> None:
    """A 500, a traceback, and an answer that is no HTTP."""
    assert _judged(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")[1]
    assert _judged(b"HTTP/1.1 200 OK\r\n\r\nTraceback (most recent call last):")[1]
    assert _judged(b"Segmentation fault")[1]
    assert _judged(b"HTTP/1.1 404 Not Found\r\n\r\n{}") == ("404", "")
    with web(tmp_path) as running:
        assert answered(running.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == ("200", "")
        running.process.kill()
        running.process.wait()
        assert not running.is_alive()


def test_bytes_that_no_query_may_hold_are_words_like_others(here: World) -> None:
    """Neither a bare byte nor a broken escape in a query is a fault of the kit's."""
    for query in (b"q=r\xcbuter", b"q=%ff", b"q=%", b"\xff=\xfe&q=a", b"q=a&limit=\xb2"):
        for path in (b"/api/search?", b"/help?"):
            status, fault = answered(here.served.port, b"GET " + path + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (status in ("200", "422"), fault) == (True, ""), (path, query, status)


def test_the_same_seed_makes_the_same_requests() -> None:
    """So a fault can be made again; another seed makes others."""
    names = Names((b"",), ("c",))
    first, same, other = (Mutations(seed, names).next() for seed in (1, 1, 2))
    row = Mutations(3, names)
    assert first == same != other
    assert len({row.next() for _ in range(300)}) > 280
