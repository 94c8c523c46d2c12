"""Markdown into sanitised HTML for the help centre, and into sections for cutting.

CommonMark with tables. Raw HTML passes the sanitiser, which keeps only what stands in the lists below (videos with
captions among them). Links to other articles may be written as a slug or as a file; pictures as a path beside the file.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .front_matter import SLUG
from .media import media_url
from .model import Heading
from .nodes import inline_text

SCHEMES = {"http", "https", "mailto", "tel"}
TAGS = {"p", "ul", "ol", "li", "strong", "em", "code", "pre", "a", "br", "hr", "blockquote", "h2", "h3", "h4", "h5", "h6", "img", "table", "thead"}
TAGS |= {"tbody", "tr", "th", "td", "video", "source", "track", "details", "summary"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    "video": {"src", "controls", "poster", "width", "height"},
    "source": {"src", "type"},
    "track": {"src", "kind", "srclang", "label", "default"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}

# Deeper nesting is shown flat.
MAX_NESTING = 20
# What the parser may spend on 64 KiB, so that any are rendered within 250 ms, and as much again for each further 64: about a µs a unit.
# Prose with much emphasis spends four fifths. Counting is fair where a clock would cut articles on a busy machine.
BUDGET = 100_000
INLINE_STEP = 10
BLOCK_STEP = 22
# Asking of a line whether it ends the paragraph, list or quotation before it.
LINE_STEP = 8
# Reading and normalising an address.
LINK_STEP = 35
# The table rule reads a whole table in one step.
MAX_PIPES = 8_000
# A run of marks of emphasis is one step, and each of them a token to be paired.
MAX_MARKS = 8_000
PARAGRAPHS = 4_000
# The sanitiser's parser takes time with the square of the depth of raw elements ...
MAX_RAW_TAGS = 1_000
# ... and repeats raw emphasis that was not closed in every element after it, so this limits their product.
MAX_REPEATED = 60_000
EMPHASIS = {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
RAW_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
HIDDEN_TAG = re.compile(r"""<[!?]|=\s*(?:"[^"]*<|'[^']*<)""")
RAW_EMPHASIS = re.compile(rf"<(?:{'|'.join(sorted(EMPHASIS))})[\s/>]", re.IGNORECASE)


_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which cannot be written as UTF-8."""


@dataclass(frozen=True)
class Section:
    """What stands under one heading, up to the next heading of any level. The first section of an article has none."""

    heading: Heading | None
    tokens: tuple[Token, ...]
    line: int


@dataclass(frozen=True)
class Page:
    """An article's Markdown, parsed: sanitised HTML, headings, and sections in their order.

    ``plain`` says that the Markdown was too intricate to parse and stands there as it was written.
    """

    html: str
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]
    plain: bool = False


class _TooIntricate(Exception):
    """The parser has spent its budget, or the sanitiser would take too long."""


def render(markdown: str, folder: str = "") -> Page:
    """Parse and render. ``folder`` is where the file lies below the articles' folder; paths of pictures start there."""
    markdown = _SURROGATE.sub("\ufffd", markdown)
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    _limit_steps(parser, BUDGET * _size(markdown))
    plain = False
    try:
        _look_over(markdown)
        tokens = parser.parse(markdown)
        _limit_raw(tokens, _size(markdown))
    except _TooIntricate:
        tokens, plain = _plain_tokens(markdown), True
    headings = _number_headings(tokens)
    _resolve(tokens, folder)
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer")
    return Page(clean, tuple(headings.values()), _sections(tokens, headings), plain)


def resolved_link(href: str) -> str:
    """A link as the help centre needs it: a slug or a file of another article becomes its path; anything not allowed becomes ``""``."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return href if parts.scheme.lower() in SCHEMES else ""
    name = posixpath.basename(unquote(parts.path)).lower().removesuffix(".md")
    if parts.path and not parts.path.startswith("/") and SLUG.fullmatch(name):
        return f"/help/{name}" + (f"#{parts.fragment}" if parts.fragment else "")
    return href if parts.path.startswith("/") or not parts.path else ""


def resolved_source(source: str, folder: str) -> str:
    """A picture's address: a file in a ``media`` folder gets its ``/help/media/`` address; anything else here becomes ``""``."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return ""
    if parts.scheme or parts.netloc:
        return source if parts.scheme.lower() in ("http", "https") else ""
    return media_url(posixpath.join(folder, unquote(parts.path)))


def anchor_of(text: str) -> str:
    """The anchor of a heading: its words in small letters, joined by ``-``."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")[:80].strip("-") or "section"


def _limit_steps(parser: MarkdownIt, budget: int) -> None:
    """Put a rule that never matches before all others: it counts what is spent."""
    left = budget

    def spend(units: int) -> bool:
        nonlocal left
        left -= units
        if left < 0:
            raise _TooIntricate
        return False

    def block(state: object, start: int, end: int, silent: bool) -> bool:
        return spend(LINE_STEP if silent else BLOCK_STEP)

    normalize = parser.normalizeLink

    def normalize_link(url: str) -> str:
        spend(LINK_STEP)
        return normalize(url)

    parser.inline.ruler.before("text", "limit", lambda state, silent: spend(INLINE_STEP))
    parser.block.ruler.before("table", "limit", block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    # The parser calls it by this name and knows no other way to set one; mypy sees a method put in a method's place.
    parser.normalizeLink = normalize_link  # type: ignore[method-assign]


def _look_over(markdown: str) -> None:
    """Raise `_TooIntricate` for what would be found out only after a long parse. Closed tags and code count too, hence the wide margin."""
    repeated = len(RAW_EMPHASIS.findall(markdown)) * markdown.count("\n\n")
    marks = markdown.count("*") + markdown.count("_")
    if markdown.count("|") > MAX_PIPES or marks > MAX_MARKS * _size(markdown) or repeated > 8 * MAX_REPEATED * _size(markdown) ** 2:
        raise _TooIntricate


def _size(markdown: str) -> int:
    """How many times 64 KiB it is, at least 1."""
    return max(1, len(markdown) // 65_536)


def _limit_raw(tokens: list[Token], size: int) -> None:
    """Raise `_TooIntricate` for raw HTML that would keep the sanitiser busy."""
    pieces = [piece for token in tokens if (piece := _raw(token))]
    if not pieces:
        return
    elements = sum(not closing for piece in pieces for closing, _ in piece)
    repeated = sum(map(_left_open, pieces)) * (elements + sum(1 + len(token.children or ()) for token in tokens))
    if elements > MAX_RAW_TAGS * size or repeated > MAX_REPEATED * size:
        raise _TooIntricate


def _raw(token: Token) -> list[tuple[str, str]]:
    """The raw tags of a block in their order: ``/`` or nothing, and the name in small letters."""
    if token.type == "html_block":
        tags = RAW_TAG.findall(token.content)
        # Where a tag may stand in an attribute or a comment, none is believed to close another.
        return [("", name.lower()) for _, name in tags] if HIDDEN_TAG.search(token.content) else [(sign, name.lower()) for sign, name in tags]
    found = (RAW_TAG.match(child.content) for child in token.children or () if child.type == "html_inline")
    return [(tag.group(1), tag.group(2).lower()) for tag in found if tag]


def _left_open(tags: list[tuple[str, str]]) -> int:
    """How many emphasising elements of a block are not closed in it; all of them where its tags cross."""
    stack: list[str] = []
    for closing, name in tags:
        if name in VOID:
            continue
        if not closing:
            stack.append(name)
        elif stack and stack[-1] == name:
            stack.pop()
        else:
            return sum(one in EMPHASIS for sign, one in tags if not sign)
    return sum(name in EMPHASIS for name in stack)


def _plain_tokens(markdown: str) -> list[Token]:
    """A paragraph for each stretch of lines, its signs as they stand."""
    tokens = []
    for paragraph in re.split(r"\n\s*\n", markdown)[:PARAGRAPHS]:
        words = Token("text", "", 0, content=" ".join(paragraph.split()))
        inline = Token("inline", "", 0, content=words.content, children=[words])
        tokens += [Token("paragraph_open", "p", 1, block=True), inline, Token("paragraph_close", "p", -1, block=True)]
    return tokens


def _number_headings(tokens: list[Token]) -> dict[int, Heading]:
    """Give every heading token its anchor, unique in the page, and no level above 2. Keyed by the token's position."""
    found: dict[int, Heading] = {}
    taken: dict[str, int] = {}
    for position, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            text = inline_text(tokens[position + 1].children or [])
            anchor = _free(anchor_of(text), taken)
            level = max(2, int(token.tag[1]))
            token.tag = tokens[position + 2].tag = f"h{level}"
            token.attrSet("id", anchor)
            found[position] = Heading(level, text, anchor)
    return found


def _free(anchor: str, taken: dict[str, int]) -> str:
    """``anchor``, or with the first number that nobody has; counting on from the last keeps 10,000 equal headings linear."""
    candidate = anchor
    while candidate in taken:
        taken[anchor] += 1
        candidate = f"{anchor}-{taken[anchor]}"
    taken[candidate] = 1
    return candidate


def _resolve(tokens: list[Token], folder: str) -> None:
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open":
                child.attrSet("href", resolved_link(str(child.attrGet("href") or "")))
            elif child.type == "image":
                child.attrSet("src", resolved_source(str(child.attrGet("src") or ""), folder))


def _sections(tokens: list[Token], headings: dict[int, Heading]) -> tuple[Section, ...]:
    starts = sorted(headings)
    sections = [Section(None, tuple(tokens[: starts[0] if starts else len(tokens)]), 0)]
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(tokens)
        line = (tokens[start].map or [0])[0]
        sections.append(Section(headings[start], tuple(tokens[start + 3 : end]), line))
    return tuple(sections)
