"""A customer and an agent in two real browsers; both use what a person sees: names of buttons, fields and regions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from kit.tools import CHROMIUM, find

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 15_000
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find(CHROMIUM)), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class ShopVisitor:
    """A customer on the shop's page with the chat open."""

    def __init__(self, page: Page, shop: str) -> None:
        self.page = page
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(shop)
        self.opens_chat()

    def opens_chat(self) -> None:
        """Press the launcher."""
        self.page.get_by_role("button", name=re.compile("^Help and chat")).click()

    def closes_chat(self) -> None:
        """Leave the chat with Escape, as from wherever the focus is in it."""
        self.chat.get_by_role("button", name="Close chat").press("Escape")

    @property
    def chat(self) -> Locator:
        """The panel."""
        return self.page.get_by_role("dialog")

    @property
    def log(self) -> Locator:
        """The conversation as it is read out."""
        return self.chat.get_by_role("log")

    def says(self, text: str) -> None:
        """Write and send with Enter."""
        field = self.chat.get_by_role("textbox", name="Your message")
        field.fill(text)
        field.press("Enter")

    def presses(self, name: str | re.Pattern[str]) -> None:
        """Press the newest button of that name."""
        self.chat.get_by_role("button", name=name).last.click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the conversation shows a text."""
        expect(self.chat.get_by_text(text).last).to_be_visible(timeout=PATIENCE_MS)


class DeskAgent:
    """An agent at the desk."""

    def __init__(self, page: Page, url: str, email: str, password: str) -> None:
        self.page = page
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(f"{url}/desk")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    @property
    def queue(self) -> Locator:
        """The list of conversations."""
        return self.page.get_by_role("navigation", name="Conversations")

    @property
    def waiting(self) -> Locator:
        """The part of the list that waits for a person."""
        return self.queue.locator("section", has=self.page.get_by_role("heading", name="Waiting"))

    @property
    def transcript(self) -> Locator:
        """The open conversation as it is read out."""
        return self.page.get_by_role("log", name="Transcript")

    @property
    def box(self) -> Locator:
        """Where a reply or a note is written."""
        return self.page.get_by_role("textbox", name=re.compile("reply|message|note", re.IGNORECASE)).first

    def opens_newest(self) -> None:
        """Open the conversation that came into the queue last."""
        self.waiting.get_by_role("listitem").last.get_by_role("button").first.click()

    def opens_mine(self) -> None:
        """Open the conversation that is theirs."""
        mine = self.queue.locator("section", has=self.page.get_by_role("heading", name="Mine"))
        mine.get_by_role("listitem").first.get_by_role("button").first.click()

    def types(self, text: str) -> None:
        """Write a reply without sending it."""
        self.box.fill(text)

    def notes(self, text: str) -> None:
        """Leave a private note, and go back to replying."""
        self.presses("Private note")
        self.writes(text)
        self.presses("Reply")

    def goes_away(self) -> None:
        """Use the switch that says whether conversations may come; on a phone it stands above the list."""
        back = self.page.get_by_role("button", name="Back to the list")
        if back.is_visible():
            back.click()
        self.page.get_by_role("switch").click()

    def presses(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).last.click()

    def writes(self, text: str) -> None:
        """Write a reply and send it."""
        self.box.fill(text)
        self.box.press("Enter")

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Wait until the desk shows a text."""
        expect(self.page.get_by_text(text).last).to_be_visible(timeout=PATIENCE_MS)
