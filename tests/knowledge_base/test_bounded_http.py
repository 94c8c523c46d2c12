"""Questions to a process that answers endlessly, drop by drop, or hangs up: there is an end in time, and no megabyte too many."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from knowledge_base.bounded_http import ANSWER_LIMIT_BYTES, AnswerTooLong, Line
from knowledge_base.exceptions import SearchUnavailable
from knowledge_base.search_client import SearchClient

Answer = Callable[[socket.socket], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Does what ``answer`` does with each connection, once its request's head is there; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        connection.recv(65536)
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


def is_endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
    for _ in range(50):
        connection.sendall(b"x" * (1 << 20))


def test_a_dripping_answer_ends_at_the_deadline() -> None:
    """However steadily it drips: the time is for the whole of it."""
    with server(drips) as url:
        line, began = Line(url, "secret"), time.monotonic()
        with pytest.raises(TimeoutError):
            line.ask("GET", "/health", None, time.monotonic() + 0.3)
        assert time.monotonic() - began < 2
        line.close()
        client = SearchClient(url, "secret")
        with pytest.raises(SearchUnavailable, match="within"):
            client.search("router", timeout_s=0.3)
        client.close()


def test_an_endless_answer_is_given_up() -> None:
    """At the limit, not at its end."""
    with server(is_endless) as url:
        line = Line(url, "secret")
        with pytest.raises(AnswerTooLong, match=str(ANSWER_LIMIT_BYTES)):
            line.ask("GET", "/health", None, time.monotonic() + 20)
        line.close()
        client = SearchClient(url, "secret")
        with pytest.raises(SearchUnavailable):
            client.search("router", timeout_s=20)
        client.close()


def test_one_that_hangs_up_is_a_failure() -> None:
    """Not a reason to ask for ever."""
    with server(lambda connection: None) as url:
        line = Line(url, "secret")
        with pytest.raises(ConnectionError):
            line.ask("GET", "/health", None, time.monotonic() + 5)
        line.close()
