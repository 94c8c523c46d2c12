"""The web process under those who ask too much, too slowly or never read: they pay for it, and nobody else does."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from kit.settings import ROOT
from tests.widget.pressure import KIB, answer_of, connect, connections_of, memory_kib, posted, within
from tests.widget.test_web_process import PASSWORD, Customer, Stream, Web
from widget.server import HELD_S, MOST_HELD


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    web = Web(
        tmp_path_factory.mktemp("var"),
        PROXIES="127.0.0.9",
        CONNECTIONS_PER_ADDRESS="150",
        MESSAGES_PER_MINUTE="60",
        WASTED_CONNECTIONS_PER_MINUTE="200",
    )
    yield web
    web.close()


@pytest.fixture
def customer(web: Web) -> Customer:
    return web.customer()


def test_a_gigabyte_is_refused_before_it_is_sent(web: Web, customer: Customer) -> None:
    """By what its head says, in words, within 50 ms; also to a client that just goes on sending."""
    head = f"POST {customer.path}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {1024**3}\r\n\r\n"
    took = []
    for _ in range(10):
        with connect(web) as connection:
            began = time.monotonic()
            connection.sendall(head.encode())
            status, answer = answer_of(connection)
            took.append(time.monotonic() - began)
            assert (status, answer["error"]["code"], answer["error"]["detail"]) == (413, "too_large", {"limit": 65536})
    assert min(took) < 0.05
    before = memory_kib(web)
    with connect(web) as connection:
        connection.sendall(head.encode())
        sent = 0
        try:
            for _ in range(1024):
                connection.sendall(b"x" * 1024 * KIB)
                sent += 1
        except OSError:
            pass  # told to stop
        assert sent < 100
    assert memory_kib(web) - before < 32 * KIB
    assert customer.says("still there") == 1


def test_pieces_without_end_are_refused_at_the_limit(web: Web, customer: Customer) -> None:
    """A body that does not say how long it is."""
    with connect(web) as connection:
        head = f"POST {customer.path}/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(17)))
        assert answer_of(connection)[0] == 413
        assert connection.recv(100) == b""


def test_connections_of_one_address_have_an_end(web: Web) -> None:
    """The next one is told so; another address and a proxy of ours are not touched, and who leaves makes room."""
    held = []
    try:
        for _ in range(150):
            held.append(connect(web, "127.0.0.5"))
        within(10, lambda: connections_of(web, "127.0.0.5") == 150)
        with connect(web, "127.0.0.5") as one_more:
            status, answer = answer_of(one_more)
            assert (status, answer["error"]["code"]) == (429, "too_many")
        proxied = [connect(web, "127.0.0.9") for _ in range(160)]
        held += proxied
        for connection in (connect(web, "127.0.0.6"), proxied[-1]):
            connection.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_of(connection)[0] == 401
            connection.close()
        held[0].close()
        time.sleep(0.2)  # web hears of it a moment later, and only its next connection shows that it has
        with connect(web, "127.0.0.5") as again:
            again.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_of(again)[0] == 401
    finally:
        for connection in held:
            connection.close()


def waste(web: Web, address: str) -> None:
    """As many connections as it takes until an address is not served any more: junk and silence alike."""
    for _ in range(200):
        connect(web, address).close()
        with connect(web, address) as connection, contextlib.suppress(ConnectionResetError):
            connection.sendall(b"junk\r\n\r\n")
            if connection.recv(100):
                continue
        return
    pytest.fail("it is served all the same")


def test_an_address_that_wastes_connections_is_not_served_for_a_moment(web: Web) -> None:
    """Other addresses are."""
    waste(web, "127.0.0.4")

    def answered(address: str) -> bool:
        with connect(web, address) as connection, contextlib.suppress(OSError, http.client.HTTPException):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            return answer_of(connection)[0] == 200
        return False

    began = time.monotonic()
    assert not answered("127.0.0.4")
    assert time.monotonic() - began > 0.5  # it is let wait, so that it comes seldom
    assert answered("127.0.0.3")
    within(5, lambda: answered("127.0.0.4"))


def test_connections_that_are_let_wait_are_few(web: Web) -> None:
    """More than that, and the oldest is closed at once."""
    waste(web, "127.0.0.5")
    with contextlib.ExitStack() as held:
        began = time.monotonic()
        oldest, *_ = [held.enter_context(connect(web, "127.0.0.5")) for _ in range(MOST_HELD + 20)]
        with contextlib.suppress(ConnectionResetError):
            assert oldest.recv(1) == b""
        assert time.monotonic() - began < HELD_S * 0.9


def test_only_a_proxy_says_who_calls(web: Web) -> None:
    """Its word makes cookies those of https; the same word from anybody else makes nothing of them."""
    body = json.dumps({"email": "a@b.example", "password": PASSWORD}).encode()
    names = {}
    for address in ("127.0.0.9", "127.0.0.1"):
        with connect(web, address) as connection:
            connection.sendall(posted("/api/session", body, "X-Forwarded-Proto: https"))
            response = http.client.HTTPResponse(connection)
            response.begin()
            response.read()
            names[address] = [cookie.partition("=")[0] for cookie in response.headers.get_all("Set-Cookie") or []]
    assert names == {"127.0.0.9": ["__Host-touchdesk", "__Host-touchdesk-device"], "127.0.0.1": ["touchdesk", "touchdesk-device"]}


def test_readers_that_stall_cost_little_and_are_gone_soon(web: Web, customer: Customer) -> None:
    """Thirty streams of a long conversation that nobody reads: below 1 MiB each in the process, and gone within some 10 s."""
    talks = [customer, web.customer()]
    for talk in talks:
        for n in range(40):
            assert talk.asks("POST", "/messages", {"client_id": f"long-{n}", "text": "👩" * 5000})[0] == 202
    for talk in talks:
        talk.stream().close()
    before, most = memory_kib(web), 0
    stalled = []
    for n in range(30):
        connection = connect(web, "127.0.0.7", receive_bytes=4096)
        talk = talks[n % 2]
        head = f"GET {talk.path}/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {talk.token}\r\n\r\n"
        connection.sendall(head.encode())
        stalled.append(connection)
    began = time.monotonic()
    within(5, lambda: connections_of(web, "127.0.0.7") == 30)
    while connections_of(web, "127.0.0.7") and time.monotonic() - began < 25:
        most = max(most, memory_kib(web) - before)
        time.sleep(0.1)  # the kernel's list can only be read again
    took_s = time.monotonic() - began
    for connection in stalled:
        connection.close()
    assert connections_of(web, "127.0.0.7") == 0
    assert took_s < 20
    assert most < 30 * KIB
    assert customer.asks("GET", "")[0] == 200


def test_a_flooding_visitor_is_told_and_the_others_are_served(web: Web) -> None:
    """Five hundred messages as fast as they go: the limit's worth is taken, the rest told to wait, and another's message is taken meanwhile."""
    flooder, other = web.customer(), web.customer()
    told: Counter[int] = Counter()

    def flood() -> None:
        connection = web.connect()
        for n in range(500):
            body = json.dumps({"client_id": f"flood-{n}", "text": "x"})
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {flooder.token}"}
            connection.request("POST", f"{flooder.path}/messages", body, headers)
            with connection.getresponse() as response:
                told[response.status] += 1
                response.read()
        connection.close()

    flooding = threading.Thread(target=flood)
    flooding.start()
    assert [other.says(f"meanwhile {n}") for n in range(5)]
    flooding.join(90)
    assert set(told) == {202, 429}
    assert 60 <= told[202] < 400
    assert flooder.asks("GET", "")[0] == 200


def signed_in(web: Web, account: dict[str, str] | None = None) -> tuple[dict[str, str], str]:
    """The cookies of a signed-in browser, and its second token."""
    connection = web.connect()
    body = json.dumps(account or {"email": "a@b.example", "password": PASSWORD})
    connection.request("POST", "/api/session", body, {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        cookies = "; ".join(cookie.partition(";")[0] for cookie in response.headers.get_all("Set-Cookie") or [])
        csrf_token = json.loads(response.read())["csrf_token"]
    connection.close()
    return {"Cookie": cookies}, csrf_token


def test_a_session_that_ends_closes_what_it_has_open_at_once(web: Web) -> None:
    """Signed out, or changed at the command line, by another process: the stream is closed within 2 s, the cookie is dead at once."""
    for way in ("sign out", "set-role"):
        headers, csrf_token = signed_in(web)
        stream = Stream(web.connect(), "/api/desk/events", headers)
        ended: list[float] = []
        reading = threading.Thread(target=lambda stream=stream, ended=ended: (read_out(stream), ended.append(time.monotonic())))
        reading.start()
        time.sleep(0.2)  # so that it is at rest in the stream, not on its way there
        if way == "sign out":
            connection = web.connect()
            connection.request("DELETE", "/api/session", headers={**headers, "X-CSRF-Token": csrf_token})
            with connection.getresponse() as response:
                assert response.status == 204
            connection.close()
        else:
            command = [sys.executable, "-m", "desk", way, "a@b.example", "administrator"]
            subprocess.run(command, cwd=ROOT, env=web.environment, check=True, capture_output=True, timeout=60)
        at = time.monotonic()
        connection = web.connect()
        connection.request("GET", "/api/session", headers=headers)
        with connection.getresponse() as response:
            assert response.status == 401
        connection.close()
        reading.join(20)
        assert ended, way
        assert ended[0] - at < 2, way
        stream.close()


def read_out(stream: Stream) -> None:
    while stream.frame():
        pass


def test_hundreds_of_guesses_from_many_addresses(web: Web) -> None:
    """Ten are looked at. Meanwhile the owner's own browser signs in within a second, and a customer's message is taken.

    `tests.widget.flood` has the full count of a thousand.
    """
    command = [sys.executable, "-m", "desk", "add-staff", "owner@b.example", "Owner"]
    made = json.loads(subprocess.run(command, cwd=ROOT, env=web.environment, check=True, capture_output=True, timeout=60).stdout)["created"]
    headers, _ = signed_in(web, made)
    told: list[int] = []
    guess = json.dumps({"email": made["email"], "password": "a guess"}).encode()

    def attack(part: int) -> None:
        for n in range(part, 304, 8):
            with connect(web, "127.0.0.9") as connection:  # each is another client of our proxy
                connection.sendall(posted("/api/session", guess, f"X-Forwarded-For: 198.51.100.{n % 200}"))
                told.append(answer_of(connection)[0])

    def sign_in_s() -> float:
        """How long the owner's own browser takes to sign in."""
        connection = web.connect()
        began = time.monotonic()
        connection.request("POST", "/api/session", json.dumps(made), {"Content-Type": "application/json", **headers})
        with connection.getresponse() as response:
            assert response.status == 200
            response.read()
        connection.close()
        return time.monotonic() - began

    quiet_s = max(sign_in_s() for _ in range(3))
    attackers = [threading.Thread(target=attack, args=(part,)) for part in range(8)]
    for attacker in attackers:
        attacker.start()
    within(10, lambda: len(told) > 20)  # the attack is on its way, beyond the guesses that are looked at
    took = []
    while any(attacker.is_alive() for attacker in attackers) or not took:
        took.append(sign_in_s())
    for attacker in attackers:
        attacker.join(60)
    assert told.count(401) <= 10
    assert told.count(429) > 200
    assert len(told) == 304
    assert set(told) <= {401, 429, 503}  # 503: the database was busy for 5 s
    assert sorted(took)[len(took) // 2] < max(1.0, 5 * quiet_s)  # on a busy machine even one sign-in by itself takes a second
    assert web.customer().says("hello") == 1
