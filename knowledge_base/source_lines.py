"""On which line of an article's file a field, or one entry of a list, stands: for messages to its editor."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .model import Article


@dataclass(frozen=True)
class SourceLines:
    """Lines count from 1; what is not found stands on line 1."""

    fields: dict[str, int] = field(default_factory=dict)
    entries: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, name: str, entry: str = "") -> int:
        """The line of a field, or of the first such ``entry`` of its list."""
        return self.entries.get((name, entry)) or self.fields.get(name, 1)


def source_lines(folder: Path, article: Article) -> SourceLines:
    """The lines of an article's front matter. Of a file that was changed since it was read, none are known."""
    try:
        text = (folder / article.path).read_text(encoding="utf-8-sig")
        front = "\n".join(text.split("\n")[1 : article.body_line - 2])
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return SourceLines()
    return _lines(root) if isinstance(root, yaml.MappingNode) else SourceLines()


def _lines(root: yaml.MappingNode) -> SourceLines:
    fields: dict[str, int] = {}
    entries: dict[tuple[str, str], int] = {}
    for key, value in root.value:
        name = str(key.value)
        fields[name] = _line(key)
        for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(part, yaml.ScalarNode):
                text = " ".join(part.value.split())
                # Slugs are read in small letters.
                entries.setdefault((name, text.lower() if name == "related" else text), _line(part))
    return SourceLines(fields, entries)


def _line(node: yaml.Node) -> int:
    # The opening --- is line 1, and the YAML begins on line 2, which its parser calls 0.
    return int(node.start_mark.line) + 2
