"""The dialogue walked at random, as a graph: whatever a customer says or presses, no reply is a dead end."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from actions.search_client import ArticleGone
from actions.turn import Said
from bot.turns import EMPTY_STATE, PAYLOADS, read_text, read_turn
from tests.actions.rule_book import Dialogue, RuleBook, read_dialogue
from tests.bot.fake_search import faq, guide, hit_of

Json = dict[str, Any]

TURNS = 10_000
SEED = 20_261
TYPED = ("greet", "thank", "bye", "are_you_a_bot", "help", "affirm", "deny", "request_person", "start_again", "step_cannot", "sensitive")
PERHAPS = ("are_you_a_bot", "help", "start_again")
WORDS = ("how long does it take", "and the camera?", "how much is it?", "still red", "the thing does the thing", "orange")
ENDS = ("small_talk", "noted", "handed_off")  # the customer has the word, or a person will have it
OWN_END = ("guide_step",)  # a guide that worked says so and is done


class Shelf:
    """Search by chance: any verdict, and articles that come and go."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        other = {**guide(), "slug": "router-orange-light", "title": "Router shows an orange light"}
        self._articles = {article["slug"]: article for article in (guide(), other, faq(), faq("prices", "Prices"), faq("returns", "Returns"))}

    async def search(self, text: str, limit: int = 3) -> Json:
        verdict = self._chance.choice(("answer", "offer", "none"))
        drawn = self._chance.sample(sorted(self._articles), self._chance.randint(1, 4))
        sure = {"answer": 0.9, "offer": 0.4, "none": 0.1}[verdict]
        hits = [hit_of(self._articles[slug], sure if place == 0 else min(sure, 0.35)) for place, slug in enumerate(drawn)]
        return {"generation": "g", "verdict": verdict, "cutoffs": {"answer": 0.6, "offer": 0.3}, "hits": hits[:limit]}

    async def article(self, slug: str) -> Json:
        if slug not in self._articles or self._chance.random() < 0.02:
            raise ArticleGone(slug)
        return self._articles[slug]


class Walker:
    """A customer without a plan: types acts and questions, presses what is offered and what was offered long ago."""

    def __init__(self, dialogue: Dialogue, seed: int) -> None:
        self.chance = random.Random(seed)
        self.book = RuleBook(dialogue, Shelf(self.chance), self.chance)
        self.seen: set[tuple[str | None, str, str]] = set()
        self.begins()

    def begins(self) -> None:
        """A new conversation."""
        self.state, self.owner = dict(EMPTY_STATE), "bot"
        self.offered: list[str] = []
        self.fresh: list[str] = []

    async def goes_on(self) -> Json:
        """One turn."""
        text, intent, said = self._next()
        asked = (self.state["pending"], self.owner, intent)
        turn = read_turn({"turn_id": "t", "text": text, "state": json.loads(json.dumps(self.state)), "owner": self.owner, "budget_ms": 7900})
        answer = await self.book.take(turn, intent, said)
        self.seen.add(asked)
        self._hears(answer, text)
        return answer

    def _hears(self, answer: Json, text: str) -> None:
        self.state = answer["state"]
        self.fresh = [choice["payload"] for reply in answer["replies"] for choice in reply["choices"]]
        self.offered = [*self.offered, *self.fresh][-12:]
        if answer["handoff"]:
            self.owner = "queued"
        elif text == "/cancel_handoff" or (answer["verdict"] or {}).get("solved"):
            self.owner = "bot"
        elif self.chance.random() < 0.05:  # web's own button for a person, or an agent who gives the conversation back
            self.owner = "bot" if self.owner == "queued" else "queued"

    def _next(self) -> tuple[str, str, Said]:
        kind = self.chance.random()
        if kind < 0.5 and self.offered:
            return _pressed(self.chance.choice(self.fresh or self.offered if kind < 0.4 else self.offered))
        if kind < 0.75:
            text = self.chance.choice(WORDS)
            perhaps = self.chance.choice((*PERHAPS, None, None, None))
            return text, "question", Said(text, {"perhaps": perhaps} if perhaps else {})
        intent = self.chance.choice(TYPED)
        return "some words", intent, Said("some words", {})


def _pressed(payload: str) -> tuple[str, str, Said]:
    intent, brace, rest = payload[1:].partition("{")
    return payload, intent, Said(payload, json.loads(brace + rest) if brace else {})


def dead_end(answer: Json) -> str | None:
    """Why the customer would not know how to go on, or None."""
    if not answer["replies"]:
        return None if answer["outcome"] == "noted" else "silence"
    (reply,) = answer["replies"]
    if reply["choices"] or answer["handoff"] or answer["outcome"] in ENDS:
        return None
    if answer["outcome"] in OWN_END and answer["verdict"] and answer["verdict"]["solved"]:
        return None
    return f"no way on from {reply['text']!r} ({answer['outcome']})"


def promises_broken(answer: Json, owner: str) -> str | None:
    """What of the contract a reply breaks, or None."""
    state, replies = answer["state"], answer["replies"]
    for reply in replies:
        for choice in reply["choices"]:
            if read_text(choice["payload"]) != choice["payload"]:
                return f"a choice that could not be pressed: {choice}"
    if answer["handoff"] and owner == "queued":
        return "handed over to whom it waits for already"
    if (state["guide"] is None) != (state["step"] is None):
        return "half a guide"
    if answer["verdict"] and not answer["verdict"]["slug"]:
        return "a verdict on nothing"
    if state["pending"] == "choice" and answer["outcome"] == "offered_choices" and not any("/deny" in str(reply["choices"]) for reply in replies):
        return "an offer without a way to refuse it"
    return "the same misses for ever" if state["misses"] > 1 else None


@pytest.fixture(scope="module")
def dialogue() -> Dialogue:
    """The rules and words, read once."""
    return read_dialogue()


def test_ten_thousand_turns_without_a_dead_end(dialogue: Dialogue) -> None:
    """Every reply has choices, hands over, or leaves the word to the customer; every choice can be pressed; nothing is handed over twice."""

    async def walk() -> Walker:
        walker = Walker(dialogue, SEED)
        for number in range(TURNS):
            if number % 40 == 0:
                walker.begins()
            owner = walker.owner
            answer = await walker.goes_on()
            assert not (fault := dead_end(answer) or promises_broken(answer, owner)), (number, fault)
        return walker

    seen = asyncio.run(walk()).seen
    for pending in ("solved", "choice", "next_best", "rephrase", "guide"):
        for owner in ("bot", "queued"):
            assert (pending, owner, "deny") in seen, "the walk never came there"


def test_a_no_for_ever_ends_with_a_person(dialogue: Dialogue) -> None:
    """Whatever search finds, a customer who only says no waits for a person after six turns at most."""

    async def walk(seed: int) -> int:
        walker = Walker(dialogue, seed)
        intent, said = "question", Said("how long does it take", {})
        for number in range(20):
            turn = read_turn({"turn_id": "t", "text": said.text, "state": walker.state, "owner": "bot", "budget_ms": 7900})
            answer = await walker.book.take(turn, intent, said)
            walker.state = answer["state"]
            if answer["handoff"]:
                return number
            intent = "question" if answer["outcome"] == "asked_again" else "deny"
        return 20

    assert max(asyncio.run(walk(seed)) for seed in range(300)) <= 6


def test_every_payload_leads_somewhere_from_everywhere(dialogue: Dialogue) -> None:
    """An old button pressed in any state, by a customer of the bot or one who waits, is answered."""

    async def press() -> None:
        walker = Walker(dialogue, SEED)
        for pending in (None, "solved", "choice", "next_best", "rephrase", "guide"):
            for owner in ("bot", "queued"):
                for intent, entity in PAYLOADS.items():
                    in_guide = {"guide": "router-red-light", "step": "step-1-restart-the-router"} if pending == "guide" else {}
                    state = {**EMPTY_STATE, "pending": pending, "article": "delivery-times", "question": "how long", **in_guide}
                    text = f"/{intent}" + (json.dumps({entity: "router-red-light"}) if entity else "")
                    turn = read_turn({"turn_id": "t", "text": text, "state": state, "owner": owner, "budget_ms": 7900})
                    answer = await walker.book.take(turn, intent, _pressed(text)[2])
                    assert not dead_end(answer), (pending, owner, intent)

    asyncio.run(press())
