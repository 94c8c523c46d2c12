"""Cutting an article into passages: one a section, long ones at their blocks, at most `PASSAGE_WORDS` words each.

The embedding model reads at most 256 word pieces; 150 words stay below that with title and heading in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from .model import Passage
from .nodes import plain_text, to_nodes
from .rendering import Page

PASSAGE_WORDS = 150
MAX_PASSAGES = 200
MAX_PASSAGE_CHARACTERS = 2_000
ANSWER_CHARACTERS = 280
EXCERPT_CHARACTERS = 300


def cut_passages(page: Page, path: str = "") -> tuple[Passage, ...]:
    """The passages of a page in their order, at most `MAX_PASSAGES`. ``path`` is the article's address, for links inside it."""
    passages = []
    for section in page.sections:
        name, anchor = (section.heading.text, section.heading.anchor) if section.heading else ("", "")
        for blocks in _groups(section.tokens):
            text = plain_text(blocks)[:MAX_PASSAGE_CHARACTERS]
            if text.strip():
                passages.append(Passage(name, anchor, text, to_nodes(blocks, path)))
            if len(passages) == MAX_PASSAGES:
                return tuple(passages)
    return tuple(passages)


def first_sentences(text: str, limit: int = ANSWER_CHARACTERS) -> str:
    """As many whole sentences from the start of ``text`` as fit ``limit`` characters; one that is longer is cut at a word."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    end = max((match.end() for match in re.finditer(r"[.!?](?=\s)", line[: limit + 1])), default=0)
    return line[:end] if end else shortened(line, limit)


def shortened(text: str, limit: int = EXCERPT_CHARACTERS) -> str:
    """``text`` on one line, cut at a word with an ellipsis when it is longer than ``limit`` characters."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head) + "…"


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Whole top-level blocks, as many together as stay within `PASSAGE_WORDS`."""
    group: list[Token] = []
    words = 0
    for block in _blocks(tokens):
        length = len(plain_text(block).split())
        if group and words + length > PASSAGE_WORDS:
            yield group
            group, words = [], 0
        group += block
        words += length
    if group:
        yield group


def _blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    block: list[Token] = []
    depth = 0
    for token in tokens:
        block.append(token)
        depth += token.nesting
        if depth == 0:
            yield block
            block = []
    if block:
        yield block
