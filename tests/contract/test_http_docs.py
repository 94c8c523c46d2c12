"""docs/http-api.md says what the description of the API says: every call, every example, every error code."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

import pytest

from desk.exceptions import BotFailed
from kit.settings import ROOT
from tests.contract.described import Call, Description
from widget import errors

PAGE = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
VARIABLES = {"$KIT": "", "$ID": "{conversation_id}", "$KEY_ID": "{key_id}", "$SESSION": "{session_id}", "/router-red-light/": "/{slug}/"}


@dataclass(frozen=True)
class Section:
    """What the page says of one call: blocks of a language, and the statuses it names."""

    call: Call
    text: str

    def blocks(self, language: str) -> list[str]:
        return blocks(self.text, language)

    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(r"`(\d{3})`", self.text)]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def sections() -> list[Section]:
    """The parts of the page under a heading that names a call."""
    parts = re.split(r"^(?=##+ )", PAGE, flags=re.MULTILINE)
    named = [(re.match(r"### `([A-Z]+) (\S+)`\n", part), part) for part in parts]
    return [Section((heading[1], heading[2]), part) for heading, part in named if heading]


def chapter(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


SECTIONS = sections()
each_section = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: " ".join(section.call))


@pytest.fixture(scope="module")
def description() -> Description:
    return Description()


def test_every_call_has_its_section(description: Description) -> None:
    """No call is left out, none is there twice, none is made up."""
    assert sorted(section.call for section in SECTIONS) == sorted(description.calls)


def curl(command: str) -> tuple[Call, Any]:
    """The call that a command makes, and its body."""
    words = shlex.split(command.replace("\\\n", " "))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    (address,) = [word for word in words if word.startswith("$KIT")]
    path = address.partition("?")[0]
    for variable, value in VARIABLES.items():
        path = path.replace(variable, value)
    return (method, path), json.loads(words[words.index("-d") + 1]) if "-d" in words else None


@each_section
def test_examples_make_the_call(section: Section, description: Description) -> None:
    """The command of a section is the section's call, with a body that the call takes, and shows what the call wants to see."""
    commands = section.blocks("sh")
    assert commands
    said = description.calls[section.call]
    for command in commands:
        call, body = curl(command)
        assert call == section.call
        if body is not None:
            assert description.faults(said["requestBody"]["content"]["application/json"]["schema"], body) == []
        assert ("-d" in shlex.split(command.replace("\\\n", " "))) <= ("Content-Type: application/json" in command)
        assert ("X-CSRF-Token" in command) == any("csrfToken" in way and "apiKey" not in str(said["security"]) for way in said["security"])
        assert ("Bearer $TOKEN" in command) == (said["security"] == [{"visitorToken": []}])


@each_section
def test_answers_are_those_described(section: Section, description: Description) -> None:
    """Each status named is one the call gives; each answer shown has the form of the first."""
    statuses = section.statuses()
    assert statuses
    assert {str(status) for status in statuses} <= set(description.calls[section.call]["responses"])
    first = next(status for status in statuses if status < 300)
    said = description.response(section.call, first)
    assert said
    for answer in section.blocks("json"):
        assert description.faults(said["content"]["application/json"]["schema"], json.loads(answer)) == []
    shown = section.blocks("json") or section.blocks("text") or "as for `accept`" in section.text or "OpenAPI 3.1" in section.text
    assert bool(shown) == bool(said.get("content"))


def test_every_event_shown_is_one(description: Description) -> None:
    """An example of each type at least."""
    shown = [json.loads(block) for block in blocks(chapter("Events"), "json")]
    assert {event["type"] for event in shown} == {"message", "owner", "survey"}
    for event in shown:
        assert description.faults(description.schema("Event"), event) == []


def test_every_reason_author_outcome_and_node_is_named(description: Description) -> None:
    """What a client may meet in an event it can look up."""
    named = re.findall(r"`([a-z_0-9 ]+)`", chapter("Events"))
    words = {word for name in named for word in name.split()}
    data = description.schema("MessageData")["properties"]
    for enum in (
        description.schema("OwnerData")["properties"]["reason"]["enum"],
        data["author"]["enum"],
        description.schema("Outcome")["enum"],
        description.schema("Node")["properties"]["el"]["enum"],
    ):
        assert set(enum) <= words


def test_every_frame_is_explained() -> None:
    """The kinds that the streams send, and no other."""
    source = (ROOT / "widget" / "streams.py").read_text(encoding="utf-8")
    sent = set(re.findall(r'frame\("(\w+)"', source))
    assert set(re.findall(r"^\| `(\w+)`", chapter("Streams"), flags=re.MULTILINE)) == sent


def test_every_error_code_is_in_the_table_with_its_status(description: Description) -> None:
    """Code by code as the app answers; what never leaves it is said to stay."""
    table = set(re.findall(r"^\| (\d{3}|other) \| `(\w+)` \|", chapter("Errors"), flags=re.MULTILINE))
    given = {(str(status), code) for _, status, code in errors.STATUSES} | {(str(status), code) for status, code in errors._HTTP_CODES.items()}
    assert table == given | {("other", "refused")}
    assert f"`{BotFailed.code}`" in chapter("Errors")
    for block in blocks(chapter("Errors"), "json"):
        assert description.faults(description.schema("Error"), json.loads(block)) == []


def test_every_chapter_is_in_the_list_at_the_top() -> None:
    """From there one reaches all of them."""
    titles = re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    linked = re.findall(r"\[([^\]]+)\]\(#[^)]+\)", PAGE.split("\n## ")[0])
    assert linked == titles
