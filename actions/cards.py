"""The part of a reply that comes from an article: text, nodes, choices and sources. No words of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

OFFERED = 3  # titles offered at most; more is a list, not a choice
BLOCKS = frozenset(("p", "ul", "ol", "pre", "blockquote", "h3", "h4", "table", "tr", "li"))


def of_article(article: Json) -> Json:
    """An article or a hit as an answer."""
    return {
        "text": plain_text(article["body"]) or article["answer"],
        "body": article["body"],
        "choices": [],
        "sources": [source_of(article, article["section"], article["url"])],
    }


def of_choices(hits: Sequence[Json]) -> Json:
    """Titles to choose from."""
    choices = [{"title": hit["title"], "payload": payload("choose_article", article=hit["slug"])} for hit in hits[:OFFERED]]
    return {"text": "", "body": [], "choices": choices, "sources": []}


def of_step(article: Json, index: int) -> Json:
    """A step of a guide, headed by its place in the guide, with the choices of its own if it has any."""
    step = article["steps"][index]
    heading = f"{index + 1}/{len(article['steps'])} · {step['title']}"
    url = article["url"].split("#")[0] + "#" + step["id"]
    return {
        "text": f"{heading}\n\n{step['text']}" if step["text"] else heading,
        "body": [{"el": "h4", "children": [{"el": "text", "text": heading}]}, *step["body"]],
        "choices": [{"title": choice["title"], "payload": payload("step_option", target=choice["target"])} for choice in step["choices"]],
        "sources": [source_of(article, step["title"], url)],
    }


def source_of(article: Json, section: str, url: str) -> Json:
    """Where it stands. An article that the customer chose has no confidence of search's: it is sure, 1.0."""
    return {"slug": article["slug"], "section": section, "title": article["title"], "url": url, "confidence": article.get("confidence", 1.0)}


def payload(intent: str, **entities: str) -> str:
    """What a choice sends, in Rasa's own form."""
    return f"/{intent}{json.dumps(entities, ensure_ascii=False)}"


def plain_text(nodes: Sequence[Json]) -> str:
    """The words of nodes: a blank line between blocks, a line for each item."""
    parts: list[str] = []
    for node in nodes:
        words = _words(node)
        if words:
            parts.append(words)
    return "\n\n".join(parts)


def _words(node: Json) -> str:
    if node["el"] == "br":
        return "\n"
    children = node.get("children", [])
    if "text" in node:
        return str(node["text"])
    inner = [_words(child) for child in children]
    if any(child["el"] in BLOCKS for child in children):
        return "\n".join(words.strip() for words in inner if words.strip())
    separator = " " if node["el"] == "tr" else ""
    joined = separator.join(inner).strip() if node["el"] in BLOCKS else "".join(inner)
    return f"- {joined}" if node["el"] == "li" else joined
