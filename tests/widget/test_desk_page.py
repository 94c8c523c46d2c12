"""The desk in a real browser, over a made-up kit that speaks the staff's API."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright

from widget.desk.pages import desk_pages

ROOT = Path(__file__).resolve().parents[2]
FAKE_DESK = ROOT / "tests" / "javascript" / "fake_desk.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync")
WAITING = ".item[data-id=c-91aa7f3a]"
MINE = ".item[data-id=c-72c1d0de]"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, "Chromium is needed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def address() -> Iterator[str]:
    """Where a furnished desk is served."""
    process = subprocess.Popen(["node", str(FAKE_DESK), "0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout as said:
        yield said.readline().strip()
    process.terminate()
    process.wait(10)


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The desk's sign-in, in a context of its own; a script that the policy stops or that fails makes the test fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto(address)
    yield page
    context.close()
    assert problems == []


def sign_in(page: Page) -> None:
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill("lovelace")
    page.keyboard.press("Enter")
    expect(page.locator(WAITING)).to_be_visible()


def test_the_kit_serves_the_page_and_every_file_of_it() -> None:
    """What the page names and what its modules import is there."""
    app = Flask("widget", root_path=str(ROOT / "widget"))
    app.register_blueprint(desk_pages())
    with app.test_client() as client:
        assert "/desk/static/desk.js" in client.get("/desk").text
        for path in (ROOT / "widget" / "desk" / "static").iterdir():
            with client.get(f"/desk/static/{path.name}") as answer:
                assert answer.status_code == 200


def test_an_agent_takes_a_conversation_and_answers(page: Page) -> None:
    """Why it came and what was shown stands there; Enter sends; the tab's title counts those who wait."""
    sign_in(page)
    expect(page).to_have_title("(3) Desk · Hearthlink")
    page.click(WAITING)
    expect(page.get_by_text("The customer said that the bot's answer did not help.")).to_be_visible()
    expect(page.locator("#details")).to_contain_text("93 % sure")
    page.get_by_role("button", name="Accept").click()
    box = page.get_by_label("Reply to the customer")
    expect(box).to_be_focused()
    box.press_sequentially("Hello, ")
    box.press("Shift+Enter")
    box.press_sequentially("I am Ada.")
    box.press("Enter")
    expect(page.locator(".row-agent .words")).to_have_text("Hello, \nI am Ada.")
    expect(box).to_have_value("")
    expect(page).to_have_title("(2) Desk · Hearthlink")


def test_what_a_customer_writes_stays_text_and_what_the_bot_says_is_drawn(page: Page) -> None:
    """No element is made of a customer's words; the bot's nodes become elements, its sources links to new tabs without its mark."""
    sign_in(page)
    page.click(WAITING)
    first = page.locator(".row-customer .words").first
    expect(first).to_contain_text("<b>help</b>")
    assert first.evaluate("element => element.childElementCount") == 0
    expect(page.locator(".row-bot ol li").first).to_have_text("Pull the plug.")
    source = page.locator(".row-bot .sources a").first
    assert source.get_attribute("rel") == "noopener noreferrer"
    assert "?" not in (source.get_attribute("href") or "")


def test_a_draft_outlives_a_reload_and_a_session(page: Page) -> None:
    """Each conversation keeps its own; signing in again leads back to it."""
    sign_in(page)
    page.click(MINE)
    page.get_by_label("Reply to the customer").fill("Your parcel is")
    page.click(WAITING)
    expect(page.get_by_label("Reply to the customer")).to_have_value("")
    page.click(MINE)
    page.reload()
    expect(page.get_by_label("Reply to the customer")).to_have_value("Your parcel is")
    page.context.clear_cookies()
    page.get_by_role("button", name="Return to bot").click()
    expect(page.get_by_text("your drafts are kept")).to_be_visible()
    sign_in(page)
    expect(page.get_by_label("Reply to the customer")).to_have_value("Your parcel is")


def test_a_note_is_not_a_reply(page: Page) -> None:
    """The two have drafts of their own, and the note is marked as one."""
    sign_in(page)
    page.click(MINE)
    page.get_by_label("Reply to the customer").fill("Dear customer")
    page.get_by_role("button", name="Private note").click()
    note = page.get_by_label("Note for staff")
    expect(note).to_have_value("")
    note.fill("Third call this week")
    note.press("Enter")
    expect(page.locator(".row-note")).to_contain_text("Note by Ada, seen by staff only")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.get_by_label("Reply to the customer")).to_have_value("Dear customer")


def test_closing_asks_how_it_ended(page: Page) -> None:
    """Escape leaves everything as it is."""
    sign_in(page)
    page.click(MINE)
    page.get_by_role("button", name="Close …").click()
    expect(page.get_by_role("dialog", name="Close the conversation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Close …").click()
    page.get_by_label("Not solved").check()
    page.get_by_role("button", name="Close conversation").click()
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()


def test_the_desk_works_by_keyboard_alone(page: Page) -> None:
    """Enter opens a conversation and moves into it; Tab finds Accept; Escape goes back to where one was."""
    sign_in(page)
    page.locator(WAITING).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Customer 7F3A")).to_be_focused()
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(WAITING)).to_be_focused()


def test_on_a_phone_the_list_leads_to_the_conversation_and_back(page: Page) -> None:
    """One thing at a time, never wider than the screen; the browser's own way back works too."""
    page.set_viewport_size(PHONE)
    sign_in(page)
    page.click(WAITING)
    expect(page.locator(".list")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="Details").click()
    expect(page.locator("#details")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator(WAITING)).to_be_focused()
    page.click(MINE)
    page.go_back()
    expect(page.locator(".list")).to_be_visible()


CHOSEN = "nine red kites over the weir"


def open_account(page: Page) -> None:
    sign_in(page)
    page.get_by_role("button", name="Your account").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_focused()


def change_password(page: Page, current: str, chosen: str, again: str | None = None) -> None:
    page.get_by_label("Current password").fill(current)
    page.get_by_label("New password", exact=True).fill(chosen)
    page.get_by_label("New password again").fill(again or chosen)
    page.get_by_role("button", name="Change password").click()


def test_an_agent_changes_their_password(page: Page) -> None:
    """What is wrong is told beside its field, which gets the focus; then it is done, the others are out, and the desk goes on."""
    open_account(page)
    alert, new = page.get_by_role("alert").filter(visible=True), page.get_by_label("New password", exact=True)
    change_password(page, "lovelace", CHOSEN, f"{CHOSEN}!")
    expect(alert).to_have_text("The two new passwords differ.")
    expect(page.get_by_label("New password again")).to_be_focused()
    change_password(page, "not this", CHOSEN)
    expect(alert).to_have_text("That is not your current password.")
    expect(page.get_by_label("Current password")).to_be_focused()
    change_password(page, "lovelace", "password1")
    expect(alert).to_contain_text("known from a breach")
    expect(new).to_be_focused()
    expect(new).to_have_attribute("aria-invalid", "true")
    change_password(page, "lovelace", CHOSEN)
    expect(page.get_by_text("signed out everywhere else")).to_be_visible()
    expect(new).to_have_value("")
    expect(page.locator(".session")).to_have_count(1)
    page.get_by_role("button", name="Back to the desk").click()
    page.click(MINE)
    page.get_by_label("Reply to the customer").fill("Here I am.")
    page.keyboard.press("Enter")
    expect(page.locator(".row-agent .words").last).to_have_text("Here I am.")


def test_an_agent_ends_sessions(page: Page) -> None:
    """Each names its browser; the one in use cannot be ended by mistake, and the password is asked for once more."""
    open_account(page)
    sessions = page.locator(".session")
    expect(sessions).to_have_count(3)
    this = sessions.filter(has_text="This one")
    expect(this).to_contain_text("Chrome on Linux")
    expect(this.get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="End the session of Safari on iPhone").click()
    dialog = page.get_by_role("dialog", name="End this session?")
    dialog.get_by_label("Your password").fill("not this")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("That is not your current password.")
    expect(dialog.get_by_label("Your password")).to_be_focused()
    page.keyboard.type("lovelace")
    page.keyboard.press("Enter")
    expect(sessions).to_have_count(2)
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_focused()
    page.get_by_role("button", name="End all others").click()
    page.get_by_label("Your password").fill("lovelace")
    page.keyboard.press("Enter")
    expect(sessions).to_have_count(1)
    expect(page.get_by_role("button", name="End all others")).to_be_hidden()


def test_a_password_that_was_made_is_exchanged_before_the_desk_opens(page: Page) -> None:
    """There is nothing else to press but signing out; afterwards the desk is there."""
    page.get_by_label("E-mail").fill("neo@example.org")
    page.get_by_label("Password").fill("lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your password was made for you.")).to_be_visible()
    expect(page.get_by_label("Current password")).to_be_focused()
    expect(page.locator("button:visible")).to_have_text(["Sign out", "Change password"])
    change_password(page, "lovelace", CHOSEN)
    expect(page.locator(WAITING)).to_be_visible()


def test_an_editor_finds_their_account_and_why_there_is_no_more(page: Page) -> None:
    """On a phone as well, never wider than the screen."""
    page.set_viewport_size(PHONE)
    page.get_by_label("E-mail").fill("eve@example.org")
    page.get_by_label("Password").fill("lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Conversations are for agents and administrators.")).to_be_visible()
    expect(page.locator(".session")).to_have_count(1)
    expect(page.get_by_role("switch")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_account_has_an_address_and_keeps_the_desk_as_it_was(page: Page) -> None:
    """The browser's way back leads to the open conversation, with its draft; a reload stays where one is."""
    sign_in(page)
    page.click(MINE)
    page.get_by_label("Reply to the customer").fill("Your parcel is")
    page.get_by_role("button", name="Your account").click()
    page.reload()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page).to_have_title("Your account · Hearthlink")
    page.go_back()
    expect(page.get_by_label("Reply to the customer")).to_have_value("Your parcel is")
