"""kill -9 of every process in the middle of turns: nothing acknowledged is lost or doubled, and nearly all ends as without the kill."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from kit.processes import RunningKit
from tests.whole.invariants import rows, violations
from tests.whole.people import Customer

PROGRAMS = ("rasa", "actions", "search", "web")
ROUNDS_EACH = 10
TOGETHER = 4
LEAST_SHARE_AS_USUAL = 0.95
LATEST_KILL_S = 0.03
"""A turn takes some 30 ms, so a kill in this time hits most turns half way."""

QUESTIONS = (
    "my router has a red light",
    "where is my parcel",
    "how do I send something back",
    "I forgot my password",
    "my card was refused",
    "the camera shows offline",
    "how long is the guarantee",
    "I want to stop my subscription",
    "my wifi is slow",
    "which payment methods do you take",
    "can I get an invoice",
    "how do I delete my account",
    "do I need a hub",
    "how long does delivery take",
)
SURE = 7
"""So many of these are used: the first that search alone is sure of."""
OTHERS = (
    ("where can I watch the moon tonight",),
    ("hello",),
    ("I want to talk to a person",),
)

Script = tuple[str, ...]


@dataclass
class Ending:
    """How a script ended: the outcome of its last message, and the article shown, if any."""

    outcome: str
    article: str | None


@dataclass
class Tally:
    """What was counted over all kills."""

    kills: int = 0
    messages: int = 0
    as_usual: int = 0
    different: list[str] = field(default_factory=list)


def _play(url: str, script: Script) -> tuple[Customer, int]:
    """Say all but the last line in peace; returns the customer and the number of their last message so far."""
    customer, seq = Customer(url), 0
    for line in script[:-1]:
        seq = customer.presses(line) if line.startswith("/") else customer.says(line)
        customer.reply_to(seq)
    return customer, seq


def _say_last(customer: Customer, script: Script) -> int:
    return customer.presses(script[-1]) if script[-1].startswith("/") else customer.says(script[-1])


def _ending(database: Path, conversation_id: str, seq: int) -> Ending:
    """Wait for the outcome that the database holds."""
    give_up = time.monotonic() + 15
    query = "SELECT outcome FROM turns WHERE conversation_id = ? AND seq = ? AND status = 'done'"
    while not (found := rows(database, query, conversation_id, seq)):
        assert time.monotonic() < give_up, f"message {seq} of {conversation_id} has had no outcome for 15 s"
        time.sleep(0.05)
    shown = rows(
        database,
        "SELECT article FROM touchpoints WHERE conversation_id = ? AND actor = 'bot' ORDER BY seq DESC LIMIT 1",
        conversation_id,
    )
    return Ending(found[0]["outcome"], shown[0]["article"] if shown else None)


@pytest.fixture(scope="module")
def usual(kit: RunningKit, database: Path) -> dict[Script, Ending]:
    """The scripts, and how each ends when nothing is killed."""
    endings = {}
    for script in _scripts(kit.url):
        customer, _ = _play(kit.url, script)
        endings[script] = _ending(database, customer.id, _say_last(customer, script))
    return endings


def _scripts(url: str) -> list[Script]:
    """Questions that are answered, what is said after an answer, and what is no question."""
    sure = [text for text in QUESTIONS if requests.get(f"{url}/api/search", params={"q": text}, timeout=10).json()["answerable"]][:SURE]
    assert len(sure) == SURE, sure
    return [*((text,) for text in sure), (sure[0], "/deny"), (sure[1], "/affirm"), *OTHERS]


def _rounds(scripts: list[Script], seed: int) -> Iterator[tuple[str, list[Script], float]]:
    chance = random.Random(seed)
    for number in range(ROUNDS_EACH):
        for program in PROGRAMS:
            together = [scripts[(number * TOGETHER + place) % len(scripts)] for place in range(TOGETHER)]
            yield program, together, chance.uniform(0, LATEST_KILL_S)


def _kill_during(kit: RunningKit, database: Path, program: str, scripts: list[Script], after_s: float) -> list[tuple[str, Ending]]:
    played = [_play(kit.url, script)[0] for script in scripts]
    with ThreadPoolExecutor(len(scripts)) as threads:
        said = [threads.submit(_say_last, customer, script) for customer, script in zip(played, scripts, strict=True)]
        time.sleep(after_s)
        old = kit.kill(program)
        numbers = [number.result() for number in said]
    endings = [_ending(database, customer.id, seq) for customer, seq in zip(played, numbers, strict=True)]
    kit.wait_restarted(program, old)
    kit.wait_ready(60)
    return [(customer.id, ending) for customer, ending in zip(played, endings, strict=True)]


@pytest.mark.timeout(600)
def test_forty_kills_in_the_middle_of_turns(kit: RunningKit, database: Path, usual: dict[Script, Ending]) -> None:
    """Every acknowledged message has exactly one outcome, none is doubled, and at least 95 % end as they would have without the kill."""
    tally = Tally()
    for program, scripts, after_s in _rounds(list(usual), seed=1):
        endings = _kill_during(kit, database, program, scripts, after_s)
        tally.kills += 1
        for script, (conversation_id, ending) in zip(scripts, endings, strict=True):
            tally.messages += 1
            if ending == usual[script]:
                tally.as_usual += 1
            else:
                tally.different.append(f"{program}: {script} {conversation_id}: {ending}, usually {usual[script]}")
    print(f"{tally.kills} kills, {tally.messages} messages in flight, {tally.as_usual} ended as usual", *tally.different, sep="\n")
    assert tally.kills == 40
    assert violations(database) == []
    assert tally.as_usual >= LEAST_SHARE_AS_USUAL * tally.messages, tally.different
