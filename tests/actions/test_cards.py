"""Cards: what an article adds to a reply."""

from __future__ import annotations

from typing import Any

import pytest

from actions.cards import of_article, of_choices, of_step, payload, plain_text
from tests.bot.fake_search import faq, golden, guide, hit_of

Json = dict[str, Any]


def el(name: str, *children: Json | str) -> Json:
    """A node; a string is a text leaf."""
    return {"el": name, "children": [{"el": "text", "text": child} if isinstance(child, str) else child for child in children]}


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([el("p", "One."), el("p", "Two.")], "One.\n\nTwo."),
        ([el("p", "Press ", el("strong", "Start"), " now.")], "Press Start now."),
        ([el("p", "One", {"el": "br"}, "two")], "One\ntwo"),
        ([el("ul", el("li", "a"), el("li", "b ", el("em", "c")))], "- a\n- b c"),
        ([el("ol", el("li", el("p", "a"), el("ul", el("li", "b"))))], "a\n- b"),
        ([el("p", {"el": "img", "src": "/x.png", "alt": "A picture"})], ""),
        ([{"el": "pre", "text": "ping 1"}], "ping 1"),
        ([el("table", el("tbody", el("tr", el("td", "a"), el("td", "b")), el("tr", el("td", "c"), el("td", "d"))))], "a b\nc d"),
        ([], ""),
    ],
)  # fmt: skip
def test_nodes_as_plain_text(nodes: list[Json], text: str) -> None:
    """The words a screen without nodes shows."""
    assert plain_text(nodes) == text


def test_the_golden_hit_as_a_card() -> None:
    """Text, nodes and source as in the golden response."""
    (hit,), (reply,) = golden("search_response")["hits"], golden("turn_response")["replies"]
    card = of_article(hit)
    assert reply["text"].startswith(card["text"] + "\n\n")
    assert (card["body"], card["sources"]) == (reply["body"][:-1], reply["sources"])


def test_an_article_without_nodes_shows_its_answer() -> None:
    """Never an empty card."""
    assert of_article({**faq(), "body": []})["text"] == "Two working days."


def test_three_titles_are_offered_at_most() -> None:
    """More is a list, not a choice."""
    assert len(of_choices([hit_of(faq(str(number)), 0.4) for number in range(5)])["choices"]) == 3


def test_a_step_says_where_in_the_guide_it_stands() -> None:
    """Heading, words and the address of the step itself."""
    card = of_step(guide(), 2)
    assert card["text"] == "3/3 · Check the cable\n\nPush the cable in firmly."
    assert card["body"][0] == el("h4", "3/3 · Check the cable")
    assert card["sources"][0]["url"] == "/help/router-red-light#step-3-check-the-cable"


def test_a_step_brings_its_own_choices() -> None:
    """As payloads of the contract."""
    choices = of_step(guide(), 1)["choices"]
    assert choices[1] == {"title": "Orange", "payload": '/step_option{"target": "router-orange-light"}'}


def test_payloads_are_json_behind_the_intent() -> None:
    """Quotes are escaped, other letters stay."""
    assert payload("choose_article", article='ü"x') == '/choose_article{"article": "ü\\"x"}'
