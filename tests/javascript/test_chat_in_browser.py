"""The `<support-chat>` element in Chromium, against a kit in memory: what a customer sees and does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from kit.tools import CHROMIUM, require
from tests.javascript.chat_page import QUIET, Kit, box, launcher, says, sees, wait_for


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
