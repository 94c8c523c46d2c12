"""The scripts of the demo: they can be played, they are true to the shop, and together they show everything there is to see."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from demo.errors import ScriptInvalid
from demo.scripts import AGENTS, Script, read_scripts, read_wait
from desk.model import OUTCOMES, RESOLUTIONS
from kit.settings import ROOT
from touchpoints.catalogue import read_catalogue
from touchpoints.intake import read_touchpoint

ARTICLES = ROOT / "knowledge_base" / "articles"
WITHOUT_A_SHOP = {"store_visit"}
"""The shop sells online only."""


@pytest.fixture(scope="module")
def scripts() -> list[Script]:
    return read_scripts()


def public_articles() -> set[str]:
    return {path.stem for path in ARTICLES.rglob("*.md") if path.parent.name != "internal"}


def values(scripts: list[Script], verb: str) -> list[object]:
    return [step.value for script in scripts for step in script.steps if step.verb == verb]


def more(scripts: list[Script], name: str) -> set[str]:
    return {step.more[name] for script in scripts for step in script.steps if name in step.more}


def test_there_are_fifty_customers_on_all_days(scripts: list[Script]) -> None:
    """Each weekday of both weeks has somebody, working days more than weekends, and some are there right now."""
    assert len(scripts) == 50
    days = Counter((script.start.week, script.start.day) for script in scripts if script.start.before_end is None)
    assert len(days) == 14
    assert sum(count for (_, day), count in days.items() if day in ("sat", "sun")) * 2 < sum(days.values()) / 2
    assert sum(script.start.before_end is not None for script in scripts) >= 3
    assert len({script.who for script in scripts}) == 50


def test_every_article_that_a_script_names_is_there_for_customers(scripts: list[Script]) -> None:
    """Slugs that were renamed or taken away are found here, not by a play with holes in it."""
    named = {str(value) for verb in ("reads", "likes", "dislikes") for value in values(scripts, verb)}
    named |= {value for value in values(scripts, "opens") if isinstance(value, str)}
    named |= more(scripts, "meant") | more(scripts, "article")
    assert len(named) > 40
    assert named - public_articles() == set()


def test_all_that_can_happen_in_a_chat_is_played(scripts: list[Script]) -> None:
    """Every outcome the customer gets a reply for, every rating, every resolution, and everything that agents can do."""
    expected = more(scripts, "expects") | {"answered"}
    assert {outcome for outcome in OUTCOMES if outcome != "noted"} - expected == set()
    assert set(values(scripts, "rates")) == {1, 2, 3, 4, 5}
    assert any(step.verb == "rates" and "comment" in step.more for script in scripts for step in script.steps)
    by_agents = [step for script in scripts for step in script.steps if step.by in AGENTS]
    assert {step.by for step in by_agents} == set(AGENTS)
    assert {step.verb for step in by_agents} == {"accepts", "writes", "notes", "transfers", "returns", "closes", "goes_away", "is_back"}
    assert {step.value for step in by_agents if step.verb == "closes"} == set(RESOLUTIONS)


def test_people_leave_in_every_way(scripts: list[Script]) -> None:
    """Closed and rated, closed unrated, left to fall silent, a hand-off cancelled, and somebody who comes back."""
    verbs = [tuple(step.verb for step in script.steps) for script in scripts]
    assert any("closes" in played and "rates" not in played for played in verbs)
    assert any("says" in played and not {"closes", "asks_for_person"} & set(played) for played in verbs)
    assert any("cancels" in played for played in verbs)
    assert any("comes_back" in played for played in verbs)
    assert sum("start_guide" in map(str, values([script], "presses")) for script in scripts) >= 8


def test_the_help_centre_is_searched_with_and_without_success(scripts: list[Script]) -> None:
    """There are readers who never chat, and both kinds of feedback with a reason for the worse one."""
    readers = [script for script in scripts if not values([script], "says")]
    assert len(readers) >= 3
    assert len(values(scripts, "searches")) >= 8
    assert values(scripts, "likes")
    assert values(scripts, "dislikes")
    assert more(scripts, "reason")


def test_the_journey_outside_the_kit_is_as_the_catalogue_has_it(scripts: list[Script]) -> None:
    """Each contact is of a kind, stage, channel and actor that go together, and the intake would take it."""
    kinds = read_catalogue().kinds
    contacts = [contact for script in scripts for contact in script.contacts]
    for contact in contacts:
        kind = kinds[contact.kind]
        assert contact.stage in kind.stages, contact
        assert contact.channel in kind.channels, contact
        assert contact.actor in kind.actors, contact
        assert "event" not in contact.data, "in the ledger that is the number of a conversation's event"
        sent = {name: getattr(contact, name) for name in ("kind", "stage", "channel", "actor")} | {"data": dict(contact.data)}
        read_touchpoint({"id": "demo:x:1", "customer": "demo:x", "at": "2026-11-21T19:00:00Z", **sent})
    outside = {name for name, kind in kinds.items() if not {"widget", "help_centre"} <= set(kind.channels)} - WITHOUT_A_SHOP
    assert {name for name in outside if name not in {contact.kind for contact in contacts}} <= {"suggestion", "transfer", "queue_wait"}


def customer(**changes: object) -> dict[str, object]:
    return {"who": "somebody", "starts": "week 1 mon 09:00", "steps": [{"says": "hello"}], **changes}


def written(folder: Path, **customers: object) -> list[Script]:
    (folder / "customers").mkdir(exist_ok=True)
    (folder / "customers" / "one.yml").write_text(yaml.safe_dump(customers))
    (folder / "journeys.yml").write_text("{}")
    return read_scripts(folder / "customers", folder / "journeys.yml")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"who": ""}, "nobody knows"),
        ({"starts": "tomorrow"}, "is no start"),
        ({"starts": "week 1 mon 25:00"}, "is no start"),
        ({"steps": [{"sings": "a song"}]}, "exactly one verb"),
        ({"steps": [{"says": "a", "presses": "b"}]}, "exactly one verb"),
        ({"steps": [{"ada sings": "a song"}]}, "nothing that an agent does"),
        ({"steps": [{"says": "a", "loudly": True}]}, "loudly does not go with says"),
        ({"steps": [{"says": "a", "after": "soon"}]}, "no length of time"),
        ({"journey": ["to the moon"]}, "there is no journey"),
        ({"contacts": [{"when": "1d"}]}, "a contact lacks"),
        ({"hobby": "chess"}, "hobby is not known"),
    ],
)
def test_a_fault_in_a_script_is_told_with_its_place(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    """The file, the customer and what is wrong; nothing is started with half a script."""
    with pytest.raises(ScriptInvalid, match=told) as fault:
        written(tmp_path, joe=customer(**changes))
    assert str(fault.value).startswith("one.yml: joe")


def test_a_script_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Verbs of customer and agents, waits and what goes with them."""
    says = {"says": "red light", "meant": "router-red-light", "after": "2m"}
    steps = [says, {"ben closes": "solved", "article": "router-red-light", "only": "agent"}]
    (script,) = written(tmp_path, joe=customer(steps=steps))
    said, closed = script.steps
    assert (said.by, said.verb, said.value, said.more) == ("customer", "says", "red light", {"meant": "router-red-light"})
    assert said.after == read_wait("120s", "")
    assert (closed.by, closed.verb, closed.value, closed.only, closed.more) == ("ben", "closes", "solved", "agent", {"article": "router-red-light"})
    assert closed.after is None


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("2m", 120), ("-3d2h", -266_400), ("1h30m", 5400)])
def test_lengths_of_time(text: str, seconds: int) -> None:
    """As people write them."""
    assert read_wait(text, "here").total_seconds() == seconds
