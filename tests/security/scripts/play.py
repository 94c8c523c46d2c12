"""One run through every sink in a real browser."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from playwright.sync_api import Browser

from tests.contract.kit_stand_in import Neighbours

from .browser import Reader, counting_chromium
from .library import WHOLE
from .payloads import Payload, payloads
from .sinks import Batch, all_at, at, batches, fitting
from .stage import Dress, Stage, stage
from .talk import END, Talk, Talkers

PAYLOADS_A_TALK = 16
"""Each is said by everyone, so there are some hundreds on its page."""
LONGEST_QUERY = 500
LONGEST_GREETING = 560
"""Of 600, with room for the words that are waited for."""
DESKS = 8
"""So many conversations wait at a desk at once."""
GREETINGS = 8


@dataclass(frozen=True)
class Scale:
    """How much of it: payloads in one batch, and how many are put into the sinks that take one payload at a time."""

    batch: int
    singles: int


SHORT = Scale(batch=16, singles=6)
FULL = Scale(batch=8, singles=10_000)


@dataclass(frozen=True)
class Played:
    """What ran where, and over how much it was counted."""

    dress: Dress
    payloads: int
    ran: Counter[str]
    ran_on: Counter[str]
    who_ran: frozenset[tuple[str, int]]
    blocked: Counter[str]
    pages: int
    elements: int
    took_s: float


def play(browser: Browser, folder: Path, around: Neighbours, dress: Dress, scale: Scale, chosen: Sequence[Payload] = ()) -> Played:
    """Put the payloads into every sink and read all of them."""
    chosen = chosen or payloads()
    began, found = time.monotonic(), batches(chosen, scale.batch)
    before = dict(around.answers)
    with stage(folder, around, dress, found) as there:
        context = browser.new_context(accept_downloads=True)
        reader = Reader(context)
        if not dress.sanitised:
            reader.forgiving()
        try:
            _Visit(there, reader, around, found, _spread(chosen, scale.singles)).everything()
            reader.settles()
        finally:
            context.close()
            around.answers.update(before)
    took_s = time.monotonic() - began
    return Played(dress, len(chosen), reader.ran, reader.ran_on, frozenset(reader.payloads), reader.blocked, reader.pages, reader.elements, took_s)


def _spread(chosen: Sequence[Payload], most: int) -> Sequence[Payload]:
    """At most so many, from all over; the addresses, which stand first, are among them."""
    step = max(1, len(chosen) // most)
    return chosen[::step][:most]


class _Visit:
    """A reader's way through all sinks."""

    def __init__(self, there: Stage, reader: Reader, around: Neighbours, found: Sequence[Batch], singles: Sequence[Payload]) -> None:
        self.there, self.reader, self.around, self.found, self.singles = there, reader, around, found, singles
        self.url = there.served.url
        self.talkers = Talkers(there.served.services, there.served.services.wakeups.notify)
        several = max(1, PAYLOADS_A_TALK // len(found[0]))
        self.talks = [self.talkers.talk(found[start : start + several]) for start in range(0, len(found), several)]

    def everything(self) -> None:
        """All sinks, those of staff last."""
        self.reader.without_chat(True)
        self.articles()
        self.searches()
        self.addresses()
        self.reader.without_chat(False)
        self.chats()
        cookie = {"name": "touchdesk", "value": self.talkers.cookie, "url": self.url}
        self.reader.context.add_cookies([cookie])
        self.desks()
        self.files()
        self.brands()

    def articles(self) -> None:
        self.reader.reads(f"{self.url}/help", "article title")
        for number in range(len(self.found)):
            self.reader.reads(f"{self.url}/help/{WHOLE}{number}", "article body")

    def searches(self) -> None:
        for batch in (piece for whole in self.found for piece in fitting("search words", whole, LONGEST_QUERY)):
            self.around.answers["/search"] = json.dumps(_search_answer(batch)).encode()
            words = all_at("search words", batch, " ")[:LONGEST_QUERY]
            self.reader.reads(f"{self.url}/help?q={quote(words)}", "search excerpt")

    def addresses(self) -> None:
        """Each as the address of a page that is not there, under a brand of the same words; by turns in the help centre and outside."""
        for number, payload in enumerate(self.singles):
            self._is_called(payload)
            words = quote(at("addresses of pages", payload), safe="")
            self.reader.reads(f"{self.url}/{'help/' if number % 2 else ''}{words}?{words}#{words}", "addresses of pages")
        self.there.brand.write_text("name: Shop\n", encoding="utf-8")

    def _is_called(self, payload: Payload) -> None:
        words = at("brand", payload)
        brand = {"name": words[:60], "greeting": words, "address": words[:120], "email": words[:254], "topics": [words]}
        self.there.brand.write_text(yaml.safe_dump(brand), encoding="utf-8")

    def chats(self) -> None:
        for talk in self.talks:
            self._carries_on(talk)
            self.reader.reads(f"{self.url}/shop/", "customer's message", until=END)

    def _carries_on(self, talk: Talk) -> None:
        """The browser knows the conversation from an earlier visit."""
        self._remembers({"token": talk.token, "conversation": talk.id, "continues": None, "read": 0, "closed": False})

    def _remembers(self, memory: dict[str, Any] | None) -> None:
        """The browser has an open chat, with a conversation or before the first."""
        self.reader.page.goto(f"{self.url}/favicon.ico")
        kit = f"support-chat:{self.url}/"
        self.reader.page.evaluate("localStorage.clear()")
        if memory:
            self.reader.page.evaluate("([key, value]) => localStorage.setItem(key, value)", [kit, json.dumps(memory)])
        self.reader.page.evaluate("(key) => sessionStorage.setItem(key, 'yes')", f"{kit}:open")

    def desks(self) -> None:
        for number, talk in enumerate(self.talks):
            self.reader.reads(f"{self.url}/desk?{number}#conversation={talk.id}", "notes", until=END)
        for number, batch in enumerate(batches(self.singles, DESKS)):
            self._desk(number, batch)

    def _desk(self, number: int, batch: Batch) -> None:
        """A desk with a conversation a payload, opened one after another: who writes, where they came from, and who answers."""
        talks = []
        for payload in batch:
            self.talkers.named([payload])
            talks.append(self.talkers.talk([[payload]]))
        self.talkers.named(batch)
        for talk in talks:
            place = f"{self.url}/desk?single={number}#conversation={talk.id}"
            self.reader.reads(place, "page title and address", until=f"{END} {talk.id}")
            self.talkers.closes(talk)

    def files(self) -> None:
        """What is no page: opened as an address all the same."""
        for talk in self.talks:
            self.reader.reads(f"{self.url}/api/desk/conversations/{talk.id}", "transcript and ledger")
        self.reader.reads(f"{self.url}/api/touchpoints?limit=1000", "transcript and ledger")
        for form in ("csv", "jsonl", "xes"):
            self.reader.downloads(f"{self.url}/api/touchpoints/export?format={form}", "exports")

    def brands(self) -> None:
        for batch in batches(self.singles, GREETINGS):
            for piece in fitting("brand", batch, LONGEST_GREETING):
                greeting = _printable(f"{END} {all_at('brand', piece, ' ')}")
                self.there.brand.write_text(yaml.safe_dump({"name": "Shop", "greeting": greeting}), encoding="utf-8")
                self._remembers(None)
                self.reader.reads(f"{self.url}/help/nothing", "brand", until=END)
        self._is_called(self.singles[0])
        for page in ("shop/", "desk"):
            self.reader.reads(f"{self.url}/{page}", "brand")


def _printable(words: str) -> str:
    """Without the characters for which a greeting is refused, and its whole batch with it."""
    return "".join(one for one in " ".join(words.split()) if one.isprintable())


def _search_answer(batch: Batch) -> dict[str, Any]:
    hits = [
        {
            "slug": f"p{payload.number}",  # each its own: the page shows an article once
            "title": at("search title and address", payload),
            "kind": "faq",
            "category": "general",
            "stage": "service",
            "section": at("search excerpt", payload),
            "anchor": "",
            "url": at("search title and address", payload),
            "answer": at("search excerpt", payload),
            "excerpt": at("search excerpt", payload),
            "body": [],
            "confidence": 0.9,
        }
        for payload in batch
    ]
    return {"generation": "g", "verdict": "answer", "cutoffs": {"answer": 0.6, "offer": 0.3}, "hits": hits}


__all__ = ["FULL", "SHORT", "Played", "Scale", "counting_chromium", "play"]
