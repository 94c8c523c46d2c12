"""Who really calls: headers of proxies count where they come from a proxy of the settings, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from kit.errors import SettingError
from kit.settings import read_settings
from tests.widget.conftest import PASSWORD, Kit
from widget.limits import SHUT_OUT_S, AddressPlaces
from widget.proxies import BehindProxies, address_key, client_address, networks, plain_address

PROXIES = networks(("10.0.0.1", "192.168.0.0/16", "fd00::/8"))

READ = [
    ("203.0.113.1", "", "203.0.113.1"),
    ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
    ("10.0.0.2", "198.51.100.1", "10.0.0.2"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("fd00::1", "2001:db8::1", "2001:db8::1"),
    ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
    ("10.0.0.1", "6.6.6.6, 198.51.100.1, 192.168.3.4", "198.51.100.1"),
    ("10.0.0.1", "192.168.3.4, 192.168.3.5", "192.168.3.4"),
    ("10.0.0.1", "198.51.100.1:5678", "198.51.100.1"),
    ("10.0.0.1", "[2001:db8::1]:5678", "2001:db8::1"),
    ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
    ("10.0.0.1", "unknown", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1, <script>", "10.0.0.1"),
    ("10.0.0.1", "6.6.6.6, 192.168.3.4, junk, 192.168.3.5", "192.168.3.5"),
    ("10.0.0.1", ",,", "10.0.0.1"),
    ("10.0.0.1", "1" * 10_000, "10.0.0.1"),
]


@pytest.mark.parametrize(("peer", "forwarded_for", "client"), READ)
def test_the_client_is_the_nearest_address_that_is_no_proxy(peer: str, forwarded_for: str, client: str) -> None:
    """Read from the connection backwards; what a client wrote itself stands further away and is never reached."""
    assert client_address(plain_address(peer) or "", forwarded_for, PROXIES) == client


FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Ssl": "on",
    "X-Real-Ip": "6.6.6.6",
    "Forwarded": "for=6.6.6.6;proto=https",
}


def seen_behind(peer: str, **headers: str) -> dict[str, Any]:
    """What the app sees of a request."""
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("200 OK", [])
        return []

    Client(BehindProxies(app, PROXIES)).get("/", headers=FORGED | headers, environ_overrides={"REMOTE_ADDR": peer})
    return seen


def test_what_anybody_else_says_is_not_even_seen() -> None:
    """All such headers are gone; the address is the connection's."""
    seen = seen_behind("203.0.113.1")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("203.0.113.1", "http")
    assert not [name for name in seen if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.parametrize(("said", "scheme"), [("https", "https"), ("http, https", "https"), ("HTTPS", "https"), ("javascript", "http"), ("", "http")])
def test_a_proxy_of_ours_tells_address_and_scheme(said: str, scheme: str) -> None:
    """And nothing else; of several schemes the nearest proxy's counts."""
    seen = seen_behind("10.0.0.1", **{"X-Forwarded-Proto": said})
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("6.6.6.6", scheme)
    assert not [name for name in seen if "FORWARDED" in name or "REAL_IP" in name]


def test_cookies_are_bound_to_the_host_over_https_alone(kit: Kit) -> None:
    """`__Host-`, Secure and SameSite where our proxy says https; plain names on http, and where somebody else says https."""
    kit.staff()
    client = Client(BehindProxies(kit.app.wsgi_app, PROXIES))
    for peer, secure in (("10.0.0.1", True), ("203.0.113.1", False), ("127.0.0.1", False)):
        account = {"email": "ada@desk.example", "password": PASSWORD}
        answer = client.post("/api/session", json=account, headers={"X-Forwarded-Proto": "https"}, environ_overrides={"REMOTE_ADDR": peer})
        cookies = answer.headers.getlist("Set-Cookie")
        assert [cookie.startswith("__Host-touchdesk") for cookie in cookies] == [secure] * 2
        for cookie in cookies:
            parts = cookie.split("; ")
            assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(parts)
            assert ("Secure" in parts) is secure
            assert "Domain" not in cookie


def test_browsers_are_told_to_come_back_over_https_where_they_came_over_it(kit: Kit) -> None:
    """For two years and for names below this one; nothing of the kind over plain http, where it would not be heeded."""
    client = Client(BehindProxies(kit.app.wsgi_app, PROXIES))
    for peer, told in (("10.0.0.1", "max-age=63072000; includeSubDomains"), ("203.0.113.1", None)):
        for path in ("/api/brand", "/healthz", "/nothing"):
            answer = client.get(path, headers={"X-Forwarded-Proto": "https"}, environ_overrides={"REMOTE_ADDR": peer})
            assert answer.headers.get("Strict-Transport-Security") == told


def test_addresses_of_one_network_count_as_one() -> None:
    """Of IPv6 the first 64 bits, which are what a customer is given."""
    assert address_key("2001:db8:0:1::1") == address_key("2001:db8:0:1:ffff::2") == "2001:db8:0:1::/64"
    assert address_key("2001:db8:0:2::1") != address_key("2001:db8:0:1::1")
    assert address_key("203.0.113.1") == "203.0.113.1"
    assert address_key("junk:") == "junk:"


def test_our_proxies_open_as_many_connections_as_they_like() -> None:
    """They carry everybody; any other address has its number, and gets it back."""
    places = AddressPlaces(2, PROXIES)
    assert all(places.enter("10.0.0.1") for _ in range(100))
    assert [places.enter("203.0.113.1") for _ in range(3)] == [True, True, False]
    assert [places.enter(f"2001:db8::{n}") for n in (1, 2, 3)] == [True, True, False]
    places.leave("203.0.113.1")
    assert places.enter("203.0.113.1")


def test_an_address_that_wastes_its_connections_is_shut_out_for_a_moment() -> None:
    """Beyond its number a minute, and only it; our proxies never. Later it may waste as many as time has given back."""
    now = [0.0]
    places = AddressPlaces(2, PROXIES, wasted_per_minute=60, clock=lambda: now[0])
    for address in ("203.0.113.1", "10.0.0.1"):
        for _ in range(60):
            places.waste(address)
    assert not places.is_shut_out("203.0.113.1")
    for address in ("203.0.113.1", "10.0.0.1"):
        places.waste(address)
    assert places.is_shut_out("203.0.113.1")
    assert not places.is_shut_out("203.0.113.2")
    assert not places.is_shut_out("10.0.0.1")
    now[0] += SHUT_OUT_S
    assert not places.is_shut_out("203.0.113.1")
    places.waste("203.0.113.1")
    places.waste("203.0.113.1")
    assert not places.is_shut_out("203.0.113.1")
    places.waste("203.0.113.1")
    assert places.is_shut_out("203.0.113.1")


@pytest.mark.parametrize("value", ["nginx", "10.0.0.1/33", "10.0.0.5/24", "*"])
def test_a_proxy_that_is_no_address_stops_the_start(value: str) -> None:
    """Rather than trust too much."""
    with pytest.raises(SettingError, match="TOUCHDESK_PROXIES"):
        read_settings({"TOUCHDESK_PROXIES": value})


def test_proxies_are_read_from_the_settings() -> None:
    """Addresses and networks, of both kinds."""
    assert read_settings({"TOUCHDESK_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"}).proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")
