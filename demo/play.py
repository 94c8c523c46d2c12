"""The play itself: every script's next step in the order of the play's time, until the present is reached."""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from demo.calendar import DAYS, first_day, start_of
from demo.errors import Refused
from demo.people import Agent, Customer, Shop
from demo.scripts import Contact, Script, Step

SEED = 20260
SHOP_REPORTS_AT = timedelta(hours=23, minutes=40)
"""The shop's systems send their day's touchpoints every night."""


@dataclass
class Part:
    """A script on its way: its customer, the steps to come, which contacts the shop has still to send, and as whose."""

    script: Script
    began: datetime
    customer: Customer
    begun: bool = False
    steps: deque[Step] = field(default_factory=deque)
    unsent: list[tuple[int, Contact]] = field(default_factory=list)
    known_as: str | None = None

    def __post_init__(self) -> None:
        self.steps = deque(self.script.steps)
        self.unsent = list(enumerate(self.script.contacts))


@dataclass
class Tally:
    """What came about: outcomes of messages, reasons of hand-offs, ratings, and what went otherwise than written."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    ratings: Counter[int] = field(default_factory=Counter)
    contacts: int = 0
    otherwise: list[str] = field(default_factory=list)


class Play:
    """Plays scripts. ``clock`` is read and moved; ``without`` does something while a named process is away."""

    def __init__(
        self,
        url: str,
        clock: Any,
        *,
        agents: Mapping[str, Agent],
        shop: Shop,
        name: str,
        without: Callable[[str, Callable[[], None]], None],
    ) -> None:
        self._url = url
        self._clock = clock
        self._agents = agents
        self._shop = shop
        self._name = name
        self._without = without
        self._random = random.Random(SEED)  # noqa: S311 - waits, not secrets
        self.tally = Tally()

    def run(self, scripts: Sequence[Script], end: datetime) -> Tally:
        """Play up to ``end``; what would come later has not happened yet. Raises `PlayFailed`."""
        parts = [Part(script, start_of(script.start, end), Customer(self._url, script.page, script.locale)) for script in scripts]
        due: list[tuple[datetime, int, Part | None]] = [(self._due(part, part.began), number, part) for number, part in enumerate(parts)]
        due += [(first_day(end) + timedelta(days=day) + SHOP_REPORTS_AT, len(parts) + day, None) for day in range(DAYS)]
        heapq.heapify(due)
        while due and due[0][0] <= end:
            at, number, part = heapq.heappop(due)
            self._clock.move_to(at)
            if part is None:
                self._report(parts)
            elif part.steps:
                self._step(part)
                heapq.heappush(due, (self._due(part, self._clock()), number, part))
        self._clock.move_to(end)
        self._report(parts)
        self._leave(parts)
        return self.tally

    def _due(self, part: Part, since: datetime) -> datetime:
        """When the next step is due: at once for the first, after its wait for the others."""
        if not part.begun or not part.steps:
            return since
        step = part.steps[0]
        return since + (step.after if step.after is not None else timedelta(seconds=self._random.uniform(*step.usual_wait_s)))

    def _step(self, part: Part) -> None:
        step, part.begun = part.steps.popleft(), True
        try:
            if step.only is not None and part.customer.looks() != step.only:
                return
            if step.verb == "says":
                self._says(part, step)
            elif step.by == "customer":
                self._customer(part.customer, step)
            else:
                self._agent(part.customer, self._agents[step.by], step)
        except Refused as reason:
            self._otherwise(part, step, str(reason))

    def _customer(self, customer: Customer, step: Step) -> None:
        {
            "presses": self._presses,
            "opens": self._opens,
            "asks_for_person": lambda customer, step: self._does(customer, "handoff"),
            "cancels": lambda customer, step: self._does(customer, "cancel-handoff", owner="queued"),
            "closes": lambda customer, step: self._does(customer, "close"),
            "rates": self._rates,
            "comes_back": lambda customer, step: customer.begins(),
            "searches": lambda customer, step: self._reads(customer, f"/help?q={quote(str(step.value))}"),
            "reads": lambda customer, step: self._reads(customer, f"/help/{step.value}"),
            "likes": self._judges,
            "dislikes": self._judges,
        }[step.verb](customer, step)

    def _says(self, part: Part, step: Step) -> None:
        self._must_be_open(part.customer)
        heard: list[dict[str, Any]] = []
        if "without" in step.more:
            self._without(step.more["without"], lambda: heard.extend(part.customer.sends(text=str(step.value))))
        else:
            heard = part.customer.sends(text=str(step.value))
        came_to = outcomes(heard)
        meant = step.more.get("meant")
        if meant and "offered_choices" in came_to and part.customer.payload(f"choose_article {meant}"):
            part.steps.appendleft(Step(by="customer", verb="presses", value=f"choose_article {meant}"))
        elif "again" in step.more and "asked_again" in came_to:
            more = {"meant": meant} if meant else {}
            part.steps.appendleft(Step(by="customer", verb="says", value=step.more["again"], more=more))
        else:
            self._check(came_to, "answered" if meant else step.more.get("expects"))

    def _presses(self, customer: Customer, step: Step) -> None:
        self._must_be_open(customer)
        payload = customer.payload(str(step.value))
        if payload is None:
            raise Refused(f"{step.value} is not offered")
        self._check(outcomes(customer.sends(payload=payload)), step.more.get("expects"))

    def _check(self, came_to: Sequence[str], wanted: str | None) -> None:
        if wanted and wanted not in came_to:
            raise Refused(f"came to {came_to}, not to {wanted}")

    def _opens(self, customer: Customer, step: Step) -> None:
        customer.looks()
        link = customer.link(step.value if isinstance(step.value, str) else None)
        if link is None:
            raise Refused("no such link was shown")
        self._reads(customer, link.partition("#")[0])

    def _reads(self, customer: Customer, path: str) -> None:
        customer.call("GET", path)

    def _judges(self, customer: Customer, step: Step) -> None:
        reason = {"reason": step.more["reason"]} if "reason" in step.more else {}
        customer.call("POST", f"/api/articles/{step.value}/feedback", json={"helpful": step.verb == "likes", **reason})

    def _does(self, customer: Customer, what: str, owner: str | None = None) -> None:
        customer.looks()
        if owner is not None and customer.owner != owner:
            raise Refused(f"the conversation is with {customer.owner}")
        self._must_be_open(customer)
        customer.does(what)

    def _rates(self, customer: Customer, step: Step) -> None:
        customer.looks()
        if customer.looks() != "closed":
            raise Refused("the conversation is not closed")
        comment = {"comment": step.more["comment"]} if "comment" in step.more else {}
        customer.does("survey", {"question": "csat", "score": step.value, **comment})
        self.tally.ratings[int(step.value)] += 1

    def _must_be_open(self, customer: Customer) -> None:
        customer.looks()
        if customer.owner == "closed":
            raise Refused("the conversation is closed")

    def _agent(self, customer: Customer, agent: Agent, step: Step) -> None:
        agent.at_work(self._clock())
        if step.verb in ("goes_away", "is_back"):
            agent.is_away(step.verb == "goes_away")
            return
        self._must_be_open(customer)
        if customer.conversation is None or (step.verb in ("transfers", "returns") and customer.owner != "agent"):
            raise Refused("nobody holds the conversation")
        if step.verb == "writes":
            agent.writes(customer.conversation, str(step.value))
            return
        what, body = {
            "accepts": ("accept", {}),
            "notes": ("notes", {"text": step.value}),
            "transfers": ("transfer", {"note": step.value} if step.value else {}),
            "returns": ("return", {}),
            "closes": ("close", {"resolution": step.value, **step.more}),
        }[step.verb]
        agent.does(customer.conversation, what, body)

    def _report(self, parts: Sequence[Part]) -> None:
        """The shop sends what has happened by now to those whom it knows."""
        now, batch = self._clock(), []
        for part in parts:
            happened = [(number, contact) for number, contact in part.unsent if part.began + contact.when <= now]
            if not happened or part.began > now:  # until they come themselves nobody knows who it was
                continue
            part.known_as = part.known_as or self._named(part)
            for number, contact in happened:
                part.unsent.remove((number, contact))
                batch.append(self._touchpoint(part, number, contact))
        batch.sort(key=lambda touchpoint: str(touchpoint["at"]))
        if batch:
            self._shop.sends(batch)
        self.tally.contacts += len(batch)

    def _named(self, part: Part) -> str:
        spoken = part.customer.conversation
        return (self._shop.visitor_of(spoken) if spoken else None) or f"{self._name}:{part.script.name}"

    def _touchpoint(self, part: Part, number: int, contact: Contact) -> dict[str, Any]:
        return {
            "id": f"{self._name}:{part.script.name}:{number}",
            "customer": part.known_as,
            "at": (part.began + contact.when).isoformat(),
            "kind": contact.kind,
            "stage": contact.stage,
            "channel": contact.channel,
            "actor": contact.actor,
            "data": dict(contact.data),
        }

    def _leave(self, parts: Sequence[Part]) -> None:
        for agent in self._agents.values():
            agent.goes_home(self._clock())
            agent.close()
        for part in parts:
            part.customer.looks()
            part.customer.close()
            self._count(part.customer.seen)
        self._shop.close()

    def _count(self, events: Sequence[Mapping[str, Any]]) -> None:
        self.tally.outcomes.update(outcomes(events))
        handed = (event["data"] for event in events if event["type"] == "owner")
        self.tally.reasons.update(data["reason"] for data in handed if data["owner"] == "queued")

    def _otherwise(self, part: Part, step: Step, reason: str) -> None:
        self.tally.otherwise.append(f"{part.script.name}: {step.by} {step.verb} {step.value!r}: {reason}")


def outcomes(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the bot's messages among these events came to."""
    return [event["data"]["outcome"] for event in events if event["type"] == "message" and event["data"].get("outcome")]
