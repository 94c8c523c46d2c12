"""The whole kit, started for real: all four processes under supervisord on ports of their own, in a var folder of their own."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.ports import free_ports
from kit.processes import RunningKit, trial_settings
from kit.settings import ROOT, read_settings

SHOP = ROOT / "widget" / "shop" / "static"


@pytest.fixture(scope="session")
def shop_port() -> int:
    """The port of the shop's own web server, which is another origin than the kit."""
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory, shop_port: int) -> Iterator[RunningKit]:
    """A running kit with a copy of the articles; the shop's site may carry its widget."""
    prepared = read_settings()
    articles = tmp_path_factory.mktemp("articles") / "articles"
    shutil.copytree(prepared.articles, articles)
    settings = trial_settings(
        tmp_path_factory.mktemp("kit"),
        articles=articles,
        sites=(f"http://127.0.0.1:{shop_port}",),
        admin_email="ada@example.org",
        admin_password="a-password-for-tests",
    )
    with RunningKit(settings, prepared=prepared.var) as running:
        running.wait_ready(90)
        yield running


@pytest.fixture(scope="session")
def database(kit: RunningKit) -> Path:
    """The kit's database file."""
    return kit.var / "touchdesk.sqlite"


@pytest.fixture(scope="session")
def shop(kit: RunningKit, shop_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the shop page, served by its own server with the kit's address written into it."""
    folder = tmp_path_factory.mktemp("shop")
    for path in SHOP.iterdir():
        if path.is_file():
            content = path.read_bytes()
            (folder / path.name).write_bytes(content.replace(b"http://127.0.0.1:8000", kit.url.encode()))
    handler = functools.partial(_QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", shop_port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{shop_port}/"
        server.shutdown()
        thread.join()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""
