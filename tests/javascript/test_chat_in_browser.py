"""The `<support-chat>` element in Chromium, against a kit in memory: what a customer sees and does, and what the page around it may do."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Route, ViewportSize, expect, sync_playwright

from kit.tools import CHROMIUM, NODE, require

FAKE_KIT = Path(__file__).parent / "fake_kit.mjs"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
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


def test_answer_with_source_and_choices_then_a_guide_step(page: Page) -> None:
    """A question is answered with its source, and a pressed choice leads into the guide; only the newest choices can be pressed."""
    says(page, "my router has a red light")
    sees(page, "Restart the router;")
    source = page.locator("support-chat .source")
    expect(source).to_have_attribute("href", re.compile(r"^http://127.0.0.1:\d+/help/router-red-light\?ref=c#step-1$"))
    expect(source).to_have_attribute("rel", "noopener")
    page.get_by_role("button", name="Take me through it").click()
    sees(page, "Step 1 of 3")
    expect(page.get_by_role("button", name="Take me through it")).to_have_count(0)
    expect(page.get_by_role("button", name="It worked")).to_be_visible()


def test_kit_serves_the_shop_under_its_strict_policy(context: BrowserContext, kit: Kit) -> None:
    """Served by the kit itself the page works under a policy that allows no inline script, no inline style and no markup from strings."""
    page = context.new_page()
    page.goto(f"{kit.url}shop/")
    launcher(page).click()
    says(page, "show me everything")
    sees(page, "A quotation.")
    expect(page.locator("support-chat .panel")).to_have_css("border-top-left-radius", "20px")


@pytest.mark.parametrize(
    "words",
    ["<img src=x onerror=window.hacked=1>", "<script>window.hacked=1</script>", "**bold** [x](javascript:window.hacked=1)", "{{7*7}} & &lt;b&gt;"],
)
def test_what_a_customer_writes_is_shown_as_written(page: Page, words: str) -> None:
    """Markup in a message is text, in the customer's own bubble and in the bot's."""
    says(page, words)
    sees(page, f"You said: {words}")
    assert page.locator("support-chat .from-customer .bubble").last.inner_text() == words
    assert page.evaluate("window.hacked") is None


def test_hostile_body_is_drawn_as_text(page: Page) -> None:
    """Elements that are not on the list, and links that are not safe, become words."""
    says(page, "show me everything")
    sees(page, "not a link")
    assert page.locator("support-chat .bubble a").count() == 1
    assert page.locator("support-chat .bubble script").count() == 0


def test_whole_way_to_a_person_and_a_rating(page: Page, kit: Kit) -> None:
    """Asked for, waited for with place and time, joined by name, typing, written, closed, rated, and begun anew."""
    page.get_by_role("button", name="Talk to a person").click()
    expect(page.get_by_text("Waiting for a person, number 2, about 1 to 4 minutes")).to_be_visible()
    kit.plays("accept")
    sees(page, "Ada")
    expect(page.get_by_text("is here for you")).to_be_visible()
    kit.plays("typing")
    expect(page.get_by_text("is typing")).to_be_visible()
    kit.plays("say", text="Hello <b>there</b>")
    sees(page, "Hello <b>there</b>")
    expect(page.get_by_text("is typing")).to_be_hidden()
    kit.plays("close")
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()
    expect(box(page)).to_be_hidden()
    page.get_by_role("radio", name="Good", exact=True).check()
    page.get_by_label("Anything to add?").fill("quick")
    page.get_by_role("button", name="Send rating").click()
    expect(page.get_by_text("You rated us “Good”")).to_be_visible()
    page.get_by_role("button", name="Start a new conversation").click()
    says(page, "hello again")
    sees(page, "You said: hello again")
    assert kit.counts()["conversations"] == 2


def test_never_mind_in_the_queue(page: Page) -> None:
    """Who waits can go back to the bot."""
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="Never mind", exact=True).click()
    sees(page, "You are talking to the assistant again.")
    expect(page.get_by_role("button", name="Talk to a person")).to_be_visible()


def test_ending_is_asked_first(page: Page) -> None:
    """One press ends nothing; the second one does."""
    says(page, "hello")
    sees(page, "You said: hello")
    page.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="Keep talking").click()
    page.get_by_role("button", name="End chat").click()
    page.get_by_role("button", name="Yes, end it").click()
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()


def test_not_sent_and_trying_again(page: Page, kit: Kit) -> None:
    """A message that does not get through says so, can be tried at once, and arrives once."""
    kit.plays("fail", match="/messages", times=1, headers={"Retry-After": "60"})
    says(page, "are you there")
    expect(page.get_by_text("Not sent – trying again")).to_be_visible()
    page.get_by_role("button", name="Try now").click()
    sees(page, "You said: are you there")
    expect(page.get_by_text("Not sent – trying again")).to_be_hidden()
    assert page.locator("support-chat .from-customer").count() == 1


def test_refused_message_can_be_edited(page: Page) -> None:
    """Words that the kit will not take go back into the box."""
    says(page, "unacceptable")
    expect(page.get_by_text("This message could not be accepted.")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    expect(box(page)).to_have_value("unacceptable")
    expect(box(page)).to_be_focused()


def test_lost_connection_is_shown_and_what_was_missed_arrives(page: Page, kit: Kit) -> None:
    """The line at the top comes and goes; the conversation is whole afterwards."""
    says(page, "hello")
    sees(page, "You said: hello")
    kit.plays("fail", match="GET /api", times=3)
    kit.plays("drop")
    kit.plays("say", text="You missed this")
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible()
    # Four pauses that double from 400 ms on come to as much as 6 s.
    expect(page.get_by_role("log").get_by_text("You missed this")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Connection lost. Trying again…")).to_be_hidden()


def test_reload_keeps_conversation_draft_and_open_panel(page: Page) -> None:
    """Everything is where it was, without a press."""
    says(page, "hello")
    sees(page, "You said: hello")
    box(page).fill("half a sentence")
    page.reload()
    sees(page, "You said: hello")
    expect(box(page)).to_have_value("half a sentence")


def test_too_long_is_refused_before_sending(page: Page, kit: Kit) -> None:
    """Near the limit the room is counted; beyond it nothing is sent and nothing is cut."""
    says(page, "hello")
    sees(page, "You said: hello")
    box(page).fill("x" * 7990)
    expect(page.get_by_text("10 characters left")).to_be_visible()
    box(page).fill("x" * 8005)
    expect(page.get_by_text("Too long by 5 characters")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    box(page).press("Enter")
    expect(box(page)).to_have_value("x" * 8005)
    assert kit.counts()["messages"] == 1


def test_keyboard_alone(context: BrowserContext, kit: Kit) -> None:
    """Enter opens and sends, Shift and Enter begins a line, Escape closes and gives the focus back."""
    page = context.new_page()
    page.goto(kit.shop)
    launcher(page).focus()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.locator("support-chat .from-customer .bubble")).to_have_text("one\ntwo")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(launcher(page)).to_be_focused()


def test_focus_is_never_lost_to_a_part_that_goes_away(page: Page, kit: Kit) -> None:
    """A pressed choice and a closed conversation leave the focus inside the panel, so that Escape goes on working."""
    inside = "document.querySelector('support-chat').shadowRoot.activeElement?.getClientRects().length > 0"
    says(page, "red light")
    page.get_by_role("button", name="No", exact=True).press("Enter")
    expect(page.get_by_text("Waiting for a person, number 2")).to_be_visible()
    assert page.evaluate(inside)
    kit.plays("close")
    expect(page.get_by_text("This conversation is closed.")).to_be_visible()
    assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(launcher(page)).to_be_focused()


def test_unread_badge(page: Page, kit: Kit) -> None:
    """What comes while the panel is closed is counted, read out with the launcher, and seen on opening."""
    says(page, "hello")
    sees(page, "You said: hello")
    page.keyboard.press("Escape")
    kit.plays("say", text="one")
    kit.plays("say", text="two")
    expect(page.get_by_role("button", name="Help and chat, 2 new messages")).to_be_visible()
    page.reload()
    expect(page.locator("support-chat .badge")).to_have_text("2")
    launcher(page).click()
    expect(page.locator("support-chat .badge")).to_be_hidden()


def test_tabs_share_one_stream_and_the_next_takes_over(context: BrowserContext, page: Page, kit: Kit) -> None:
    """Two pages of one browser: one stream, the same words, and no gap when the reading one is closed."""
    says(page, "hello")
    sees(page, "You said: hello")
    other = context.new_page()
    other.goto(kit.shop)
    launcher(other).click()
    sees(other, "You said: hello")
    says(other, "from the second tab")
    sees(page, "You said: from the second tab")
    assert kit.counts()["streams"] == 1
    page.close()
    kit.plays("say", text="after the first tab went")
    sees(other, "after the first tab went")
    assert kit.counts()["streams"] == 1


def test_a_page_that_is_left_stays_as_it_was_for_the_way_back(playwright: Playwright, kit: Kit) -> None:
    """The browser may keep it, since the chat has nothing open there; back on it, the chat has what was said meanwhile, and hears what follows."""
    executable, unlike = str(require(CHROMIUM)), ["--disable-back-forward-cache"]
    browser = playwright.chromium.launch(executable_path=executable, args=list(QUIET), ignore_default_args=unlike)
    page = browser.new_context().new_page()
    page.set_default_timeout(8000)
    page.add_init_script("addEventListener('pageshow', ({ persisted }) => { window.kept = persisted; })")
    page.goto(f"{kit.url}shop/")
    launcher(page).click()
    says(page, "hello")
    page.evaluate("window.mark = 'as it was'")
    page.goto(f"{kit.url}shop/?another")
    says(page, "said on another page")
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_function("window.kept === true")
    assert page.evaluate("window.mark") == "as it was"
    sees(page, "said on another page")
    says(page, "and on")
    wait_for(lambda: kit.counts()["streams"] == 1, page)
    browser.close()


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


def wait_for(wanted: Callable[[], bool], page: Page, patience_ms: int = 5000) -> None:
    for _ in range(patience_ms // 50):
        if wanted():
            return
        page.wait_for_timeout(50)
    raise AssertionError("never happened")


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
