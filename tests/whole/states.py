"""Every state of every face of the running kit, one after another, for whoever looks at them: the tests, and the pictures.

A walk is a generator: it brings a page into a state, yields it, and goes on from there when it has been looked at. Each looks the same in any
kit with the shop's articles, whatever was done in it before.
"""

from __future__ import annotations

import json
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from kit.processes import RunningKit
from kit.programs import WEB_PYTHON, inherited, web_half
from kit.settings import ROOT
from tests.whole.browsers import PATIENCE_MS, DeskAgent, ShopVisitor
from tests.whole.people import Agent, Customer

NOTHING = re.compile(r"(?!)")
OFFLINE = re.compile("ERR_INTERNET_DISCONNECTED")
"""What a browser itself writes to the console when a call meets no network, and what it writes of an answer that is an error on purpose."""
NOT_FOUND = re.compile("status of 404")
REFUSED = re.compile("status of 422")
NOT_SIGNED_IN = re.compile("status of 401")
VAGUE = ("wifi", "parcel", "bulb", "order", "hub", "light", "money", "app", "camera picture", "light is red", "my light", "delivery", "password")
LONG_QUESTION = "My parcel was to come on Tuesday, then on Thursday, and now the page says that it was handed to a neighbour."


@dataclass(frozen=True)
class State:
    """A page in a state worth looking at. ``noise`` matches what the console may hold because of it."""

    name: str
    page: Page
    noise: re.Pattern[str] = NOTHING


def every_state(customers: BrowserContext, staff: BrowserContext, kit: RunningKit) -> Iterator[State]:
    """All faces: help centre, shop, chat and desk. The contexts are new ones, and decide size and language."""
    empty_the_queue(kit)
    yield from _help_centre(customers.new_page(), kit)
    yield from _talk(customers.new_page(), staff.new_page(), kit)


def empty_the_queue(kit: RunningKit) -> None:
    """Close what waits for a person and what a person holds, so that the next to come is the only one."""
    agent = Agent(kit.url, kit.settings.admin_email, kit.settings.admin_password)
    for owner in ("queued", "agent"):
        for conversation in agent.call("GET", "/desk/conversations", params={"owner": owner}).json()["conversations"]:
            agent.does(conversation["id"], "close", resolution="not_solved").raise_for_status()


def _help_centre(page: Page, kit: RunningKit) -> Iterator[State]:
    for name, path in (
        ("help-home", "/help"),
        ("help-results", "/help?q=my+internet+light+is+red"),
        ("help-nothing", "/help?q=can+I+bring+my+horse"),
        ("help-article", "/help/router-red-light"),
        ("help-answer", "/help/return-a-product"),
    ):
        page.goto(kit.url + path)
        yield State(name, page)
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_label(re.compile("What was missing"))).to_be_visible()
    yield State("help-feedback", page)
    page.goto(f"{kit.url}/help/nothing-here")
    yield State("help-not-found", page, NOT_FOUND)
    page.goto(f"{kit.url}/nothing-here")
    yield State("error-not-found", page, NOT_FOUND)
    kit.control.stop("search")
    page.goto(f"{kit.url}/help?q=my+internet+light+is+red")
    yield State("help-results-by-words", page)
    kit.control.start("search")
    page.close()


def _talk(shop_page: Page, desk_page: Page, kit: RunningKit) -> Iterator[State]:
    shop_page.goto(f"{kit.url}/shop/")
    yield State("shop", shop_page)
    visitor = ShopVisitor(shop_page, f"{kit.url}/shop/")
    yield State("chat-greeting", shop_page)
    kit.wait_ready(60)
    yield from _with_the_bot(visitor, kit)
    agent = yield from _signing_in(desk_page, kit)
    yield from _waiting(visitor)
    yield from _with_a_person(visitor, agent)
    yield from _hindered(visitor, agent)
    yield from _ending(visitor, agent)
    yield from _session_over(agent)


def _with_the_bot(visitor: ShopVisitor, kit: RunningKit) -> Iterator[State]:
    with bot_is_slow(kit):
        visitor.says("my router has a red light")
        expect(visitor.chat.get_by_text(re.compile("is typing"))).to_be_visible(timeout=PATIENCE_MS)
        yield State("chat-typing", visitor.page)
    visitor.sees(re.compile("Router shows a red light"))
    yield State("chat-answer", visitor.page)
    visitor.presses("Take me through it")
    visitor.sees(re.compile("worked", re.IGNORECASE))
    yield State("chat-guide-step", visitor.page)
    visitor.presses("It did not")
    visitor.sees(re.compile("Step 2 of"))
    yield State("chat-guide-choice", visitor.page)
    visitor.says(_vague_question(kit))
    visitor.sees(re.compile("None of these"))
    yield State("chat-offered", visitor.page)
    visitor.says("can your robot mow my lawn")
    visitor.sees(re.compile("other words|bit more|differently", re.IGNORECASE))
    yield State("chat-asked-again", visitor.page)


def _vague_question(kit: RunningKit) -> str:
    """A question that the bot answers with titles to choose from. Which one that is depends on the index, so the bot itself is asked."""
    for question in VAGUE:
        if Customer(kit.url).asks(question)["outcome"] == "offered_choices":
            return question
    raise AssertionError("the bot offers a choice for none of these")


@contextmanager
def bot_is_slow(kit: RunningKit) -> Iterator[None]:
    """Rasa is held, so that a turn can be seen under way."""
    kit.kill("rasa", signal.SIGSTOP)
    try:
        yield
    finally:
        kit.kill("rasa", signal.SIGCONT)


def _signing_in(page: Page, kit: RunningKit) -> Iterator[State]:
    page.goto(f"{kit.url}/desk")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)
    yield State("desk-sign-in", page, NOT_SIGNED_IN)
    DeskAgent(page, kit.url, kit.settings.admin_email, "not the password")
    expect(page.get_by_text("do not fit together")).to_be_visible(timeout=PATIENCE_MS)
    yield State("desk-wrong-password", page, NOT_SIGNED_IN)
    yield from _first_day(page, kit)
    agent = DeskAgent(page, kit.url, kit.settings.admin_email, kit.settings.admin_password)
    agent.sees(re.compile("Nobody is waiting"))
    yield State("desk-empty", page, NOT_SIGNED_IN)
    yield from _own_account(agent)
    return agent


def _first_day(page: Page, kit: RunningKit) -> Iterator[State]:
    """Somebody comes with the password that was made for them, and goes again."""
    made = hired(kit)
    newcomer = DeskAgent(page, kit.url, made["email"], made["password"])
    newcomer.sees(re.compile("Your password was made for you"))
    yield State("desk-first-password", page, NOT_SIGNED_IN)
    newcomer.presses("Sign out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE_MS)


def hired(kit: RunningKit) -> dict[str, str]:
    """A new account, made as an operator makes one: e-mail and password."""
    command = [str(WEB_PYTHON), "-m", "desk", "add-staff", f"grace-{secrets.token_hex(4)}@example.org", "Grace"]
    environment = {**inherited(), **web_half(kit.settings)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    created: dict[str, str] = json.loads(done.stdout)["created"]
    return created


def _own_account(agent: DeskAgent) -> Iterator[State]:
    """The sessions are two at least: whoever emptied the queue signed in as well."""
    agent.presses("Your account")
    agent.sees("This one")
    yield State("desk-account", agent.page)
    for label, words in (("Current password", "not this one"), ("New password", "password1"), ("New password again", "password1")):
        agent.page.get_by_label(label, exact=True).fill(words)
    agent.presses("Change password")
    agent.sees(re.compile("known from a breach:"))
    yield State("desk-account-refused", agent.page, REFUSED)
    agent.presses("End all others …")
    agent.sees("End all other sessions?")
    yield State("desk-account-end", agent.page)
    agent.presses("Cancel")
    agent.presses("Back to the desk")


def _waiting(visitor: ShopVisitor) -> Iterator[State]:
    visitor.presses("Talk to a person")
    visitor.sees(re.compile("Waiting for a person|you are next"))
    yield State("chat-waiting", visitor.page)
    visitor.closes_chat()
    yield State("shop-chat-closed", visitor.page)
    visitor.opens_chat()


def _with_a_person(visitor: ShopVisitor, agent: DeskAgent) -> Iterator[State]:
    expect(agent.waiting.get_by_role("listitem")).to_have_count(1, timeout=PATIENCE_MS)
    yield State("desk-queue", agent.page)
    agent.opens_newest()
    expect(agent.transcript.get_by_text("my router has a red light")).to_be_attached(timeout=PATIENCE_MS)
    yield State("desk-conversation", agent.page)
    yield from _details_on_a_phone(agent)
    agent.presses("Accept")
    visitor.sees(re.compile("joined the conversation"))
    agent.sees("With you")
    agent.types("Hello! I can see the steps you tried.")
    expect(visitor.chat.get_by_text(re.compile("is typing"))).to_be_visible(timeout=PATIENCE_MS)
    yield State("chat-agent-typing", visitor.page)
    yield State("desk-composer", agent.page)
    agent.writes("Hello! I can see the steps you tried. Is the cable of the box in the wall socket?")
    visitor.sees(re.compile("Is the cable of the box"))
    visitor.says("Yes, it is. The light is red all the same.")
    agent.sees(re.compile("red all the same"))
    yield State("chat-agent", visitor.page)
    visitor.says(LONG_QUESTION)
    agent.sees(LONG_QUESTION)
    yield State("desk-talk", agent.page)
    agent.notes("Line was fine in the morning. Waiting for the carrier's test.")
    agent.sees(re.compile("seen by staff only"))
    yield State("desk-note", agent.page)


def _details_on_a_phone(agent: DeskAgent) -> Iterator[State]:
    """The brief stands beside the conversation where there is room, and behind a button where there is not."""
    details = agent.page.get_by_role("button", name="Details", exact=True)
    if details.is_visible():
        details.click()
        agent.sees("Why it came to you")
        yield State("desk-details", agent.page)
        details.click()


def _hindered(visitor: ShopVisitor, agent: DeskAgent) -> Iterator[State]:
    visitor.page.context.set_offline(True)
    visitor.says("Are you still there?")
    visitor.sees(re.compile("Not sent"))
    visitor.sees(re.compile("Connection lost"))
    yield State("chat-lost", visitor.page, OFFLINE)
    visitor.page.context.set_offline(False)
    expect(visitor.chat.get_by_text(re.compile("Not sent|Connection lost"))).to_have_count(0, timeout=PATIENCE_MS)
    agent.page.context.set_offline(True)
    agent.writes("Yes, I am.")
    agent.sees(re.compile("Connection lost"))
    yield State("desk-lost", agent.page, OFFLINE)
    agent.page.context.set_offline(False)
    visitor.sees("Yes, I am.")
    expect(agent.page.get_by_text(re.compile("Connection lost"))).to_be_hidden(timeout=PATIENCE_MS)
    agent.presses("Transfer …")
    yield State("desk-transfer", agent.page, OFFLINE)
    agent.presses("Cancel")
    agent.goes_away()
    yield State("desk-away-question", agent.page)
    agent.presses("Cancel")
    if not agent.transcript.is_visible():
        agent.opens_mine()


def _ending(visitor: ShopVisitor, agent: DeskAgent) -> Iterator[State]:
    visitor.presses("End chat")
    yield State("chat-end-question", visitor.page)
    visitor.presses("Keep talking")
    agent.presses("Close …")
    yield State("desk-close", agent.page)
    agent.page.get_by_label("Solved", exact=True).check()
    agent.presses("Close conversation")
    visitor.sees("This conversation is closed.")
    yield State("chat-closed", visitor.page)
    agent.sees("This conversation is closed. You can still leave a note.")
    yield State("desk-closed", agent.page)
    visitor.chat.get_by_role("radio", name=re.compile("Good")).first.check(force=True)
    yield State("chat-rating", visitor.page)
    visitor.presses("Send rating")
    visitor.sees(re.compile("Thank you. You rated us"))
    yield State("chat-rated", visitor.page)


def _session_over(agent: DeskAgent) -> Iterator[State]:
    agent.goes_away()
    agent.sees(re.compile("You are away"))
    yield State("desk-away", agent.page)
    agent.presses("I am back")
    agent.page.context.clear_cookies()
    agent.page.context.set_offline(True)  # so that the desk calls again, by itself
    agent.page.context.set_offline(False)
    agent.sees(re.compile("Your session has ended"))
    yield State("desk-session-over", agent.page, re.compile(f"{NOT_SIGNED_IN.pattern}|{OFFLINE.pattern}"))
