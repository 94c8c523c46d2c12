"""The `<support-chat>` element and the page around it: what each may do, and whose name, colours and words it shows."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.javascript.chat_page import PHONE, Kit, box, embedded, foreign, launcher, says, sees, wait_for


def test_page_hears_what_happens_but_not_what_is_said(page: Page, kit: Kit) -> None:
    """Events tell the page of opening, messages, hand-over and the end, without words; a reload does not tell them again."""
    listen = """() => {
      window.heard = [];
      for (const name of ["open", "close", "message", "handoff", "closed"])
        document.addEventListener(`support-chat:${name}`, (event) => window.heard.push([name, event.detail]));
    }"""
    page.evaluate(listen)
    says(page, "hello")
    sees(page, "You said: hello")
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.get_by_text("Waiting for a person, number 2")).to_be_visible()
    kit.plays("close")
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()
    page.keyboard.press("Escape")
    launcher(page).click()
    heard = page.evaluate("window.heard")
    assert [name for name, _ in heard] == ["message", "message", "handoff", "closed", "close", "open"]
    assert heard[2][1] == {"owner": "queued", "reason": "customer_asked"}
    assert "hello" not in json.dumps(heard)
    page.reload()
    page.evaluate(listen)
    sees(page, "You said: hello")
    assert page.evaluate("window.heard.filter(([name]) => name === 'message').length") == 0


def test_foreign_page_over_plain_http(context: BrowserContext, kit: Kit) -> None:
    """Without locks every tab reads for itself; a rough style sheet of the page changes nothing but what the page may set."""
    rough = (
        ":root {font-size: 9px; --td-brand: rgb(120, 0, 80)} * {color: red !important; font-family: cursive} p {margin: 90px} button {display: none}"
    )
    page = foreign(context, embedded(kit, head=f"<style>{rough}</style>"))
    launcher(page).click()
    says(page, "hello")
    sees(page, "You said: hello")
    assert page.evaluate("isSecureContext") is False
    page.mouse.move(0, 0)
    expect(launcher(page)).to_have_css("background-color", "rgb(120, 0, 80)")
    expect(box(page)).to_have_css("font-size", "15px")
    expect(page.locator("support-chat .bubble p").first).to_have_css("margin-top", "0px")


def test_storage_blocked(context: BrowserContext, kit: Kit) -> None:
    """In a frame without storage, locks or an origin the conversation works until the page is left."""
    inner = embedded(kit).replace('"', "&quot;")
    page = foreign(context, f'<!doctype html><iframe sandbox="allow-scripts" width="900" height="700" srcdoc="{inner}"></iframe>')
    frame = page.frame_locator("iframe")
    frame.locator(".launcher").click()
    field = frame.get_by_role("textbox", name="Your message")
    field.fill("hello")
    field.press("Enter")
    expect(frame.get_by_text("You said: hello")).to_be_visible()


def test_loaded_twice_moved_and_removed(context: BrowserContext, kit: Kit) -> None:
    """A second script tag changes nothing; moving the element keeps the conversation; removing it ends its stream."""
    twice = f'<script type="module" src="{kit.url}widget/support-chat.js?again"></script>'
    page = foreign(context, embedded(kit, head=twice))
    launcher(page).click()
    says(page, "hello")
    sees(page, "You said: hello")
    page.evaluate("document.body.append(Object.assign(document.createElement('main')), document.querySelector('support-chat'))")
    sees(page, "You said: hello")
    wait_for(lambda: kit.counts()["streams"] == 1, page)
    page.evaluate("document.querySelector('support-chat').remove()")
    wait_for(lambda: kit.counts()["streams"] == 0, page)
    assert kit.counts() == {"conversations": 1, "streams": 0, "messages": 1}


def test_attributes_are_the_api(context: BrowserContext, kit: Kit) -> None:
    """The page opens and closes it, names it, offers first questions; values that make no sense fall back."""
    attributes = 'heading="Nordlys help" topics=" One? || Two? |3|4|5" locale="not a locale!" kit="javascript:x" theme="dark"'
    page = foreign(context, embedded(kit, f"<support-chat {attributes}></support-chat>"))
    page.evaluate("document.querySelector('support-chat').open = true")
    expect(page.get_by_role("dialog", name="Nordlys help")).to_be_visible()
    expect(page.locator("support-chat .topics button")).to_have_text(["One?", "Two?", "3", "4"])
    assert page.evaluate("(({locale, kit}) => [locale, kit])(document.querySelector('support-chat'))") == ["en", kit.url]
    expect(page.locator("support-chat .panel")).to_have_css("background-color", "rgb(16, 21, 19)")
    page.get_by_role("button", name="Two?").click()
    sees(page, "You said: Two?")
    page.evaluate("document.querySelector('support-chat').removeAttribute('open')")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_phone_fills_the_window_and_keeps_the_focus(browser: Browser, kit: Kit) -> None:
    """On a phone the panel covers the page, and the focus goes round inside it."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.goto(kit.shop)
    launcher(page).tap()
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("link", name="Help centre").last.focus()
    page.keyboard.press("Tab")
    expect(page.locator("support-chat .close")).to_be_focused()
    context.close()


def test_without_scripts_the_help_centre_is_one_press_away(browser: Browser, kit: Kit) -> None:
    """The element's own content is a plain link."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(kit.shop)
    expect(page.locator("support-chat a")).to_be_visible()
    expect(page.locator("support-chat a")).to_have_attribute("href", re.compile("/help$"))
    context.close()


def branded(kit: Kit, **more: object) -> None:
    """Give the kit a brand."""
    tones = {"brand": "#b3361e", "brand-strong": "#862916", "brand-soft": "#f7e9e6", "on-brand": "#ffffff"}
    colours = {"light": tones, "dark": {**tones, "brand": "#ff9966", "on-brand": "#2e1c12"}}
    topics = [{"slug": "lamp", "title": "My lamp is dark"}]
    told = {"name": "Kestrel Lamps", "logo": "/static/favicon.svg", "colours": colours, "greeting": "Hello from Kestrel!", "topics": topics}
    kit.plays("brand", brand={**told, **more})


def test_a_foreign_page_gets_the_companys_name_logo_colours_and_words(context: BrowserContext, kit: Kit) -> None:
    """From the kit alone; kept for the next page, where they are there before the kit has answered, and while it is away."""
    branded(kit)
    page = foreign(context, embedded(kit))
    expect(launcher(page)).to_have_css("background-color", "rgb(179, 54, 30)")
    for _ in range(2):
        launcher(page).click()
        expect(page.get_by_role("dialog", name="Kestrel Lamps").get_by_role("heading", name="Kestrel Lamps")).to_be_visible()
        sees(page, "Hello from Kestrel!")
        expect(page.locator("support-chat .head .mark img")).to_have_attribute("src", f"{kit.url}static/favicon.svg")
        context.route(f"{kit.url}api/brand", lambda route: route.abort())
        page.keyboard.press("Escape")
        page.reload()
        expect(launcher(page)).to_have_css("background-color", "rgb(179, 54, 30)")
    launcher(page).click()
    page.get_by_role("button", name="My lamp is dark").click()
    sees(page, "You said: My lamp is dark")


def test_the_dark_scheme_has_the_brands_dark_colour(context: BrowserContext, kit: Kit) -> None:
    """By the reader's setting, and by the page's."""
    branded(kit)
    page = foreign(context, embedded(kit, '<support-chat theme="dark"></support-chat>'))
    expect(launcher(page)).to_have_css("background-color", "rgb(255, 153, 102)")
    page.evaluate("document.querySelector('support-chat').removeAttribute('theme')")
    page.emulate_media(color_scheme="dark")
    expect(launcher(page)).to_have_css("background-color", "rgb(255, 153, 102)")
    page.emulate_media(color_scheme="light")
    expect(launcher(page)).to_have_css("background-color", "rgb(179, 54, 30)")


def test_what_the_page_says_wins_over_the_brand(context: BrowserContext, kit: Kit) -> None:
    """Its heading, its first questions, its colour."""
    branded(kit)
    element = '<support-chat heading="Our shop" topics="Where is my order?" style="--td-brand: #123456"></support-chat>'
    page = foreign(context, embedded(kit, element))
    launcher(page).click()
    sees(page, "Hello from Kestrel!")
    expect(page.get_by_role("heading", name="Our shop")).to_be_visible()
    expect(page.get_by_role("button", name="Where is my order?")).to_be_visible()
    expect(page.get_by_role("button", name="My lamp is dark")).to_have_count(0)
    expect(launcher(page)).to_have_css("background-color", "rgb(18, 52, 86)")


def test_a_logo_that_cannot_be_shown_leaves_the_mark(context: BrowserContext, kit: Kit) -> None:
    """Gone, or on a page whose policy refuses it; and one from elsewhere is never fetched."""
    for logo in ("/static/away.svg", "https://evil.example/logo.svg"):
        branded(kit, logo=logo)
        page = foreign(context, embedded(kit))
        launcher(page).click()
        sees(page, "Hello from Kestrel!")
        expect(page.locator("support-chat .head .mark svg")).to_be_visible()
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.mark.parametrize("email", ["help@kestrel.example", None])
def test_out_of_hours_waiting_says_when_somebody_is_back(page: Page, kit: Kit, email: str | None) -> None:
    """By the reader's clock, asked anew when the waiting begins; with an address to write to, and without a guess how long the queue takes."""
    tomorrow = page.evaluate("(() => { const d = new Date(); d.setDate(d.getDate() + 1); d.setHours(9, 0, 0, 0); return d.toISOString(); })()")
    branded(kit, email=email, hours={"open": False, "opens_at": tomorrow})
    page.get_by_role("button", name="Talk to a person").click()
    queue = page.get_by_role("status").filter(has_text="We are back")
    expect(queue).to_contain_text("We are back tomorrow at 9:00. You will find our answer here.")
    expect(queue.get_by_text("Waiting for a person, number 2", exact=True)).to_be_visible()
    if email:
        expect(queue.get_by_role("link", name=email)).to_have_attribute("href", f"mailto:{email}")
    expect(queue.get_by_role("link")).to_have_count(1 if email else 0)
    kit.plays("accept")
    sees(page, "Ada")
    expect(queue).to_be_hidden()
