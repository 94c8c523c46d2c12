"""docs/make-it-yours.md followed word by word in an empty folder: its files written, its commands run, a question asked on its page."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from kit.ports import free_ports
from kit.processes import RunningKit
from kit.settings import PREFIX, ROOT, read_settings
from tests.whole.browsers import DESKTOP, ShopVisitor, chromium

KIT, SITE = "http://127.0.0.1:8000", "http://127.0.0.1:8080"
BRAND_RED = "rgb(179, 54, 30)"
GREETING = "Hello! Ask us anything about your lamp."


@dataclass(frozen=True)
class Block:
    """A fenced block; ``file`` is the one that the line above names, below the home folder, or empty for commands."""

    file: str
    text: str


def blocks() -> list[Block]:
    """All of the document, in order."""
    text = (ROOT / "docs" / "make-it-yours.md").read_text(encoding="utf-8")
    found = re.finditer(r"^(?:`~/(?P<file>[^`\n]+)`:\n\n)?```\w+\n(?P<text>.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(match["file"] or "", match["text"]) for match in found]


@dataclass(frozen=True)
class Followed:
    """The document, followed: a home folder, the running kit, and the address of the company's own page."""

    home: Path
    kit: RunningKit
    site: str

    def runs(self, command: str) -> str:
        """A command as the document writes it, where it says; what it prints."""
        return shell(self.home, command)


def shell(home: Path, script: str) -> str:
    """Run a script of the document in the folder of Touchdesk; a command that fails ends it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | {"HOME": str(home)}
    done = subprocess.run(["sh", "-ec", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the tests' output is for the tests."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Every block in order. `make setup` has been done before any test, the ports are free ones, and the site is served by this process."""
    home = tmp_path_factory.mktemp("home")
    port, rasa, actions, search, site_port = free_ports(5)
    site = f"http://127.0.0.1:{site_port}"
    for block in blocks():
        text = block.text.replace(KIT, f"http://127.0.0.1:{port}").replace(SITE, site)
        if block.file:
            assert (home / block.file).parent.is_dir(), f"nobody has made the folder of {block.file}"
            (home / block.file).write_text(text, encoding="utf-8")
        elif "make run" in text:
            break
        else:
            shell(home, text.replace("make setup\n", ""))
    environment = dict(line.split("=", 1) for line in shell(home, ". ~/support/settings.sh; env").splitlines() if line.startswith(PREFIX))
    settings = replace(read_settings(environment), port=port, rasa_port=rasa, actions_port=actions, search_port=search)
    for block in blocks():
        if block.file.startswith("support/site/"):
            text = block.text.replace(KIT, f"http://127.0.0.1:{port}")
            (home / block.file).write_text(text, encoding="utf-8")
    handler = partial(_Quiet, directory=str(home / "support" / "site"))
    with RunningKit(settings, prepared=read_settings().var) as kit, ThreadingHTTPServer(("127.0.0.1", site_port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        kit.wait_ready(90)
        yield Followed(home, kit, f"{site}/")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def visitor(followed: Followed) -> Iterator[ShopVisitor]:
    """A customer on the company's own page, with the chat open."""
    with chromium() as browser:
        context = browser.new_context(viewport=DESKTOP, locale="en-GB", color_scheme="light", reduced_motion="reduce")
        page = context.new_page()
        yield ShopVisitor(page, followed.site)
        context.close()


def test_the_articles_are_the_companys_alone(followed: Followed) -> None:
    """Two articles, none of the made-up shop's, and nothing wrong with any of the files."""
    page = requests.get(f"{followed.kit.url}/help", timeout=10).text
    assert re.findall(r'class="article-link-title">([^<]+)<', page) == ["My lamp does not glow", "The glass shade broke"]
    assert "Kestrel Lamps" in page
    assert "Hearthlink" not in page
    assert requests.get(f"{followed.kit.url}/readyz", timeout=10).json()["notes"] == []


def test_a_question_on_the_companys_page_is_answered_from_its_article(followed: Followed, visitor: ShopVisitor) -> None:
    """Name, logo, colour and greeting are the company's, and so is the answer; the page is another origin than the kit."""
    expect(visitor.chat.get_by_role("heading", name="Kestrel Lamps")).to_be_visible()
    expect(visitor.chat.get_by_text(GREETING)).to_be_visible()
    expect(visitor.chat.get_by_role("button", name="The glass shade broke")).to_be_visible()
    expect(visitor.page.locator("support-chat .head .mark img")).to_have_js_property("naturalWidth", 32)
    expect(visitor.page.locator("support-chat .launcher")).to_have_css("background-color", BRAND_RED)
    visitor.says("my lamp stays dark")
    visitor.sees("Turn the base a quarter to the right until it clicks, then hold the top for three seconds.")
    source = re.compile(re.escape(f"{followed.kit.url}/help/lamp-does-not-glow"))
    expect(visitor.chat.get_by_role("link", name="My lamp does not glow")).to_have_attribute("href", source)


def test_the_help_centre_and_the_desk_carry_the_brand(followed: Followed, visitor: ShopVisitor) -> None:
    """Name in the title, colour and logo on both."""
    page = visitor.page.context.new_page()
    for path, title in (("/help", "Help centre · Kestrel Lamps"), ("/desk", "Desk · Kestrel Lamps")):
        page.goto(f"{followed.kit.url}{path}")
        expect(page).to_have_title(title)
        assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--td-brand')").strip() == "#b3361e"
        expect(page.locator("img").first).to_have_js_property("naturalWidth", 32)
    page.close()


def test_the_backup_holds_what_customers_said(followed: Followed) -> None:
    """The command copies a database in use; what has been acknowledged is in the copy."""
    kit = followed.kit.url
    started = requests.post(f"{kit}/api/conversations", json={}, timeout=10).json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    said = {"client_id": "m1", "text": "can I buy a replacement shade"}
    conversation = f"{kit}/api/conversations/{started['conversation']['id']}"
    assert requests.post(f"{conversation}/messages", json=said, headers=headers, timeout=10).status_code == 202
    followed.runs(blocks()[-1].text)
    with sqlite3.connect(followed.home / "support" / "backup.sqlite") as copy:
        found = copy.execute("SELECT count(*) FROM conversations WHERE id = ?", (started["conversation"]["id"],)).fetchone()
    copy.close()
    assert found == (1,)
