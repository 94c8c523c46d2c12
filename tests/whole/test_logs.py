"""The logs of the whole kit: canaries through every door, then every byte of every log file is looked at; and a log that nobody takes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from kit.processes import RunningKit
from kit.settings import with_secrets
from tests.whole.people import Agent, Customer

CANARY = "zq7canary"
E_MAIL = f"{CANARY}@customer.example"
TIMEOUT_S = 15
PROGRAMS = ("web", "rasa", "actions", "search")
HEADERS = {"User-Agent": CANARY, "Referer": f"https://{CANARY}.example/", "Cookie": f"touchdesk={CANARY}", "X-Forwarded-For": f"{CANARY}"}


def raw(port: int, request: bytes, address: str = "127.0.0.1") -> None:
    """Send bytes from an address of this machine and read what comes, be it a reset."""
    place = ("127.0.0.1", port)
    with contextlib.suppress(ConnectionError), socket.create_connection(place, TIMEOUT_S, source_address=(address, 0)) as connection:
        connection.sendall(request)
        with contextlib.suppress(OSError):  # it may have been reset already
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def a_customer_writes(url: str) -> Customer:
    """Everything a customer can write, in words, names, addresses and choices."""
    customer = Customer(url, page=f"https://shop.example/?email={E_MAIL}", locale="en")
    requests.post(f"{url}/api/conversations", json={"identity": CANARY, "page": CANARY}, timeout=TIMEOUT_S)
    seq = customer.says(f"My name is {CANARY}, write to {E_MAIL}, my router has a red light")
    customer.reply_to(seq)
    customer.sends(payload=f'/choose_article{{"article": "{CANARY}"}}')
    customer.sends(text=f"/{CANARY}" * 3000)
    customer.sends(client_id=CANARY, text=CANARY)
    customer.sends(client_id=CANARY, text=f"{CANARY} in other words")
    for path, body in (("/survey", {"question": "nps", "score": 1, "comment": CANARY}), ("/handoff", {"reason": CANARY}), ("/typing", {"a": CANARY})):
        customer.call("POST", path, json=body)
    customer.call("GET", "/events", params={"after": CANARY})
    return customer


def strangers_knock(kit: RunningKit, token: str) -> None:
    """Tokens and words where they do not belong: addresses, headers, broken requests, other methods, wrong passwords."""
    url = kit.url
    for path in ("/", "/help/", "/help?q=", "/api/search?q=", "/api/conversations/", "/help?ref="):
        requests.get(f"{url}{path}{CANARY}", headers=HEADERS, params={"token": CANARY}, timeout=TIMEOUT_S)
    requests.get(f"{url}/api/conversations?token={token}", headers={"Authorization": f"Bearer {CANARY}"}, timeout=TIMEOUT_S)
    requests.post(f"{url}/api/session", json={"email": E_MAIL, "password": CANARY}, timeout=TIMEOUT_S)
    requests.post(f"{url}/api/conversations", data=f'{{"page": "{CANARY}', headers={"Content-Type": "application/json"}, timeout=TIMEOUT_S)
    key = {"Authorization": f"Bearer {CANARY}"}
    requests.post(f"{url}/api/touchpoints", json={"touchpoints": [{"customer": E_MAIL}]}, headers=key, timeout=TIMEOUT_S)
    requests.request("PROPFIND", f"{url}/{CANARY}", headers=HEADERS, timeout=TIMEOUT_S)
    for broken in (
        f"{CANARY} / HTTP/1.1\r\n\r\n",
        f"GET /?token={CANARY} HTTP/9.9\r\n\r\n",
        f"GET /?token={CANARY} HTTP/1.1\r\n{CANARY}\r\n\r\n",
        f"POST /api/conversations HTTP/1.1\r\nHost: x\r\nContent-Length: {CANARY}\r\n\r\n",
        f"POST /api/conversations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{CANARY}\r\n",
        f"GET /{CANARY * 4000} HTTP/1.1\r\n\r\n",
    ):
        raw(kit.settings.port, broken.encode())


def staff_write(url: str, conversation: str) -> None:
    """An agent's words and notes, a colleague's name and address, a key's name."""
    agent = Agent(url, "ada@example.org", "a-password-for-tests")
    agent.does(conversation, "accept")
    agent.does(conversation, "messages", client_id=CANARY, text=CANARY)
    agent.does(conversation, "notes", text=CANARY)
    agent.does(conversation, "close", resolution=CANARY)
    touchpoint = {"id": CANARY, "customer": E_MAIL, "kind": CANARY, "stage": "purchase", "channel": "web", "at": CANARY}
    agent.call("POST", "/touchpoints", json={"touchpoints": [touchpoint]})


def neighbours_are_asked(kit: RunningKit) -> None:
    """The inner doors, with and without the secret: whole and broken calls."""
    secret = with_secrets(kit.settings).inner_secret
    turn = {"turn_id": CANARY, "text": CANARY, "state": {CANARY: CANARY}, "owner": "bot", "budget_ms": 2000}
    calls = [
        (kit.settings.rasa_url, "/turns", turn),
        (kit.settings.rasa_url, "/turns", turn | {"state": {}, "owner": CANARY}),
        (kit.settings.rasa_url, "/turns", turn | {"state": {}, "text": f'/choose_article{{"article": "{CANARY}"}}'}),
        (kit.settings.rasa_url, f"/{CANARY}", CANARY),
        (kit.settings.actions_url, "/webhook", {"next_action": CANARY, "tracker": {"sender_id": CANARY}}),
        (kit.settings.actions_url, "/webhook", {"next_action": "action_answer", "tracker": {"sender_id": CANARY, "slots": {"question": CANARY}}}),
        (kit.settings.actions_url, "/webhook", {"tracker": CANARY}),
        (kit.settings.search_url, "/search", {"text": CANARY, "limit": CANARY}),
        (kit.settings.search_url, "/search", {"text": CANARY, "limit": 3}),
        (kit.settings.search_url, f"/articles/{CANARY}", None),
    ]
    for url, path, body in calls:
        for shown in (secret, CANARY):
            headers = {"Authorization": f"Bearer {shown}", "Content-Type": "application/json"}
            for content in (json.dumps(body), f'{{"{CANARY}'):
                requests.request("POST" if body else "GET", url + path, data=content, headers=headers | HEADERS, timeout=TIMEOUT_S)


def a_message_meets_a_dead_part(kit: RunningKit) -> None:
    """What goes wrong is told, and that is where words slip out: Rasa away, the action server away, search away."""
    for program in ("rasa", "actions", "search"):
        customer = Customer(kit.url)
        old = kit.kill(program)
        customer.reply_to(customer.says(f"{CANARY}: where is my order, {E_MAIL}?"))
        kit.wait_restarted(program, old)
    kit.wait_ready(60)


@pytest.fixture(scope="module")
def after_canaries(kit: RunningKit) -> RunningKit:
    """The kit, with a canary through every door."""
    customer = a_customer_writes(kit.url)
    strangers_knock(kit, customer.token)
    staff_write(kit.url, customer.id)
    neighbours_are_asked(kit)
    a_message_meets_a_dead_part(kit)
    time.sleep(1)  # supervisord writes down what it is given a moment later; a line that must not be there cannot be waited for
    return kit


def log_files(kit: RunningKit) -> dict[str, str]:
    """Every file of the folder of logs, by name."""
    folder = kit.var / "log"
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()}


def test_no_log_holds_what_anybody_wrote(after_canaries: RunningKit) -> None:
    """Neither words nor names, addresses, tokens or secrets; nor where a customer's connection came from."""
    secrets = with_secrets(after_canaries.settings)
    unwanted = [CANARY, secrets.inner_secret, secrets.signing_key, "a-password-for-tests", "ada@example.org", "127.0.0.1:5"]
    files = log_files(after_canaries).items()
    assert [(name, text[max(0, text.index(word) - 200) :][:400]) for name, text in files for word in unwanted if word in text] == []
    for name in PROGRAMS:
        assert log_files(after_canaries)[f"{name}.log"], f"{name} has said nothing at all, so nothing was looked at"


def test_every_process_writes_lines_of_one_form(after_canaries: RunningKit) -> None:
    """One JSON object a line with when, how grave, which program and which part of it; what went wrong above is among them."""
    for name in PROGRAMS:
        lines = [read_line(name, line) for line in after_canaries.log(name).splitlines()]
        assert all({"at", "level", "program", "logger"} <= set(line) for line in lines)
        assert {line["program"] for line in lines} == {name}
    assert any(line["level"] == "WARNING" and line["logger"].startswith("desk") for line in map(json.loads, after_canaries.log("web").splitlines()))


def read_line(name: str, line: str) -> dict[str, Any]:
    """A line as an object; anything else is shown."""
    try:
        found = json.loads(line)
    except ValueError:
        pytest.fail(f"{name} wrote {line!r}")
    assert isinstance(found, dict), (name, line)
    return found


def test_a_log_that_nobody_takes_holds_no_chat_up(kit: RunningKit) -> None:
    """supervisord, which reads what the programs write, stands still while far more is logged than a pipe holds; customers notice nothing."""
    supervisor = kit.pid("supervisord")
    assert supervisor is not None
    customer = Customer(kit.url)
    customer.reply_to(customer.says("hello"))
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for number in range(1200):  # some 150 bytes of log each; an address may waste 600
            raw(kit.settings.port, b"GET / HTTP/9.9\r\n\r\n", f"127.0.0.{2 + number % 4}")
        took = []
        for number in range(20):
            before = time.monotonic()
            customer.says(f"hello {number}")
            took.append(time.monotonic() - before)
            requests.get(f"{kit.url}/healthz", timeout=2).raise_for_status()
        assert max(took) < 2, took
    finally:
        os.kill(supervisor, signal.SIGCONT)
    kit.wait_ready(30)


def test_the_search_for_canaries_finds_one(kit: RunningKit, tmp_path: Path) -> None:
    """A planted line is found, in whichever file."""
    planted = kit.var / "log" / "planted.log"
    planted.write_text(f"a customer wrote {CANARY}", encoding="utf-8")
    try:
        assert [name for name, text in log_files(kit).items() if CANARY in text] == ["planted.log"]
    finally:
        planted.unlink()
