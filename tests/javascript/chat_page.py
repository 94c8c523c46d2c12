"""Pages with the chat on them, against a kit in memory: how they are opened, and what a customer does there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Locator, Page, Route, ViewportSize, expect

from tests.whole.browsers import ARGUMENTS

QUIET = (
    *ARGUMENTS,
    # The made-up site counts as public; on loopback, where the kit under test is, only private ones may call.
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
)
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)
FOREIGN = "http://site.example/"


@dataclass(frozen=True)
class Kit:
    """A running fake kit, and the shop page on an origin of its own."""

    url: str
    shop: str

    def plays(self, what: str, **more: object) -> None:
        """Let something happen in the newest conversation."""
        body = json.dumps({"do": what, **more}).encode()
        request = urllib.request.Request(f"{self.url}fake", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            answer.read()

    def counts(self) -> dict[str, int]:
        """How many conversations, streams and messages there are."""
        with urllib.request.urlopen(f"{self.url}fake-counts", timeout=5) as answer:
            return dict(json.loads(answer.read()))


def launcher(page: Page) -> Locator:
    return page.locator("support-chat .launcher")


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your message")


def says(page: Page, text: str) -> None:
    box(page).fill(text)
    box(page).press("Enter")


def sees(page: Page, text: str) -> None:
    expect(page.get_by_role("log").get_by_text(text).last).to_be_visible()


def foreign(context: BrowserContext, body: str) -> Page:
    """A page of somebody else's site; not a secure context, so without locks."""

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/html", body=body)

    context.route(FOREIGN, answer)
    page = context.new_page()
    page.goto(FOREIGN)
    return page


def embedded(kit: Kit, element: str = "<support-chat></support-chat>", head: str = "") -> str:
    return f'<!doctype html><html lang="en">{head}<script type="module" src="{kit.url}widget/support-chat.js"></script><body>{element}'


def wait_for(wanted: Callable[[], bool], page: Page, patience_ms: int = 5000) -> None:
    for _ in range(patience_ms // 50):
        if wanted():
            return
        page.wait_for_timeout(50)
    raise AssertionError("never happened")
