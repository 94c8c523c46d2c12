"""The whole way of one customer, in two browsers: question, answer, no, hand-off, agent, reply, close, rating, ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kit.processes import RunningKit
from tests.whole.browsers import DESKTOP, PATIENCE_MS, PHONE, DeskAgent, ShopVisitor, chromium
from tests.whole.invariants import rows, violations
from tests.whole.states import empty_the_queue

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file; each person has a context, and so storage, of their own."""
    with chromium() as running:
        yield running


@pytest.fixture
def visitor(browser: Browser, shop: str) -> Iterator[ShopVisitor]:
    """A customer on the shop page, which is another origin than the kit."""
    with browser.new_context(viewport=PHONE) as context:
        yield ShopVisitor(context.new_page(), shop)


@pytest.fixture
def agent(browser: Browser, kit: RunningKit) -> Iterator[DeskAgent]:
    """An agent at the desk, where nobody waits yet."""
    empty_the_queue(kit)
    with browser.new_context(viewport=DESKTOP) as context:
        yield DeskAgent(context.new_page(), kit.url, kit.settings.admin_email, kit.settings.admin_password)


def test_from_question_to_ledger(visitor: ShopVisitor, agent: DeskAgent, database: Path) -> None:
    """A customer is answered with a source, says it did not help, gets a person, is answered, closed and rates; all of it is in the ledger."""
    visitor.says("my router has a red light")
    visitor.sees(re.compile("Router shows a red light"))
    with visitor.page.context.expect_page() as opened:
        visitor.chat.get_by_role("link", name=re.compile("Router shows a red light")).click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text(re.compile("red light"))
    opened.value.close()
    visitor.presses("No")
    visitor.sees(re.compile("Waiting for a person|you are next"))

    agent.opens_newest()
    agent.sees("The customer said that the bot's answer did not help.")
    agent.sees(re.compile("Router shows a red light"))
    agent.presses("Accept")
    visitor.sees(re.compile("joined the conversation"))
    agent.writes("Hello, I am looking at your line now.")
    visitor.sees("Hello, I am looking at your line now.")
    visitor.says("Thank you! It is <b>still</b> red.")
    agent.sees("Thank you! It is <b>still</b> red.")
    agent.presses("Close …")
    agent.page.get_by_label("Solved", exact=True).check()
    agent.presses("Close conversation")

    visitor.sees("This conversation is closed.")
    visitor.chat.get_by_role("radio", name=re.compile("Good")).first.check(force=True)
    visitor.presses("Send rating")
    visitor.sees(re.compile("Thank you. You rated us"))

    (conversation,) = rows(database, "SELECT * FROM conversations WHERE resolution = 'solved' ORDER BY created_at DESC LIMIT 1")
    ledger = rows(
        database, "SELECT kind, actor, article, stage, outcome, data FROM touchpoints WHERE conversation_id = ? ORDER BY seq", conversation["id"]
    )
    assert [row["kind"] for row in ledger] == [
        "question",
        "answer",
        "article_view",
        "question",
        "answer",
        "handoff",
        "queue_wait",
        "agent_reply",
        "question",
        "close",
        "survey",
        "survey",
    ]
    assert ledger[1]["article"] == ledger[2]["article"] == "router-red-light"
    assert ledger[5]["outcome"] == "not_solved"
    assert json.loads(ledger[-1]["data"])["score"] == 4
    assert violations(database) == []


def test_reload_keeps_the_conversation(visitor: ShopVisitor) -> None:
    """What was said is there after a reload, once, and the conversation goes on."""
    visitor.says("how long is the guarantee")
    visitor.sees(re.compile("years of warranty"))
    visitor.page.reload()
    if not visitor.chat.is_visible():
        visitor.opens_chat()
    visitor.sees("how long is the guarantee")
    expect(visitor.log.get_by_text("how long is the guarantee")).to_have_count(1)
    visitor.says("hello")
    expect(visitor.log.get_by_text("hello", exact=True)).to_have_count(1, timeout=PATIENCE_MS)


def test_lost_connection_is_said_and_made_good(visitor: ShopVisitor) -> None:
    """Without a connection the customer is told; what they wrote meanwhile is sent once when it is back."""
    visitor.says("how long is the guarantee")
    visitor.sees(re.compile("years of warranty"))
    visitor.page.context.set_offline(True)
    visitor.says("where can I see my invoice")
    visitor.sees(re.compile("Not sent|Connection lost"))
    visitor.page.context.set_offline(False)
    expect(visitor.chat.get_by_text(re.compile("Not sent"))).to_have_count(0, timeout=PATIENCE_MS)
    expect(visitor.log.get_by_text("where can I see my invoice")).to_have_count(1)
    expect(visitor.chat.get_by_text(re.compile("Connection lost"))).to_have_count(0, timeout=PATIENCE_MS)


def test_markup_of_a_customer_never_runs(visitor: ShopVisitor, agent: DeskAgent) -> None:
    """HTML and Markdown in a message are shown as they were typed, in both browsers."""
    hostile = "<img src=x onerror=\"document.title='ran'\"> **bold** [x](javascript:alert(1)) I want to talk to a person"
    visitor.says(hostile)
    visitor.sees(hostile)
    visitor.presses("Talk to a person")
    agent.opens_newest()
    agent.sees(hostile)
    assert visitor.page.title() != "ran"
    assert agent.page.title() != "ran"
    assert agent.page.locator("img[src=x]").count() == 0


def test_a_guide_is_walked_in_the_chat(visitor: ShopVisitor, database: Path) -> None:
    """The customer is taken through a guide step by step, survives a reload, and each step is in the ledger."""
    visitor.says("my router has a red light")
    visitor.presses("Take me through it")
    visitor.sees(re.compile("It worked|worked"))
    visitor.page.reload()
    if not visitor.chat.is_visible():
        visitor.opens_chat()
    before = len(rows(database, "SELECT id FROM touchpoints WHERE kind = 'guide_step'"))
    visitor.chat.get_by_role("group", name=re.compile("Answers you can choose")).last.get_by_role("button").nth(1).click()
    visitor.page.wait_for_timeout(1500)
    assert len(rows(database, "SELECT id FROM touchpoints WHERE kind = 'guide_step'")) > before


def test_help_centre_without_javascript(browser: Browser, kit: RunningKit) -> None:
    """List, article and search work with scripts off, and an internal article is not there."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{kit.url}/help")
        page.get_by_role("searchbox").first.fill("my internet light is red")
        page.keyboard.press("Enter")
        page.get_by_role("link", name=re.compile("Router shows a red light")).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("red light"))
        assert page.goto(f"{kit.url}/help/goodwill-credits").status == 404
