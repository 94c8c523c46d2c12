"""Which messages lean on what was said before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actions.follow_up import article_in_view, best_confidence, leans_back
from actions.state import State

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "follow_ups.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "and the camera?", "What about the one outdoors", "how much is it?", "for how long?", "how many people?", "on Saturday too?", "AND  E3",
        "which ones", "but why", "what if it rains", "how long do I have?", "what\u2019s in it", "even in winter?", "to ireland",
    ],
)  # fmt: skip
def test_short_and_leaning(text: str) -> None:
    """Linked to it, pointing at it, or naming no subject."""
    assert leans_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "tell me a joke", "where is my order?", "wifi is slow", "do you ship to france?", "router", "are you hiring?", "", "???",
        "who won the match?", "and then I unplugged the router again and the light went red and stayed red",
        "the thing that I bought does not do what it should do",
    ],
)  # fmt: skip
def test_standing_by_itself(text: str) -> None:
    """Names its own subject, or is long enough to do so."""
    assert not leans_back(text)


def test_most_follow_ups_are_known_as_such_and_new_subjects_are_not() -> None:
    """On the pairs that the whole kit is measured with."""
    leaning = {True: [], False: []}
    for pair in PAIRS:
        leaning[pair.get("new", False)].append(leans_back(pair["question"]))
    assert sum(leaning[False]) / len(leaning[False]) >= 0.85
    assert sum(leaning[True]) / len(leaning[True]) <= 0.1


@pytest.mark.parametrize(
    ("state", "slug"),
    [
        (State(), None),
        (State(pending="solved", article="a"), "a"),
        (State(article="a"), "a"),
        (State(pending="guide", guide="g", article="a"), "g"),
        (State(pending="rephrase", article="a"), None),
        (State(pending="choice", article="a"), None),
        (State(pending="next_best", article="a"), None),
    ],
)
def test_what_is_talked_about(state: State, slug: str | None) -> None:
    """Until something else was asked, it is the article last shown."""
    assert article_in_view(state) == slug


def test_no_hit_is_no_confidence() -> None:
    """Below every other."""
    assert (best_confidence({"hits": []}), best_confidence({"hits": [{"confidence": 0.4}, {"confidence": 0.2}]})) == (0.0, 0.4)
