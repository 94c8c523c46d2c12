"""Every face with the keyboard alone: what Tab comes to and in which order, that it can be seen, and where the focus goes and comes back to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kit.processes import RunningKit
from tests.whole.browsers import DESKTOP, PATIENCE_MS, PHONE, DeskAgent, ShopVisitor, chromium
from tests.whole.states import empty_the_queue

pytestmark = pytest.mark.timeout(120)

_FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const seen = [element, element.parentElement].some((near) => {
    const style = getComputedStyle(near);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  });
  const name = element.getAttribute("aria-label") || element.textContent.trim().replace(/\\s+/g, " ") || element.name || element.tagName;
  return { name, seen, dialog: Boolean(element.closest("dialog, [role=dialog]")), body: element === document.body };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own on a desktop."""
    with browser.new_context(viewport=DESKTOP) as context:
        yield context.new_page()


def tabs(page: Page, times: int, key: str = "Tab") -> list[str]:
    """Press Tab so often; the names of what had the focus, each of which showed that it had."""
    names = []
    for _ in range(times):
        page.keyboard.press(key)
        focused = page.evaluate(_FOCUSED)
        assert focused["seen"] or focused["body"], f"the focus cannot be seen on {focused['name']}"
        names.append(focused["name"])
    return names


@pytest.mark.parametrize("path", ["/help", "/help/router-red-light", "/help?q=horse", "/help/nothing-here", "/shop/"])
def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page, kit: RunningKit, path: str) -> None:
    """The first Tab shows it, Enter goes past the header, and every stop on the way can be seen."""
    page.goto(kit.url + path)
    first, *others = tabs(page, 8)
    assert first == "Skip to the content"
    assert len(set(others)) > 3
    page.goto(kit.url + path)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.querySelector('main').contains(document.activeElement)")


def test_the_chat_from_launcher_to_answer_and_back(page: Page, kit: RunningKit) -> None:
    """Enter opens it with the focus in the box; backwards lie the choices; Escape closes it and gives the focus back."""
    page.goto(f"{kit.url}/shop/")
    launcher = page.get_by_role("button", name=re.compile("^Help and chat"))
    launcher.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.type("my router has a red light")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Take me through it")).to_be_visible(timeout=PATIENCE_MS)
    assert tabs(page, 4, "Shift+Tab")[:3] == ["Take me through it", "No", "Yes, thanks"]
    tabs(page, 3)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Step 1 of \d"))).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(launcher).to_be_focused()


def test_on_a_phone_the_focus_goes_round_in_the_chat(browser: Browser, kit: RunningKit) -> None:
    """The panel covers the page there, so nothing behind it is reached."""
    with browser.new_context(viewport=PHONE) as context:
        visitor = ShopVisitor(context.new_page(), f"{kit.url}/shop/")
        for key in ("Tab", "Shift+Tab"):
            for _ in range(12):
                visitor.page.keyboard.press(key)
                assert visitor.page.evaluate(_FOCUSED)["dialog"]


def test_the_desk_from_the_list_to_a_dialog_and_back(browser: Browser, page: Page, kit: RunningKit) -> None:
    """List, conversation, reply and dialog; the dialog keeps the focus and gives it back, Escape leads back to the line."""
    empty_the_queue(kit)
    with browser.new_context(viewport=DESKTOP) as context:
        visitor = ShopVisitor(context.new_page(), f"{kit.url}/shop/")
        visitor.says("I want to talk to a person")
        visitor.sees(re.compile("Waiting for a person|you are next"))
    agent = DeskAgent(page, kit.url, kit.settings.admin_email, kit.settings.admin_password)
    line = agent.waiting.get_by_role("listitem").last.get_by_role("button")
    line.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Customer"))).to_be_focused(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Accept").press("Enter")
    expect(page.get_by_role("textbox", name="Reply to the customer")).to_be_focused(timeout=PATIENCE_MS)
    closing = page.get_by_role("button", name="Close …")
    closing.press("Enter")
    expect(page.get_by_role("dialog", name="Close the conversation")).to_be_visible()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(7):
            page.keyboard.press(key)
            focused = page.evaluate(_FOCUSED)
            # After the last of a dialog the browser itself is reached, which shows as the body.
            assert focused["dialog"] or focused["body"], focused["name"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(closing).to_be_focused()
    page.keyboard.press("Escape")
    expect(agent.queue.get_by_role("button", name=re.compile("^Customer")).and_(page.locator("[aria-current=true]"))).to_be_focused()
    page.reload()
    page.get_by_role("heading", name=re.compile("^Customer")).wait_for()
    assert tabs(page, 1) == ["Skip to the conversation"]
    page.keyboard.press("Enter")
    expect(page.locator("#conversation")).to_be_focused()
