"""Markdown tokens into nodes from the closed list, and into plain text. What is not on the list leaves only its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import unescape

import nh3
from markdown_it.token import Token

from .model import Node

# What each opening token becomes; headings stay below the chat's own.
ELEMENTS = {
    "paragraph_open": "p",
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "list_item_open": "li",
    "blockquote_open": "blockquote",
    "strong_open": "strong",
    "em_open": "em",
    "table_open": "table",
    "thead_open": "thead",
    "tbody_open": "tbody",
    "tr_open": "tr",
    "th_open": "th",
    "td_open": "td",
}


def to_nodes(tokens: Sequence[Token], page: str = "") -> tuple[Node, ...]:
    """Block tokens as nodes. ``page`` is the article's path: a link to a place in the same article leads there."""
    root: list[Node] = []
    stack: list[list[Node]] = [root]
    for token in tokens:
        if token.type == "inline":
            # A paragraph of a tight list is hidden; its words then stand in the item itself.
            stack[-1].extend(inline_nodes(token.children or [], page))
        elif token.hidden:
            continue
        elif token.nesting == 1:
            stack.append(_opened(token, stack[-1]))
        elif token.nesting == -1:
            if len(stack) > 1:
                stack.pop()
        else:
            stack[-1].extend(_leaf(token))
    return tuple(root)


def inline_nodes(tokens: Iterable[Token], page: str = "") -> list[Node]:
    """The children of one inline token as nodes."""
    root: list[Node] = []
    stack: list[list[Node]] = [root]
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
            href = f"{page}{href}" if href.startswith("#") else href
            # A link that is not allowed keeps its words and leads nowhere.
            stack.append(_child(stack[-1], {"el": "a", "href": href}) if href else stack[-1])
        elif token.nesting == 1:
            stack.append(_opened(token, stack[-1]))
        elif token.nesting == -1:
            if len(stack) > 1:
                stack.pop()
        else:
            stack[-1].extend(_leaf(token))
    return root


def text_nodes(text: str) -> tuple[Node, ...]:
    """One paragraph of plain text."""
    return ({"el": "p", "children": [{"el": "text", "text": text}]},)


def plain_text(tokens: Iterable[Token]) -> str:
    """The words of block tokens, one line a block."""
    lines = []
    for token in tokens:
        if token.type == "inline":
            lines.append(inline_text(token.children or []))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
        elif token.type == "html_block":
            lines.append(_stripped(token.content))
    return "\n".join(line for line in lines if line)


def inline_text(tokens: Iterable[Token]) -> str:
    """The words of an inline token's children; a picture counts as its description."""
    words = []
    for token in tokens:
        if token.type in ("text", "code_inline", "image"):
            words.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            words.append(" ")
    return " ".join("".join(words).split())


def _opened(token: Token, parent: list[Node]) -> list[Node]:
    if token.type == "heading_open":
        return _child(parent, {"el": "h3" if token.tag in ("h1", "h2", "h3") else "h4"})
    if token.type in ELEMENTS:
        return _child(parent, {"el": ELEMENTS[token.type]})
    return parent


def _child(parent: list[Node], node: Node) -> list[Node]:
    children: list[Node] = []
    node["children"] = children
    parent.append(node)
    return children


def _leaf(token: Token) -> list[Node]:
    if token.type == "text":
        return [{"el": "text", "text": token.content}] if token.content else []
    if token.type == "code_inline":
        return [{"el": "code", "text": token.content}]
    if token.type in ("fence", "code_block"):
        return [{"el": "pre", "text": token.content.rstrip("\n")}]
    if token.type == "softbreak":
        return [{"el": "text", "text": " "}]
    if token.type == "hardbreak":
        return [{"el": "br"}]
    if token.type == "image":
        source = str(token.attrGet("src") or "")
        return [{"el": "img", "src": source, "alt": token.content}] if source else [{"el": "text", "text": token.content}]
    if token.type == "html_block" and (words := _stripped(token.content)):
        return [{"el": "p", "children": [{"el": "text", "text": words}]}]
    return []


def _stripped(html: str) -> str:
    """The words of raw HTML; scripts and styles lose theirs too."""
    return " ".join(unescape(nh3.clean(html, tags=set())).split())
