"""The end of the web process while customers write: nothing is lost, nobody gets an error, and what was begun is finished or handed on."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from kit.ports import free_ports
from kit.settings import ROOT
from tests.faults.rows import MISSED
from tests.widget import draining
from tests.widget.draining import SlowNeighbours, WebProcess, play, rows, wait_for_turns


def test_fifty_chats_under_way_lose_nothing_when_web_is_asked_to_end(tmp_path: Path) -> None:
    """No answer 5xx after the signal, every stream told to come back, everything acknowledged there once and answered once."""
    outcome = play(tmp_path)
    assert outcome.exit_code == 0
    assert outcome.stopped_s < 20
    assert outcome.errors == 0, outcome.late_statuses
    assert outcome.streams_told == outcome.streams == 50
    assert outcome.acknowledged >= draining.ACKNOWLEDGED_FIRST
    assert (outcome.lost, outcome.doubled, outcome.turns_unfinished, outcome.replies_doubled) == (0, 0, 0, 0)


def test_the_count_finds_what_is_lost_or_doubled(tmp_path: Path) -> None:
    """An acknowledged message that is not stored, and a reply too many, are counted; such a round does not meet the figure."""
    with SlowNeighbours(0) as neighbours:
        web = WebProcess(tmp_path, neighbours)
        try:
            chat = web.chat(threading.Event())
            sender = {"Authorization": f"Bearer {chat.token}"}
            assert web.ask("POST", f"{chat.path}/messages", {"client_id": "one", "text": "hello"}, sender)[0] == 202
            wait_for_turns(tmp_path / "touchdesk.sqlite")
            chat.acknowledged = {"one": 1, "never stored": 9}
            silent = replace(chat, id="another", acknowledged={})
            found = draining.counted(tmp_path / "touchdesk.sqlite", [chat, silent], 0, 1.0, 0, 0.0)
            assert (found.acknowledged, found.lost, found.doubled, found.replies_doubled) == (2, 1, 0, 0)
            assert found.streams_told == 0
        finally:
            web.end()
    assert MISSED in draining.row("f", "w", "1 lost", "c", met=False).found


def test_a_turn_that_hangs_is_handed_to_the_next_start(tmp_path: Path) -> None:
    """Rasa never answers: web ends within 20 s with 0 all the same, and the next start answers the message at once, not after a lease."""
    with SlowNeighbours(60) as neighbours:
        web = WebProcess(tmp_path, neighbours)
        chat = web.chat(threading.Event())
        web.ask("POST", f"{chat.path}/messages", {"client_id": "one", "text": "hello"}, {"Authorization": f"Bearer {chat.token}"})
        began = time.monotonic()
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(30) == 0
        assert time.monotonic() - began < 20
    ((status, lease),) = rows("SELECT status, lease_until < datetime('now', '+1 second') FROM turns", tmp_path / "touchdesk.sqlite")
    assert status in ("running", "done")
    assert status == "done" or lease
    with SlowNeighbours(0) as neighbours:
        again = WebProcess(tmp_path, neighbours)
        try:
            assert wait_for_turns(tmp_path / "touchdesk.sqlite", 5) == 0
        finally:
            again.end()


def test_a_request_on_its_way_at_the_end_is_answered_and_an_idle_connection_is_closed(tmp_path: Path) -> None:
    """Half a request is there when the signal comes; its other half is still taken, and the answer says that the connection ends."""
    with SlowNeighbours(0) as neighbours:
        web = WebProcess(tmp_path, neighbours)
        try:
            idle = socket.create_connection(("127.0.0.1", web.port), timeout=10)
            late = socket.create_connection(("127.0.0.1", web.port), timeout=10)
            late.sendall(b"GET /healthz HTTP/1.1\r\n")
            time.sleep(0.2)
            web.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            late.sendall(b"Host: x\r\n\r\n")
            answer = late.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer.lower()
            assert idle.recv(100) == b""
            idle.close()
            late.close()
            assert web.process.wait(20) == 0
        finally:
            web.end()


FEW_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
os.execv(sys.executable, [sys.executable, "-m", "widget"])
"""


def test_with_few_files_allowed_new_connections_are_refused_in_words_and_the_old_go_on(tmp_path: Path) -> None:
    """256 open files: the connection too many is told so, an open one is served, and room is there again once others leave."""
    (port,) = free_ports(1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHDESK_")}
    environment |= {"TOUCHDESK_VAR": str(tmp_path), "TOUCHDESK_PORT": str(port)}
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", FEW_FILES], cwd=ROOT, env=environment, stderr=log)
    try:
        first = _connected(port)
        _ask(first)
        crowd = []
        for _ in range(300):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            crowd.append(one)
        refused = crowd[-1].recv(4096)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5" in refused
        assert b'"code": "busy"' in refused
        assert _ask(first) == 200
        for one in crowd:
            one.close()
        began = time.monotonic()
        while not _is_served(port):
            assert time.monotonic() - began < 5
            time.sleep(0.1)
        assert process.poll() is None
        first.close()
    finally:
        process.terminate()
        process.wait(30)


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _ask(connection: socket.socket) -> int:
    """The status line of a whole answer, which may come in pieces."""
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    with http.client.HTTPResponse(connection) as response:
        response.begin()
        response.read()
        return response.status


def _is_served(port: int) -> bool:
    with _connected(port) as connection:
        try:
            return _ask(connection) == 200
        except (OSError, http.client.HTTPException):  # turned away before it had asked
            return False
