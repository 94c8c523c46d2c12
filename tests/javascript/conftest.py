"""A Chromium, and a kit in memory that plays what it is told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from kit.tools import CHROMIUM, NODE, require
from tests.javascript.chat_page import DESKTOP, QUIET, Kit, launcher

FAKE_KIT = Path(__file__).parent / "fake_kit.mjs"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=str(require(CHROMIUM)), args=list(QUIET))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def node() -> str:
    return str(require(NODE))


@pytest.fixture
def kit(node: str) -> Iterator[Kit]:
    process = subprocess.Popen([node, str(FAKE_KIT), "0", "0", "30"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        places = json.loads(said.readline())
        yield Kit(places["kit"], places["shop"])
    process.terminate()
    process.wait(10)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One browser of one customer; an uncaught error or something the policy of the page stops makes the test fail."""
    context = browser.new_context(viewport=DESKTOP, locale="en-GB", reduced_motion="reduce")
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text or "Trusted" in line.text else None)
    context.set_default_timeout(8000)
    yield context
    context.close()
    assert problems == []


@pytest.fixture
def page(context: BrowserContext, kit: Kit) -> Page:
    """The shop page with the chat open."""
    page = context.new_page()
    page.goto(kit.shop)
    launcher(page).click()
    return page
