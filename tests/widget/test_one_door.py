"""One door: pages of other sites come in only where the settings say so, and no write of staff passes without its second token."""

from __future__ import annotations

import random

import pytest

from kit.errors import SettingError
from kit.settings import read_settings
from tests.widget.conftest import SITE, Customer, Kit, Staff
from tests.widget.test_bad_input import check_shape, rules
from tests.widget.test_customer_api import code
from widget.origins import CUSTOMER_CALLS, CUSTOMER_PATHS, Origin, as_written, is_allowed, read_origin

HOSTILE = [
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "https://evil-shop.example",
    "https://shop.example-evil.example",
    "https://shopxexample",
    "https://sub.shop.example",
    "https://www.shop.example",
    "https://shop.example:8443",
    "https://shop.example:443",
    "https://shop.example:0443",
    "https://shop.example:",
    "https://shop.example:x",
    "https://shop.example:99999",
    "http://shop.example",
    "http://shop.example:443",
    "HTTPS://shop.example",
    "https://SHOP.example",
    "https://shop.example.",
    "https://shop.example/",
    "https://shop.example//",
    "https://shop.example/path",
    "https://shop.example?x",
    "https://shop.example#x",
    "https://shop.example\\.evil.example",
    "https://shop.example%2eevil.example",
    "https://shop.example@evil.example",
    "https://evil.example@shop.example",
    "https://user:word@shop.example",
    "https://shop.example, https://evil.example",
    "https://evil.example https://shop.example",
    " https://shop.example",
    "https:// shop.example",
    "https:/shop.example",
    "https:shop.example",
    "//shop.example",
    "shop.example",
    "https://",
    "https://shоp.example".encode().decode("latin-1"),
    "https://xn--shp-3ra.example",
    "https://[shop.example]",
    "https://[::1]:7599",
    "http://127.0.0.1",
    "http://127.0.0.1:75990",
    "http://127.1:7599",
    "http://2130706433:7599",
    "http://localhost:7599",
    "http://0.0.0.0:7599",
    "file://",
    "null",
    "*",
    "about:blank",
    "data:text/html,x",
    "chrome-extension://shop.example",
    "blob:https://shop.example",
    "ws://shop.example",
    "x" * 10_000,
]


@pytest.mark.parametrize("origin", HOSTILE)
def test_a_page_of_another_site_is_refused(kit: Kit, customer: Customer, origin: str) -> None:
    """Whatever its name looks like, and whatever else the request says; nothing happens and nothing may be read."""
    before = len(kit.house.rows("SELECT id FROM conversations"))
    for method in ("GET", "POST", "OPTIONS"):
        headers = {"Origin": origin, "X-Forwarded-Host": "shop.example", "Sec-Fetch-Site": "cross-site", **customer.headers}
        answer = customer.client.open("/api/conversations", method=method, headers=headers)
        assert code(answer) == (403, "forbidden")
        check_shape(answer)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert "Origin" in answer.headers["Vary"]
    assert len(kit.house.rows("SELECT id FROM conversations")) == before


def test_two_origins_at_once_are_none(kit: Kit) -> None:
    """As two headers come together."""
    answer = kit.app.test_client().get("/api/brand", headers=[("Origin", SITE), ("Origin", "https://evil.example")])
    assert "Access-Control-Allow-Origin" not in answer.headers or answer.headers["Access-Control-Allow-Origin"] == SITE
    assert not is_allowed(f"{SITE},https://evil.example", (SITE,))


def test_pages_of_the_kit_and_of_its_sites_come_in(customer: Customer) -> None:
    """The kit's own by what the browser says, or by their address; a program has no origin."""
    for headers in (
        {},
        {"Origin": SITE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:7599"},
        {"Origin": "http://localhost"},
        {"Origin": "https://localhost", "Host": "localhost"},
        {"Origin": "http://localhost:8000", "Host": "localhost:8000"},
        {"Origin": "https://kit.example", "Sec-Fetch-Site": "same-origin"},
    ):
        answer = customer.client.get("/api/conversations", headers=customer.headers | headers)
        assert answer.status_code == 200, headers
        listed = headers.get("Origin") in (SITE, "http://127.0.0.1:7599")
        assert answer.headers.get("Access-Control-Allow-Origin") == (headers["Origin"] if listed else None)


@pytest.mark.parametrize("origin", ["http://localhost:8001", "https://localhost:8000", "http://localhost", "http://localhost.evil.example:8000"])
def test_another_port_is_another_site(customer: Customer, origin: str) -> None:
    """On the same machine too."""
    headers = customer.headers | {"Origin": origin, "Host": "localhost:8000"}
    expected = 200 if origin == "https://localhost:8000" else 403  # what the kit is reached by it may not know, behind a proxy
    assert customer.client.get("/api/conversations", headers=headers).status_code == expected


def test_what_is_for_staff_is_for_no_other_site(kit: Kit) -> None:
    """Not even for the sites of the settings: every call of the API that is not the customers', with a session and its token."""
    boss = kit.staff("Boss", "administrator")
    asked = 0
    for method, path in rules(kit):
        if path.startswith("/api/") and not path.startswith(CUSTOMER_CALLS):
            for origin in (SITE, "https://evil.example", "null"):
                answer = boss.client.open(path, method=method, json={}, headers={"X-CSRF-Token": boss.csrf, "Origin": origin}, buffered=True)
                assert answer.status_code == 403, (method, path)
                assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
                asked += 1
    assert asked > 50
    assert boss.get("/api/session").status_code == 200


def test_pages_and_files_of_staff_say_nothing_to_other_sites(kit: Kit) -> None:
    """The desk, its files, and what operators ask."""
    for _, path in rules(kit):
        if not path.startswith(CUSTOMER_PATHS):
            answer = kit.app.test_client().get(path, headers={"Origin": SITE}, buffered=True)
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")], path


def test_customers_calls_know_no_cookies(kit: Kit, customer: Customer) -> None:
    """None is ever set, none allowed, and a cookie of staff opens nothing there."""
    boss = kit.staff("Boss", "administrator")
    for method, path in rules(kit):
        if path.startswith(CUSTOMER_PATHS):
            answer = customer.client.open(path, method=method, json={} if method == "POST" else None, headers={"Origin": SITE}, buffered=True)
            assert "Set-Cookie" not in answer.headers, path
            assert "Access-Control-Allow-Credentials" not in answer.headers, path
    assert code(boss.get(f"/api/conversations/{customer.id}")) == (401, "unauthorized")


def test_an_origin_is_read_by_its_parts() -> None:
    """And written back as browsers write it."""
    assert read_origin("https://shop.example") == Origin("https", "shop.example", 443)
    assert read_origin("http://127.0.0.1:7599") == Origin("http", "127.0.0.1", 7599)
    assert read_origin("http://[::1]:80") is None
    assert as_written(Origin("http", "::1", 80)) == "http://[::1]"
    assert read_origin("http://[::1]") == Origin("http", "::1", 80)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_sites_are_brought_into_the_form_of_browsers(written: str, meant: str) -> None:
    """However the owner writes them, a browser's header fits."""
    (site,) = read_settings({"TOUCHDESK_SITES": written}).sites
    assert site == meant
    assert is_allowed(meant, (site,))


@pytest.mark.parametrize(
    "written", ["shop.example", "https://shop.example/path", "*", "https://*.shop.example/x", "https://a@shop.example", "ftp://x"]
)
def test_a_site_that_is_no_origin_stops_the_start(written: str) -> None:
    """With the name of the variable."""
    with pytest.raises(SettingError, match="TOUCHDESK_SITES"):
        read_settings({"TOUCHDESK_SITES": written})


WRITES = ("POST", "PUT", "PATCH", "DELETE")
OPEN_WRITES = {("POST", "/api/session")}
"""Signing in: there is no session yet whose token could be sent, and the body's type keeps plain forms of other pages out."""


def staff_writes(kit: Kit) -> list[tuple[str, str]]:
    """Every write of the app that is not a customer's, from the app itself."""
    writes = [(method, path) for method, path in rules(kit) if method in WRITES and not path.startswith(CUSTOMER_CALLS)]
    return [write for write in writes if write not in OPEN_WRITES]


def wrong_tokens(own: Staff, other: Staff) -> list[dict[str, str]]:
    """No token, and many that are nearly right."""
    good = own.csrf
    guesses = ["", " ", "guess", "null", "0", good[:-1], good[1:], good + "x", good.swapcase(), f'"{good}"', f"{good},{good}", other.csrf]
    shuffled = list(good)
    random.Random(7).shuffle(shuffled)
    names = [{"X-Csrf-Tokens": good}, {"X-XSRF-Token": good}, {"Cookie": f"csrf_token={good}"}, {"Authorization": f"Bearer {good}"}]
    return [{}, *names, *({"X-CSRF-Token": guess} for guess in [*guesses, "".join(shuffled)])]


def test_no_write_of_staff_passes_without_its_second_token(kit: Kit, customer: Customer) -> None:
    """Every one there is, with everything but the right token, changes nothing; each with the right token gets further."""
    boss, other = kit.staff("Boss", "administrator"), kit.staff("Other", "administrator")
    writes = staff_writes(kit)
    assert len(writes) >= 12
    tables = ("conversations", "events", "notes", "sessions", "api_keys", "touchpoints", "desk_changes")
    before = {table: kit.house.rows(f"SELECT * FROM {table}") for table in tables}
    for method, path in writes:
        for headers in wrong_tokens(boss, other):
            if "Cookie" in headers:
                session = boss.signed_in.headers.getlist("Set-Cookie")[0].partition(";")[0]
                headers = {"Cookie": f"{session}; {headers['Cookie']}"}
            answer = boss.client.open(path.replace("nothing-here", customer.id), method=method, json={}, headers=headers)
            assert code(answer) == (403, "forbidden"), (method, path, headers)
    assert {table: kit.house.rows(f"SELECT * FROM {table}") for table in tables} == before
    for method, path in sorted(writes, key=lambda write: write == ("DELETE", "/api/session")):
        assert boss.write(method, path, {}).status_code != 403, (method, path)


def test_signing_in_takes_no_plain_form(kit: Kit) -> None:
    """The one write without a second token cannot be sent by a foreign page without asking first, which is refused."""
    kit.staff()
    client = kit.app.test_client()
    body = '{"email": "ada@desk.example", "password": "correct horse battery"}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert client.post("/api/session", data=body, content_type=content_type).status_code == 415
    assert client.post("/api/session", data=body, content_type="application/json", headers={"Origin": "https://evil.example"}).status_code == 403
