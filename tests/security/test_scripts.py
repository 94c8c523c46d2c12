"""No script runs: payloads in every place where words of others are shown, read in a real Chromium with one of the two defences at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.contract.kit_stand_in import Neighbours
from tests.security.scripts import browser as browsing
from tests.security.scripts.payloads import Payload, known_vectors, payloads, taken_apart
from tests.security.scripts.play import SHORT, Played, Scale, counting_chromium, play
from tests.security.scripts.sinks import SINKS, all_at, at, fitting
from tests.security.scripts.stage import NEITHER, POLICY_ALONE, SANITISER_ALONE, Dress

NOWHERE_SHOWN = {"addresses of pages", "staff's name and e-mail", "transcript and ledger", "exports"}
"""Places without a payload of their own that any page repeats; files show what was put into other places."""
EACH_OF = 17
"""Here one of so many payloads, spread over all vectors; the full run takes all of them."""
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with counting_chromium() as started:
        yield started


def played(browser: Browser, tmp_path: Path, around: Neighbours, dress: Dress, scale: Scale = SHORT, chosen: tuple[Payload, ...] = ()) -> Played:
    return play(browser, tmp_path, around, dress, scale, chosen)


def test_there_are_enough_payloads_and_each_says_who_it_is() -> None:
    """A thousand different ones, made of all known vectors, each with a call of its own in each place."""
    texts = {payload.text for payload in payloads()}
    assert len(texts) == len(payloads()) >= 1000
    assert set(known_vectors()) <= texts
    assert all("{js}" in payload.text or "{n}" in payload.text or "base64" in payload.text for payload in payloads())
    assert at("notes", Payload(7, "<script>{js}</script>")) == f"<script>ran({(SINKS.index('notes') + 1) * 100_000 + 7})</script>"
    assert taken_apart(1_700_007) == (17, 7)


def test_a_batch_too_long_for_a_place_comes_in_pieces() -> None:
    """None is left out or cut off, but for those that alone are too long."""
    pieces = list(fitting("search words", payloads()[:200], 500))
    assert [payload for piece in pieces for payload in piece] == list(payloads()[:200])
    assert all(len(all_at("search words", piece, " ")) <= 500 or len(piece) == 1 for piece in pieces)
    assert 1 < len(pieces) < 200


def test_a_page_that_hangs_is_ended_and_the_next_is_read(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing sanitised a payload may do what a page never comes back from; the others are counted all the same."""
    monkeypatch.setattr(browsing, "HANGS_S", 1.0)
    context = browser.new_context()
    try:
        reader = browsing.Reader(context).forgiving()
        reader.reads("data:text/html,<p onclick='for(;;);'>hangs</p>", "brand")
        reader.reads("data:text/html,<p onclick='ran(1)'>goes on</p>", "brand")
        reader.settles()
    finally:
        context.close()
    assert (reader.pages, reader.ran["brand"]) == (2, 1)


def test_nothing_runs_by_sanitising_alone(browser: Browser, tmp_path: Path, around: Neighbours) -> None:
    """In all places, with the content security policy taken off every answer."""
    run = played(browser, tmp_path, around, SANITISER_ALONE, SHORT, payloads()[::EACH_OF])
    assert (run.who_ran, run.ran) == (frozenset(), {})
    assert run.elements > 5_000


def test_nothing_runs_by_the_policy_alone(browser: Browser, tmp_path: Path, around: Neighbours) -> None:
    """In all places, with nothing escaped, cleaned or built as nodes; the browser tells what it kept from running."""
    run = played(browser, tmp_path, around, POLICY_ALONE, SHORT, payloads()[::EACH_OF])
    assert (run.who_ran, run.ran) == (frozenset(), {})
    assert min(run.blocked[directive] for directive in ("script-src-attr", "script-src-elem", "require-trusted-types-for")) > 100


def test_with_neither_they_run_everywhere(browser: Browser, tmp_path: Path, around: Neighbours) -> None:
    """So each place is reached, and whoever runs is counted."""
    run = played(browser, tmp_path, around, NEITHER, Scale(batch=6, singles=16), payloads()[::24])
    assert {sink for sink in SINKS if not run.ran[sink]} <= NOWHERE_SHOWN
    assert {"article body", "search excerpt", "customer's message", "notes", "brand", "transcript and ledger", "exports"} <= set(run.ran_on)
    assert len({payload for _, payload in run.who_ran}) > 20
