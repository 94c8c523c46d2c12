"""The brand over HTTP: what the widget asks for, style sheet and logo, other sites, changes while the kit runs, and what is told of faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from kit.settings import Settings
from tests.contract.described import Caller, Description
from tests.contract.kit_stand_in import SHOP, Neighbours, neighbours, web_services
from widget.app import create_app
from widget.services import Services

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BRAND = """\
name: Kestrel & Sons <b>
logo: logo.svg
colours:
  light: "#b3361e"
greeting: Hello!
topics: [router-red-light, pigeons]
email: help@kestrel.example
time_zone: Europe/Lisbon
hours: {monday: 9-17}
"""
SATURDAY = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbours]:
    with neighbours() as server:
        yield server


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, around: Neighbours) -> Iterator[Services]:
    """The parts of an app that has one public article, `router-red-light`."""
    with web_services(tmp_path_factory.mktemp("var"), around) as built:
        yield built


class Company:
    """A folder with a brand.yml, and the app that reads it."""

    def __init__(self, folder: Path, services: Services) -> None:
        self.folder, self.services, self.now = folder, services, SATURDAY
        self.settings: Settings = replace(services.settings, brand=folder / "brand.yml")
        (folder / "logo.svg").write_text(LOGO, encoding="utf-8")

    def writes(self, text: str) -> None:
        (self.folder / "brand.yml").write_text(text, encoding="utf-8")

    def starts(self) -> FlaskClient:
        self.app = create_app(self.settings, self.services, clock=lambda: self.now)
        return self.app.test_client()

    def brand(self, client: FlaskClient) -> dict[str, Any]:
        """What `GET /api/brand` says, held against its description."""
        found: dict[str, Any] = Caller(client, self.app.url_map, Description()).call("GET", "/api/brand").get_json()
        return found

    def notes(self, client: FlaskClient) -> list[str]:
        found: list[str] = client.get("/readyz").get_json()["notes"]
        return found


@pytest.fixture
def company(tmp_path: Path, services: Services) -> Company:
    company = Company(tmp_path, services)
    company.writes(BRAND)
    return company


def test_what_the_widget_is_told(company: Company) -> None:
    """All of the brand; a quick topic without a public article is left out."""
    brand = company.brand(company.starts())
    assert brand["name"] == "Kestrel & Sons <b>"
    assert brand["topics"] == [{"slug": "router-red-light", "title": "Router shows a red light"}]
    assert brand["colours"]["light"]["brand"] == "#b3361e"
    assert (brand["greeting"], brand["tone"], brand["email"]) == ("Hello!", "friendly", "help@kestrel.example")
    assert re.fullmatch(r"/brand/logo\?v=[0-9a-f]{12}", brand["logo"])


def test_hours_go_with_the_clock(company: Company) -> None:
    """On Saturday the next opening is told, on Monday that somebody is here."""
    client = company.starts()
    assert company.brand(client)["hours"] == {"open": False, "opens_at": "2026-11-23T09:00:00Z"}
    company.now = MONDAY
    assert company.brand(client)["hours"] == {"open": True, "opens_at": None}


def test_a_company_that_is_never_there(company: Company) -> None:
    """Closed, without a date."""
    company.writes(BRAND.replace("{monday: 9-17}", "{monday: closed}"))
    assert company.brand(company.starts())["hours"] == {"open": False, "opens_at": None}


def test_a_brand_that_says_nothing(company: Company) -> None:
    """Null where nothing was said; the pages have a name and a mark of their own."""
    company.writes("")
    client = company.starts()
    expected = {"name": None, "logo": None, "colours": None, "greeting": None, "tone": "friendly", "topics": [], "email": None}
    assert company.brand(client) == {**expected, "hours": {"open": True, "opens_at": None}}
    assert "<title>Help centre · Support</title>" in client.get("/help").text
    assert client.get("/brand/logo").text.startswith("<svg")
    assert "--td-" not in client.get("/static/brand.css").text


def test_the_pages_carry_name_logo_and_colours(company: Company) -> None:
    """Escaped, on the help centre, an error page and the desk."""
    client = company.starts()
    for path in ("/help", "/help/router-red-light", "/nowhere", "/desk"):
        page = client.get(path, headers={"Accept": "text/html"}).text
        assert "Kestrel &amp; Sons &lt;b&gt;" in page, path
        (style,) = re.findall(r'href="(/static/brand\.css\?v=\w+)"', page)
        logos = set(re.findall(r'"(/brand/logo\?v=\w+)"', page))
        assert "--td-brand: #b3361e;" in client.get(style).text, path
        assert [client.get(logo).text for logo in logos] == [LOGO], path
    assert "Hearthlink" in client.get("/shop/").text


def test_the_style_sheet_has_both_schemes(company: Company) -> None:
    """Properties over those of tokens.css, for light and for dark, each a plain colour."""
    sheet = company.starts().get("/static/brand.css")
    assert sheet.mimetype == "text/css"
    light, dark = sheet.text.split("@media (prefers-color-scheme: dark)")
    for half in (light, dark):
        assert re.findall(r"--td-([\w-]+): #[0-9a-f]{6};", half) == ["brand", "brand-strong", "brand-soft", "on-brand"]


def test_a_logo_never_runs(company: Company) -> None:
    """An SVG with a script in it, opened by itself, is in a sandbox without scripts."""
    answer = company.starts().get("/brand/logo")
    assert answer.mimetype == "image/svg+xml"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/brand", "/static/brand.css", "/brand/logo"])
def test_sites_of_the_list_may_read_it(company: Company, path: str) -> None:
    """Those in TOUCHDESK_SITES and no other; files may be shown anywhere."""
    client = company.starts()
    assert client.get(path, headers={"Origin": SHOP}).headers["Access-Control-Allow-Origin"] == SHOP
    assert "Access-Control-Allow-Origin" not in client.get(path, headers={"Origin": "https://evil.example"}).headers
    if not path.startswith("/api/"):
        answer = client.get(path)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_change_is_live_at_once(company: Company) -> None:
    """Of the file and of the logo, also when it was broken in between; an address that changes with them keeps no cache stale."""
    client = company.starts()
    before = company.brand(client)["logo"]
    company.writes("name: [")
    assert company.brand(client)["name"] is None
    company.writes(BRAND.replace("Kestrel & Sons <b>", "Merlin"))
    assert company.brand(client)["name"] == "Merlin"
    after = company.brand(client)["logo"]
    (company.folder / "logo.svg").write_text(LOGO.replace("alert(1)", "alert(22)"), encoding="utf-8")
    assert len({before, after, company.brand(client)["logo"]}) == 3


def test_faults_are_told_at_the_start_and_to_operators(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    """File, line, field and reason, in the log before the first request and in /readyz; the app works."""
    company.writes(BRAND.replace('"#b3361e"', "red").replace("Europe/Lisbon", "Mars/Phobos"))
    client = company.starts()
    place = company.folder / "brand.yml"
    for told in ([record.getMessage() for record in caplog.records], company.notes(client)):
        assert f"{place}:4: colours.light: 'red' is not a colour; wanted one such as \"#0b6e5f\", in quotation marks" in told
        assert any(line.startswith(f"{place}:8: time_zone: 'Mars/Phobos' is not a time zone") for line in told)
    assert f"{place}: topics: 'pigeons' is not a published public article" in company.notes(client)
    assert company.brand(client)["name"] == "Kestrel & Sons <b>"


def test_a_fault_is_logged_once(company: Company, caplog: pytest.LogCaptureFixture) -> None:
    """Not with every request."""
    company.writes("tone: jolly")
    client = company.starts()
    for _ in range(3):
        company.brand(client)
    assert len([record for record in caplog.records if "jolly" in record.getMessage()]) == 1


def _a_folder(path: Path) -> None:
    path.mkdir()


def _nothing(path: Path) -> None:
    """The file is not there."""


def _latin(path: Path) -> None:
    path.write_bytes("name: Käse".encode("latin-1"))


UNREADABLE = [(_nothing, "cannot be read: No such file"), (_a_folder, "cannot be read: Is a dir"), (_latin, "not UTF-8 (byte 7)")]


@pytest.mark.parametrize(("make", "reason"), UNREADABLE)
def test_a_brand_that_cannot_be_read(company: Company, make: Callable[[Path], None], reason: str) -> None:
    """Missing, a folder, or in another encoding: every default, and a sentence."""
    (company.folder / "brand.yml").unlink()
    make(company.folder / "brand.yml")
    client = company.starts()
    assert company.brand(client)["name"] is None
    assert [note for note in company.notes(client) if note.startswith(f"{company.folder / 'brand.yml'}: {reason}")]


@pytest.mark.parametrize(
    ("logo", "content", "reason"),
    [
        ("away.svg", None, "cannot be read: No such file or directory"),
        ("../logo.svg", b"<svg/>", "must lie in"),
        ("/etc/hostname", None, "must lie in"),
        ("logo.html", b"<svg/>", "wanted a .svg or a .png"),
        ("logo.png", b"<svg/>", "is not what its ending says"),
        ("huge.svg", b"<svg>" + b" " * 262_144, "larger than 256 KiB"),
    ],
)
def test_a_logo_that_cannot_be_used(company: Company, logo: str, content: bytes | None, reason: str) -> None:
    """Told with the line that names it; the mark of our own stands in, and nothing outside the folder is ever served."""
    if content is not None:
        (company.folder / logo).write_bytes(content)
    company.writes(BRAND.replace("logo.svg", logo))
    client = company.starts()
    assert any(note.startswith(f"{company.folder / 'brand.yml'}:2: logo: {logo}: {reason}") for note in company.notes(client)), company.notes(client)
    assert company.brand(client)["logo"] is None
    assert 'fill="#b3361e"' in client.get("/brand/logo").text


def test_a_logo_that_comes_later_is_taken(company: Company) -> None:
    """Without a start or a touch of brand.yml."""
    (company.folder / "logo.svg").unlink()
    client = company.starts()
    assert company.brand(client)["logo"] is None
    (company.folder / "logo.svg").write_text(LOGO, encoding="utf-8")
    assert company.brand(client)["logo"] is not None
