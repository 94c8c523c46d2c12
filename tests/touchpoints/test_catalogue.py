"""The catalogue of touchpoints: what it says, what it refuses, and that docs/touchpoints.md says the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import yaml

from touchpoints.catalogue import CATALOGUE, Catalogue, CatalogueError, Kind, Target, five_stages, read_catalogue, when
from touchpoints.exceptions import TouchpointsError
from touchpoints.model import ACTORS, CHANNELS, KINDS, STAGES
from touchpoints.schema import touchpoints

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "touchpoints.md"
TEXTS = ("definition", "importance", "example", "expectation")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue()


def edited(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Write a copy of the catalogue with one thing changed."""
    entries = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    edit(entries)
    path = folder / "catalogue.yml"
    path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    return path


def refusal(path: Path) -> CatalogueError:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(path)
    return caught.value


# What it says


def test_catalogue_and_ledger_know_the_same_kinds(catalogue: Catalogue) -> None:
    """No kind without a description and no description without a kind, neither in the file nor as read."""
    assert tuple(catalogue.kinds) == KINDS
    assert set(yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))) == set(KINDS)


def test_every_stage_channel_and_actor_is_used(catalogue: Catalogue) -> None:
    """A stage, channel or actor that no kind has would be one too many."""
    kinds = catalogue.kinds.values()
    assert {stage for kind in kinds for stage in kind.stages} == set(STAGES)
    assert {channel for kind in kinds for channel in kind.channels} == set(CHANNELS)
    assert {actor for kind in kinds for actor in kind.actors} == set(ACTORS)


def test_kind_is_looked_up_by_name(catalogue: Catalogue) -> None:
    """A kind comes with everything the owner wants to know of it."""
    wait = catalogue.kind("queue_wait")
    assert (wait.name, wait.owner, wait.stages) == ("queue_wait", "support", STAGES)
    assert wait.target == Target(measure="Wait until a person accepts (90th percentile)", bound="at_most", value=120.0, unit="seconds")


def test_unknown_kind_is_an_error_of_the_package(catalogue: Catalogue) -> None:
    """A kind that is not in the list is refused by name."""
    with pytest.raises(CatalogueError, match="pigeon: not a kind") as caught:
        catalogue.kind("pigeon")
    assert isinstance(caught.value, TouchpointsError)
    assert caught.value.detail == {"where": "pigeon", "what": "not a kind of touchpoint"}


def test_nothing_in_it_can_be_changed(catalogue: Catalogue) -> None:
    """One catalogue may be shared by every request."""
    with pytest.raises(TypeError):
        catalogue.kinds["visit"] = catalogue.kind("search")
    with pytest.raises(FrozenInstanceError):
        catalogue.kind("visit").owner = "sales"


def test_texts_are_short_whole_and_never_repeated(catalogue: Catalogue) -> None:
    """Every text is a sentence or two of its own, none is said twice."""
    texts = [getattr(kind, field) for kind in catalogue.kinds.values() for field in TEXTS]
    sentences = [sentence for text in texts for sentence in re.split(r"(?<=[.?!])\s+", text)]
    assert len(sentences) == len(set(sentences))
    assert [text for text in texts if len(text.split()) > 40 or not text.endswith((".", "?", '"'))] == []
    measures = [kind.target.measure for kind in catalogue.kinds.values()]
    assert len(measures) == len(set(measures))


@pytest.mark.parametrize(
    "name",
    [
        "question",
        "answer",
        "article_view",
        "article_feedback",
        "guide_step",
        "handoff",
        "queue_wait",
        "agent_reply",
        "transfer",
        "return_to_bot",
        "close",
        "survey",
    ],
)
def test_kinds_of_a_conversation_fit_every_stage(catalogue: Catalogue, name: str) -> None:
    """They take their stage from the article, and an article may serve any; the widget is always one of their channels."""
    assert catalogue.kind(name).stages == STAGES
    assert "widget" in catalogue.kind(name).channels


def test_importing_reads_nothing() -> None:
    """The file is opened when the catalogue is asked for, not when the module is imported."""
    watch = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "from touchpoints.catalogue import read_catalogue\n"
        "imported = any(name.endswith('catalogue.yml') for name in opened)\n"
        "read_catalogue()\n"
        "print(imported, any(name.endswith('catalogue.yml') for name in opened))"
    )
    run = subprocess.run([sys.executable, "-c", watch], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["False", "True"]


# What it refuses


@pytest.mark.parametrize(
    ("edit", "where", "what"),
    [
        (lambda kinds: kinds.pop("visit"), "catalogue.yml", "'visit' is missing"),
        (lambda kinds: kinds.update(pigeon=kinds["visit"]), "catalogue.yml", "'pigeon' is not known"),
        (lambda kinds: kinds.update(visit="a page is opened"), "visit", "wanted names and values"),
        (lambda kinds: kinds["visit"].pop("importance"), "visit", "'importance' is missing"),
        (lambda kinds: kinds["visit"].update(colour="red"), "visit", "'colour' is not known"),
        (lambda kinds: kinds["visit"].update(example="  "), "visit.example", "wanted a text"),
        (lambda kinds: kinds["visit"].update(example=["a page"]), "visit.example", "wanted a text"),
        (lambda kinds: kinds["visit"].update(owner="nobody"), "visit.owner", "'nobody' is none of content, "),
        (lambda kinds: kinds["visit"].update(stages=["lunch"]), "visit.stages", "'lunch' is none of awareness, "),
        (lambda kinds: kinds["visit"].update(stages="service"), "visit.stages", "wanted a list"),
        (lambda kinds: kinds["visit"].update(channels=[]), "visit.channels", "wanted a list"),
        (lambda kinds: kinds["visit"].update(channels=["web", "web"]), "visit.channels", "there twice"),
        (lambda kinds: kinds["visit"].update(channels=[["web"]]), "visit.channels", "['web'] is none of widget, "),
        (lambda kinds: kinds["visit"].update(actors=["customer", "robot"]), "visit.actors", "'robot' is none of customer, "),
        (lambda kinds: kinds["visit"].update(target="as many as possible"), "visit.target", "wanted names and values"),
    ],
)
def test_fault_is_named_with_its_place(tmp_path: Path, edit: Callable[[dict[str, Any]], object], where: str, what: str) -> None:
    """Whoever edits the file is told which kind and field is wrong, and how."""
    error = refusal(edited(tmp_path, edit))
    assert error.where == where
    assert what in error.what
    assert str(error) == f"{where}: {error.what}"


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ({"measure": "Visits", "unit": "percent"}, "visit.target"),
        ({"measure": "Visits", "at_least": 1, "at_most": 2, "unit": "percent"}, "visit.target"),
        ({"measure": "Visits", "at_most": 2, "unit": "percent", "soon": True}, "visit.target"),
        ({"at_most": 2, "unit": "percent"}, "visit.target"),
        ({"measure": "", "at_most": 2, "unit": "percent"}, "visit.target.measure"),
        ({"measure": "Visits", "at_most": 2, "unit": "furlongs"}, "visit.target.unit"),
        ({"measure": "Visits", "at_most": "two", "unit": "percent"}, "visit.target.at_most"),
        ({"measure": "Visits", "at_most": True, "unit": "percent"}, "visit.target.at_most"),
        ({"measure": "Visits", "at_most": -1, "unit": "seconds"}, "visit.target.at_most"),
        ({"measure": "Visits", "at_least": 101, "unit": "percent"}, "visit.target.at_least"),
        ({"measure": "Visits", "at_least": float("nan"), "unit": "seconds"}, "visit.target.at_least"),
        ({"measure": "Visits", "at_least": float("inf"), "unit": "seconds"}, "visit.target.at_least"),
    ],
)
def test_target_that_cannot_be_measured_is_refused(tmp_path: Path, target: dict[str, Any], where: str) -> None:
    """A target has one bound, a number and a unit that figures can be compared with."""
    assert refusal(edited(tmp_path, lambda entries: entries["visit"].update(target=target))).where == where


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"", "catalogue.yml", "wanted names and values"),
        (b"- visit\n- search\n", "catalogue.yml", "wanted names and values"),
        (b"visit: {}\nsearch: {}\nvisit: {}\n", "catalogue.yml line 3", "'visit' is there twice"),
        (b"visit:\n  owner: a\n  owner: b\n", "catalogue.yml line 3", "'owner' is there twice"),
        (b"visit: [web\n", "catalogue.yml line 2", "expected"),
        (b"visit: !!python/name:os.system\n", "catalogue.yml line 1", "could not determine a constructor"),
        (b"? [visit]\n: {}\n", "catalogue.yml line 1", "unhashable"),
        (b"visit: 2026-13-01\n", "catalogue.yml", "month must be in 1..12"),
        (b"visit: \x00\n", "catalogue.yml", "not YAML"),
        (b"visit: caf\xe9\n", "catalogue.yml", "not UTF-8 at byte 10"),
    ],
)
def test_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, where: str, what: str) -> None:
    """A file that is not the YAML it should be is one typed error, and nothing in it is ever run."""
    path = tmp_path / "catalogue.yml"
    path.write_bytes(content)
    error = refusal(path)
    assert error.where == where
    assert what in error.what


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A catalogue that is not there is said to be unreadable, with the cause kept."""
    error = refusal(tmp_path / "catalogue.yml")
    assert (error.where, error.what) == ("catalogue.yml", "cannot be read (No such file or directory)")
    assert isinstance(error.__cause__, FileNotFoundError)


# The stages in five and in three


def test_seven_stages_are_seen_as_five_and_as_three() -> None:
    """After the purchase everything until recommending is retention."""
    assert {stage: (five_stages(stage), when(stage)) for stage in STAGES} == {
        "awareness": ("awareness", "before"),
        "consideration": ("consideration", "before"),
        "purchase": ("purchase", "during"),
        "onboarding": ("retention", "after"),
        "service": ("retention", "after"),
        "retention": ("retention", "after"),
        "advocacy": ("advocacy", "after"),
    }


@pytest.mark.parametrize("view", [five_stages, when])
def test_stage_that_is_none_is_refused(view: Callable[[str], str]) -> None:
    """A misspelt stage must not pass as one after the purchase."""
    with pytest.raises(ValueError, match="'servcie' is not a stage"):
        view("servcie")


# What the owner reads


def tables() -> dict[str, list[list[str]]]:
    """Every table of docs/touchpoints.md by the name of its first column and its width, without the head."""
    found: dict[str, list[list[str]]] = {}
    for block in re.findall(r"(?:^\|.*\|\n)+", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        found[f"{head[0]} {len(head)}"] = rows
    return found


def target_in_words(target: Target) -> str:
    unit = "%" if target.unit == "percent" else target.unit
    return f"{target.measure}: {target.bound.replace('_', ' ')} {target.value:g} {unit}"


def row_of(kind: Kind) -> list[str]:
    stages = "all seven" if kind.stages == STAGES else ", ".join(kind.stages)
    return [f"`{kind.name}`", kind.definition, stages, ", ".join(kind.channels), ", ".join(kind.actors), kind.owner, target_in_words(kind.target)]


def test_owner_reads_what_the_catalogue_says(catalogue: Catalogue) -> None:
    """Both tables of kinds hold every kind, in order, word for word."""
    kinds = catalogue.kinds.values()
    assert tables()["Kind 7"] == [row_of(kind) for kind in kinds]
    assert tables()["Kind 4"] == [[f"`{kind.name}`", kind.importance, kind.expectation, kind.example] for kind in kinds]


def test_owner_reads_every_column_stage_channel_and_actor() -> None:
    """The other tables name what the ledger has, all of it, and every name is explained."""
    shown = tables()
    for table, names in {"Column 2": touchpoints.columns.keys(), "Channel 2": CHANNELS, "Actor 2": ACTORS}.items():
        assert [row[0] for row in shown[table]] == [f"`{name}`" for name in names]
        assert all(row[1] for row in shown[table])
    assert [(row[0], row[2], row[3]) for row in shown["Stage 4"]] == [(f"`{stage}`", five_stages(stage), when(stage)) for stage in STAGES]


def test_every_work_named_is_among_the_sources() -> None:
    """A claim that rests on somebody's work says whose, and no source stands there unused."""
    named = set(re.findall(r"\(([^()]+, \d{4})\)", CATALOGUE.read_text(encoding="utf-8")))
    listed = set(re.findall(r"^- ([^:]+, \d{4}):", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named == listed
