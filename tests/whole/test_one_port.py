"""The running kit has one port that others can reach, and what listens behind it answers no browser and no stranger."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from kit.processes import SUPERVISOR, RunningKit, trial_settings
from kit.settings import read_settings

pytestmark = pytest.mark.timeout(300)
LISTENING = "0A"
SITE = "https://shop.example"
CLOSED = [
    ("GET", "/model"),
    ("PUT", "/model"),
    ("POST", "/model/train"),
    ("POST", "/model/parse"),
    ("GET", "/conversations"),
    ("GET", "/conversations/x/tracker"),
    ("POST", "/conversations/x/messages"),
    ("POST", "/conversations/x/execute"),
    ("GET", "/domain"),
    ("GET", "/status"),
    ("GET", "/version"),
    ("POST", "/webhooks/rest/webhook"),
    ("POST", "/webhooks/callback/webhook"),
    ("GET", "/socket.io/"),
]
REFUSED = {"rasa": (404,), "actions": (404, 405), "search": (401, 404, 501)}
"""What each part says to them; search asks who it is before all else, and knows two methods alone."""


@pytest.fixture(scope="module")
def open_kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningKit]:
    """A kit that listens on every address of the machine, as one without a proxy of its own would."""
    settings = trial_settings(tmp_path_factory.mktemp("open"), host="0.0.0.0", sites=(SITE,))
    with RunningKit(settings, prepared=read_settings().var) as kit:
        kit.wait_ready(180)
        yield kit


def family(pid: int) -> set[int]:
    """A process and all that it started."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
            except OSError:
                continue  # ended meanwhile
            children.setdefault(parent, set()).add(int(entry.name))
    found, left = set(), {pid}
    while left:
        one = left.pop()
        found.add(one)
        left |= children.get(one, set())
    return found


def sockets_of(pids: set[int]) -> set[str]:
    """The numbers of all sockets that these processes hold."""
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if match := re.match(r"socket:\[(\d+)\]", os.readlink(descriptor)):
                found.add(match[1])
    return found


def listening(pids: set[int]) -> set[tuple[bool, int]]:
    """Whether on loopback alone, and port, of everything these processes listen on, from the kernel's own tables."""
    mine, found = sockets_of(pids), set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] in mine and (table.startswith("udp") or fields[3] == LISTENING):
                address, _, port = fields[1].partition(":")
                words = [bytes.fromhex(address[n : n + 8])[::-1] for n in range(0, len(address), 8)]
                found.add((ipaddress.ip_address(b"".join(words)).is_loopback, int(port, 16)))
    return found


def test_one_port_is_open_to_others(open_kit: RunningKit) -> None:
    """That of web; every other process listens on loopback, and none anywhere else."""
    pid = open_kit.pid(SUPERVISOR)
    assert pid is not None
    settings = open_kit.settings
    inner = {settings.rasa_port, settings.actions_port, settings.search_port}
    found = listening(family(pid))
    assert {port for loopback, port in found if not loopback} == {settings.port}
    assert {port for loopback, port in found if loopback} == inner


@pytest.mark.parametrize("part", ["rasa", "actions", "search"])
def test_what_stands_behind_answers_no_stranger(open_kit: RunningKit, part: str) -> None:
    """No page of any site may read it, and of Rasa's own API there is nothing, with the inner secret or without."""
    url = getattr(open_kit.settings, f"{part}_url")
    secret = {"Authorization": f"Bearer {open_kit.settings.inner_secret}"}
    for method, path in [*CLOSED, ("OPTIONS", "/model"), ("OPTIONS", "/turns"), ("GET", "/"), ("POST", "/webhook"), ("POST", "/turns")]:
        for headers in ({}, secret):
            answer = requests.request(method, url + path, headers={"Origin": SITE, **headers}, json={} if method != "GET" else None, timeout=20)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")], (path, answer.headers)
            if (method, path) in CLOSED:
                assert answer.status_code in REFUSED[part], (method, path, answer.status_code)
