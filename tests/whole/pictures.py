"""Pictures of every face and state of the running kit: ``python -m tests.whole.pictures FOLDER`` (``make screenshots``)."""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from kit.processes import RunningKit, trial_settings
from kit.settings import read_settings
from tests.whole.browsers import DESKTOP, PHONE, DeskAgent, ShopVisitor, chromium

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ("light", "dark")
SETTLE_MS = 700


@dataclass
class Album:
    """Where pictures go; each name gets the size and the scheme."""

    folder: Path
    size: str
    scheme: str

    def keep(self, page: Page, name: str) -> None:
        """Take one."""
        page.wait_for_timeout(SETTLE_MS)
        page.screenshot(path=self.folder / f"{name}-{self.size}-{self.scheme}.png")


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var:
        settings = trial_settings(Path(var), admin_email="ada@example.org", admin_password="a-password-for-pictures")
        with RunningKit(settings, prepared=read_settings().var) as kit, chromium() as browser:
            kit.wait_ready(120)
            for size in SIZES:
                for scheme in SCHEMES:
                    _all(browser, kit, Album(folder, size, scheme))
                    print(f"{size}, {scheme}: done", flush=True)
    return 0


def _all(browser: Browser, kit: RunningKit, album: Album) -> None:
    looks = {"viewport": SIZES[album.size], "color_scheme": album.scheme}
    with browser.new_context(**looks) as customers, browser.new_context(**looks) as staff:
        _help_centre(customers.new_page(), kit.url, album)
        _talk(customers.new_page(), staff.new_page(), kit, album)


def _help_centre(page: Page, url: str, album: Album) -> None:
    for name, path in (
        ("help-home", "/help"),
        ("help-results", "/help?q=my+internet+light+is+red"),
        ("help-nothing", "/help?q=can+I+bring+my+horse"),
        ("help-article", "/help/router-red-light"),
        ("help-not-found", "/help/nothing-here"),
    ):
        page.goto(url + path)
        album.keep(page, name)
    page.close()


def _talk(shop_page: Page, desk_page: Page, kit: RunningKit, album: Album) -> None:
    shop_page.goto(f"{kit.url}/shop/")
    album.keep(shop_page, "shop")
    visitor = ShopVisitor(shop_page, f"{kit.url}/shop/")
    album.keep(shop_page, "chat-greeting")
    visitor.says("my router has a red light")
    visitor.sees(re.compile("Router shows a red light"))
    album.keep(shop_page, "chat-answer")
    visitor.presses("Take me through it")
    visitor.sees(re.compile("worked", re.IGNORECASE))
    album.keep(shop_page, "chat-guide-step")
    visitor.says("can your robot mow my lawn")
    visitor.sees(re.compile("other words|bit more|differently", re.IGNORECASE))
    album.keep(shop_page, "chat-asked-again")
    visitor.presses("Talk to a person")
    visitor.sees(re.compile("Waiting for a person|you are next"))
    album.keep(shop_page, "chat-waiting")
    _desk(visitor, desk_page, kit, album)


def _desk(visitor: ShopVisitor, desk_page: Page, kit: RunningKit, album: Album) -> None:
    desk_page.goto(f"{kit.url}/desk")
    album.keep(desk_page, "desk-sign-in")
    agent = DeskAgent(desk_page, kit.url, kit.settings.admin_email, kit.settings.admin_password)
    album.keep(desk_page, "desk-queue")
    agent.opens_newest()
    album.keep(desk_page, "desk-conversation")
    agent.presses("Accept")
    agent.writes("Hello! I can see the steps you tried. Is the cable of the box in the wall socket?")
    visitor.sees(re.compile("I can see the steps"))
    album.keep(visitor.page, "chat-agent")
    visitor.says("Yes, it is. The light is red all the same.")
    agent.sees(re.compile("red all the same"))
    album.keep(desk_page, "desk-talk")
    agent.presses("Close …")
    album.keep(desk_page, "desk-close")
    agent.page.get_by_label("Solved", exact=True).check()
    agent.presses("Close conversation")
    visitor.sees("This conversation is closed.")
    album.keep(visitor.page, "chat-closed")


if __name__ == "__main__":
    raise SystemExit(main())
