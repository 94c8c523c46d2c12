"""The canary question: one article that is found by its title shows that Rasa, its actions and search work together."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from desk.model import Reply, TurnResult
from desk.readiness import ANYTHING_ASKED, PERSON_WANTED, TITLES_TRIED, Readiness


@dataclass(frozen=True)
class Titled:
    """What the canary reads of an article."""

    slug: str
    title: str


class Well:
    """A database and a search with which all is well; ``free`` is the room on the database's disk."""

    def __init__(self, free: int | None = None) -> None:
        self.free = free

    def free_bytes(self) -> int | None:
        return self.free

    def writing(self) -> Any:
        return nullcontext(self)

    def execute(self, _statement: object) -> None:
        """Written."""

    def health(self, timeout_s: float) -> None:
        """Well."""


class Shelf:
    """A library of titles."""

    def __init__(self, *titles: str) -> None:
        self._titles = titles

    def articles(self) -> list[Titled]:
        return [Titled(title.lower().replace(" ", "-"), title) for title in self._titles]


class Ear:
    """A bot that takes some titles for a wish for a person, finds some, and finds nothing for the rest."""

    def __init__(self, *, acts: tuple[str, ...] = (), found: tuple[str, ...] = ()) -> None:
        self._acts, self._found = acts, found
        self.heard: list[str] = []

    def turn(self, turn_id: str, text: str, state: dict[str, Any], *, owner: str, budget_s: float) -> TurnResult:
        if text != PERSON_WANTED:
            self.heard.append(text)
        if text in self._acts or "person" in text:
            return TurnResult(outcome="handed_off", replies=(), state={}, intent="request_person")
        sources = ({"slug": text.lower().replace(" ", "-")},) if text in self._found else ()
        return TurnResult(outcome="answered", replies=(Reply(text="…", outcome="answered", sources=sources),), state={}, intent="question")


def actions_part(ear: Ear, shelf: Shelf) -> str:
    """What readiness says of the way from a question to its article; empty when it is whole."""
    readiness = Readiness(Well(), ear, Well(), shelf)
    readiness.ask()
    return readiness.parts()["actions"].message


def test_a_title_that_reads_like_an_act_does_not_keep_the_kit_from_being_ready() -> None:
    """The next article is asked for."""
    ear = Ear(acts=("Call centre",), found=("Cancel order",))
    assert actions_part(ear, Shelf("Call centre", "Cancel order", "Delivery")) == ""
    assert ear.heard == ["Call centre", "Cancel order"]


@pytest.mark.parametrize(
    ("ear", "problem"), [(Ear(acts=tuple("abcdefgh")), "took a question for request_person"), (Ear(), "did not find an article by its title")]
)
def test_no_article_is_found_by_its_title(ear: Ear, problem: str) -> None:
    """Then something is wrong; not all of a long list is asked for."""
    assert actions_part(ear, Shelf(*"abcdefgh")) == problem
    assert len(ear.heard) == TITLES_TRIED


def test_without_articles_any_question_will_do() -> None:
    """It ends somewhere."""
    ear = Ear()
    assert actions_part(ear, Shelf()) == ""
    assert ear.heard == [ANYTHING_ASKED]


@pytest.mark.parametrize(("free", "problem"), [(0, "the disk is full"), (100_000, "the disk is full"), (10_000_000, ""), (None, "")])
def test_a_full_disk_is_told_even_when_a_small_write_still_fits(free: int | None, problem: str) -> None:
    """The canary takes two pages of the log, a message some ten; a database without a file has no disk."""
    readiness = Readiness(Well(free), Ear(found=("a",)), Well(), Shelf("a"))
    readiness.ask()
    assert readiness.parts()["database"].message == problem
