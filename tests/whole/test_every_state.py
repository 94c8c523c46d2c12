"""Every state of every face, on a desktop and on a phone, in light and dark: open to all by axe's rules, silent in the console, in its window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from kit.processes import RunningKit
from tests.whole.browsers import chromium
from tests.whole.inspection import faults, listening
from tests.whole.pictures import SIZES
from tests.whole.states import State, every_state

pytestmark = pytest.mark.timeout(240)

FACES_AT_LEAST = 40


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for this file."""
    with chromium() as running:
        yield running


@pytest.mark.parametrize("size", SIZES)
def test_every_state_is_open_to_all(browser: Browser, kit: RunningKit, size: str) -> None:
    """Axe finds nothing against WCAG 2.2 A and AA or good practice, no page reports an error or a breach of its policy, nothing scrolls sideways."""
    looks = {"viewport": SIZES[size], "locale": "en-GB"}
    seen, wrong = set(), []
    with browser.new_context(**looks) as customers, browser.new_context(**looks) as staff, listening(customers, staff) as console:
        for state in every_state(customers, staff, kit):
            wrong += faults(state) + [f"{state.name}: {words}" for words in console.taken(state)]
            seen.add(state.name)
    assert wrong == []
    assert len(seen) >= FACES_AT_LEAST


def test_what_is_wrong_is_found(browser: Browser) -> None:
    """The inspection sees a picture without words, faint text, a page that is too wide and a script that fails."""
    with browser.new_context() as context, listening(context) as console:
        page = context.new_page()
        page.set_content(
            "<html lang=en><title>x</title><main><h1>x</h1><img src='data:,' width=9 height=9>"
            "<p style='color:#aaa;background:#fff;width:3000px'>faint</p></main><script>missing()</script>"
        )
        state = State("made-up", page)
        found = "\n".join(faults(state) + console.taken(state))
    for words in ("image-alt", "light: color-contrast", "dark: color-contrast", "3008 px in a window of 1280", "missing is not defined"):
        assert words in found
