"""YAML as a tree of texts that knows its lines.

No value is given a type: to YAML ``9:00`` is the number 540, ``no`` is false and an unquoted ``#0b6e5f`` is nothing at all, none of which
is what somebody who writes down opening hours or a colour means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

MOST_CHARACTERS = 65_536
DEEPEST = 8


@dataclass(frozen=True)
class Entry:
    """A value and the line it begins in."""

    line: int
    value: Value


Value = str | tuple[Entry, ...] | dict[str, Entry]


class Unreadable(Exception):
    """The text is not the YAML that is wanted here."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_document(text: str) -> Entry:
    """The whole text; an empty one is an empty mapping. Raises `Unreadable`."""
    if len(text) > MOST_CHARACTERS:
        raise Unreadable(0, f"longer than {MOST_CHARACTERS} characters")
    try:
        _refuse_sly(yaml.parse(text, Loader=yaml.SafeLoader))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise Unreadable(_line(mark), f"not YAML: {problem.problem or problem.context}") from problem
    except yaml.YAMLError as problem:
        raise Unreadable(0, "not YAML") from problem
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return Entry(1, {})
    return _entry(node)


def _refuse_sly(events: Iterable[yaml.Event]) -> None:
    """Raise `Unreadable` for what would grow while it is read: references, and lists in lists in lists."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable(_line(event.start_mark), "a reference (*) is not taken here; write the value out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable(_line(event.start_mark), "nested too deeply")


def _line(mark: Any) -> int:
    """Line of a mark of YAML's, from 1; 0 where there is none."""
    return int(mark.line) + 1 if mark else 0


def _entry(node: yaml.Node) -> Entry:
    line = _line(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return Entry(line, _mapping(node))
    if isinstance(node, yaml.SequenceNode):
        return Entry(line, tuple(_entry(one) for one in node.value))
    return Entry(line, str(node.value).strip())


def _mapping(node: yaml.MappingNode) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for key, value in node.value:
        line = _line(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable(line, "the name of a field must be a plain word")
        if key.value in found:
            raise Unreadable(line, f"{key.value} is there twice")
        found[key.value] = Entry(line, _entry(value).value)
    return found
