"""Windows, words and wishes of readers that are not the usual ones: narrow, zoomed in, right to left, without motion, in colours of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from kit.processes import RunningKit
from tests.whole.browsers import DESKTOP, PATIENCE_MS, PHONE, DeskAgent, ShopVisitor, chromium
from tests.whole.inspection import MOTIONS, too_wide
from tests.whole.states import bot_is_slow, empty_the_queue

pytestmark = pytest.mark.timeout(120)

NARROWEST = {"width": 320, "height": 568}
TWICE_AS_LARGE = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
"""A window of 1280 by 800 at 200 %."""
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän" * 4
PATHS = ("/help", "/help/router-red-light", "/help/delivery-costs-and-times", f"/help?q={LONG_WORD}", "/help/nothing-here", "/shop/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file."""
    with chromium() as running:
        yield running


@pytest.mark.parametrize("looks", [{"viewport": NARROWEST}, TWICE_AS_LARGE], ids=["320 pixels", "200 percent"])
def test_nothing_scrolls_sideways_in_little_room(browser: Browser, kit: RunningKit, looks: dict[str, Any]) -> None:
    """Help centre, shop, chat and desk keep to the window, with words that are longer than it; the talk keeps room to be read."""
    empty_the_queue(kit)
    with browser.new_context(**looks) as context:
        page = context.new_page()
        for path in PATHS:
            page.goto(kit.url + path)
            assert (path, too_wide(page)) == (path, [])
        visitor = ShopVisitor(page, f"{kit.url}/shop/")
        visitor.says(LONG_WORD)
        visitor.presses("Talk to a person")
        visitor.sees(re.compile("Waiting for a person|you are next"))
        assert too_wide(page) == []
        agent = DeskAgent(context.new_page(), kit.url, kit.settings.admin_email, kit.settings.admin_password)
        agent.opens_newest()
        expect(agent.transcript.get_by_text(re.compile(LONG_WORD))).to_be_visible(timeout=PATIENCE_MS)
        assert too_wide(agent.page) == []
        visitor.presses("Never mind")
        expect(visitor.chat.get_by_text("Waiting for a person")).to_have_count(0, timeout=PATIENCE_MS)
        room = visitor.page.locator("support-chat .log").bounding_box()
        assert room is not None
        assert room["height"] >= 120


def test_a_page_that_reads_from_right_to_left(browser: Browser, kit: RunningKit) -> None:
    """The chat follows the page: the customer's words stand on the left, and each text keeps a direction of its own."""

    def turned(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('<html lang="en">', '<html lang="ar" dir="rtl">'))

    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        page.route("**/shop/", turned)
        visitor = ShopVisitor(page, f"{kit.url}/shop/")
        visitor.says("מרחבא my router has a red light")
        visitor.sees(re.compile("Router shows a red light"))
        own, theirs = (page.locator(f"support-chat .{who} .bubble").last.bounding_box() for who in ("from-customer", "from-bot"))
        assert own is not None
        assert theirs is not None
        assert own["x"] < PHONE["width"] - (theirs["x"] + theirs["width"]) + 40
        assert too_wide(page) == []


def test_without_motion_nothing_moves(browser: Browser, kit: RunningKit) -> None:
    """Who asks for less motion sees none: neither in the chat nor on the pages."""
    running = f"() => ({MOTIONS})().length"
    with browser.new_context(viewport=DESKTOP, reduced_motion="reduce") as context:
        visitor = ShopVisitor(context.new_page(), f"{kit.url}/shop/")
        assert visitor.page.evaluate(running) == 0
        with bot_is_slow(kit):
            visitor.says("my router has a red light")
            expect(visitor.chat.get_by_text(re.compile("is typing"))).to_be_visible(timeout=PATIENCE_MS)
            assert visitor.page.evaluate(running) == 0
        visitor.sees(re.compile("Router shows a red light"))
        visitor.page.goto(f"{kit.url}/help")
        visitor.page.get_by_role("searchbox").hover()
        assert visitor.page.evaluate(running) == 0


def test_colours_of_the_readers_own_leave_the_edges(browser: Browser, kit: RunningKit) -> None:
    """Where the reader's system sets the colours, bubbles, choices and buttons keep an edge, and progress can be seen."""
    with browser.new_context(viewport=DESKTOP, forced_colors="active") as context:
        visitor = ShopVisitor(context.new_page(), f"{kit.url}/shop/")
        visitor.says("my router has a red light")
        visitor.presses("Take me through it")
        visitor.sees(re.compile(r"Step 1 of \d"))
        for part in ("bubble", "choice", "send", "source", "done"):
            assert (part, _edge(visitor.page, f"support-chat .{part}")) == (part, "solid")
        visitor.page.goto(f"{kit.url}/help/router-red-light")
        assert _edge(visitor.page, ".short-answer") == "solid"


def _edge(page: Page, selector: str) -> str:
    style: str = page.locator(selector).last.evaluate("(element) => getComputedStyle(element).borderTopStyle")
    return style
