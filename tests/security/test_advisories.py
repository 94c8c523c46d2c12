"""Known holes of what is installed: the table of waivers is true to what is there, and the check says what it knows and what it could not ask."""

from __future__ import annotations

import ast
import json
import re
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from kit.advisories import NOT_CHECKED, Hole, Installed, ServiceAway, ask_index, both_halves, check, is_waived, normal, read_table
from kit.settings import ROOT

TABLE = read_table()
WAIVERS, FLOORS = TABLE["waiver"], TABLE["floor"]
THERE = {(package.half, normal(package.name)): package.version for package in both_halves()}


def wrong_with(waiver: dict[str, Any], there: dict[tuple[str, str], str]) -> list[str]:
    """What is not as it should be about a waiver."""
    wrong = []
    if there.get(("bot", normal(waiver["package"]))) != waiver["installed"]:
        wrong.append(f"{waiver['package']} {waiver['installed']} is not installed in the bot half")
    if not exists(waiver["condition"]):
        wrong.append(f"{waiver['condition']} is no test")
    if not waiver["ids"] or not all(re.fullmatch(r"(CVE-\d{4}-\d{4,}|GHSA(-\w{4}){3}|PYSEC-\d{4}-\d+)", one) for one in waiver["ids"]):
        wrong.append("ids are missing or none")
    if len(waiver["why"].split()) < 10 or waiver["source"] not in ("registry", "public") or not isinstance(waiver["read"], date):
        wrong.append("the reason is too thin")
    return wrong


def exists(test: str) -> bool:
    """Whether ``file::name`` is a test of ours."""
    file, _, name = test.partition("::")
    path = ROOT / file
    return path.is_file() and any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("waiver", WAIVERS, ids=lambda waiver: waiver["package"])
def test_a_waiver_names_what_is_installed_why_it_does_not_matter_and_the_test_that_shows_it(waiver: dict[str, Any]) -> None:
    """Package and version as installed, advisory ids, a reason, an existing test."""
    assert wrong_with(waiver, THERE) == []


def test_a_waiver_that_no_longer_fits_is_found() -> None:
    """Another version, a package that has gone, a test that has been renamed, no reason."""
    good = dict(WAIVERS[0])
    for change in ({"installed": "0.0.1"}, {"package": "no-such-package"}, {"condition": "tests/security/test_advisories.py::gone"}, {"why": "fine"}):
        assert wrong_with(good | change, THERE) != []


def test_the_web_half_needs_no_waiver_and_holds_no_version_known_to_be_bad() -> None:
    """Every package with a floor is installed, and at or above it."""
    low = [floor["package"] for floor in FLOORS if numbers(THERE[("web", normal(floor["package"]))]) < numbers(floor["least"])]
    assert low == []


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


WEB, BOT = Installed("web", "Flask", "1.0"), Installed("bot", "Sanic-Cors", "2.0.1")
WAIVER = {"package": "sanic_cors", "installed": "2.0.1", "ids": ["CVE-2026-37737"]}


def told(packages: list[Installed], holes: dict[str, list[str]], waivers: list[dict[str, Any]], silent: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit code and words of a check, with a service that knows these holes and says nothing about some packages."""
    said: list[str] = []

    def ask(package: Installed) -> list[Hole]:
        if package.name in silent:
            raise ServiceAway(package.name)
        return [Hole(package, frozenset(holes[package.name]))] if package.name in holes else []

    return check(packages, waivers, ask, said.append), "\n".join(said)


def test_a_hole_in_the_web_half_fails_even_with_a_waiver() -> None:
    """There is no excuse for what faces the world."""
    code, said = told([WEB, BOT], {"Flask": ["CVE-1"]}, [{"package": "Flask", "installed": "1.0", "ids": ["CVE-1"]}])
    assert code == 1
    assert "web half: Flask 1.0 has CVE-1" in said


def test_a_hole_in_the_bot_half_fails_unless_waived_for_that_version_and_id() -> None:
    """An alias of the same advisory counts; another id or version does not."""
    assert told([WEB, BOT], {"Sanic-Cors": ["GHSA-x", "CVE-2026-37737"]}, [WAIVER])[0] == 0
    assert told([WEB, BOT], {"Sanic-Cors": ["CVE-2027-1"]}, [WAIVER])[0] == 1
    assert told([WEB, BOT], {"Sanic-Cors": ["CVE-2026-37737"]}, [WAIVER | {"installed": "2.0.0"}])[0] == 1
    assert not is_waived(Hole(WEB, frozenset(["CVE-2026-37737"])), [WAIVER | {"package": "Flask", "installed": "1.0"}])


def test_what_could_not_be_asked_is_said() -> None:
    """No service: one plain line. One package without an answer: that one is named."""
    code, said = told([WEB, BOT], {}, [], silent=("Flask",))
    assert (code, NOT_CHECKED in said, "2 packages" in said) == (0, True, True)
    code, said = told([WEB, BOT], {}, [], silent=("Sanic-Cors",))
    assert (code, f"{NOT_CHECKED}: Sanic-Cors" in said, "1 not checked" in said) == (0, True, True)


class _Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = [{"id": "PYSEC-1", "aliases": ["CVE-1"], "withdrawn": None}, {"id": "PYSEC-2", "aliases": [], "withdrawn": "2026-01-01"}]
        content = json.dumps({"vulnerabilities": known}).encode() if self.path == "/Flask/1.0/json" else b"{}"
        self.send_response(200 if self.path != "/Sanic-Cors/2.0.1/json" else 404)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


@pytest.fixture
def index() -> Iterator[str]:
    """An index on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_the_indexs_records_are_read(index: str) -> None:
    """Ids with their aliases, what was withdrawn left out; a version it does not know, or an answer of another shape, is no all-clear."""
    assert ask_index(WEB, index) == [Hole(WEB, frozenset({"PYSEC-1", "CVE-1"}))]
    for package in (BOT, Installed("web", "other", "1")):
        with pytest.raises(ServiceAway):
            ask_index(package, index)
    with pytest.raises(ServiceAway):
        ask_index(WEB, "http://127.0.0.1:9")
