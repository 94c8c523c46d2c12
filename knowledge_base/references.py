"""What a piece of Markdown refers to - links, pictures, videos - and on which line, raw HTML included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .rendering import MAX_NESTING

LINK, PICTURE, MEDIA = "link", "picture", "media"
SOURCES = {"img": ("src",), "video": ("src", "poster"), "source": ("src",), "track": ("src",)}


@dataclass(frozen=True)
class Reference:
    """``target`` as its editor wrote it, ``line`` of the Markdown from 0. ``alt`` is None where a picture has none at all.

    ``raw`` says that it stands in HTML, where targets are what the browser makes of them.
    """

    kind: str
    target: str
    line: int
    alt: str | None = None
    raw: bool = False


def references(markdown: str) -> list[Reference]:
    """Everything that is referred to, in its order."""
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    lines = markdown.split("\n")
    found: list[Reference] = []
    for token in parser.parse(markdown):
        start, end = token.map or [0, 0]
        if token.type == "inline":
            found += _inline(token, start, lines[start : max(end, start + 1)])
        elif token.type == "html_block":
            found += _in_html(token.content, start)
    return found


def _inline(block: Token, start: int, lines: Sequence[str]) -> Iterator[Reference]:
    passed = 0  # lines of the block that were left behind
    for token in block.children or []:
        if token.type in ("softbreak", "hardbreak"):
            passed += 1
        elif token.type == "link_open":
            target = str(token.attrGet("href") or "")
            yield Reference(LINK, target, start + _seen(lines, passed, target))
        elif token.type == "image":
            source = str(token.attrGet("src") or "")
            # What its editor wrote between the brackets, or nothing.
            yield Reference(PICTURE, source, start + _seen(lines, passed, source), token.content.strip())
        elif token.type == "html_inline":
            yield from _in_html(token.content, start + passed)
            passed += token.content.count("\n")


def _seen(lines: Sequence[str], passed: int, target: str) -> int:
    """The line of a block on which ``target`` stands: that one, unless only a later one has it (code and words of links span lines unseen)."""
    later = [number for number in range(passed, len(lines)) if target and target in lines[number]]
    return later[0] if later else min(passed, len(lines) - 1)


def _in_html(html: str, start: int) -> list[Reference]:
    reader = _HtmlReader(start)
    reader.feed(html)
    reader.close()
    return reader.found


class _HtmlReader(HTMLParser):
    """Collects what tags refer to."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start
        self.found: list[Reference] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        line = self._start + self.getpos()[0] - 1
        if tag == "a" and values.get("href"):
            self.found.append(Reference(LINK, values["href"] or "", line, raw=True))
        for name in SOURCES.get(tag, ()):
            if name in values:
                kind = PICTURE if tag == "img" else MEDIA
                self.found.append(Reference(kind, values[name] or "", line, values.get("alt"), raw=True))
