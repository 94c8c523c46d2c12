"""Articles whose every field is a payload: one an entry of a batch in its title, the whole batch in its body."""

from __future__ import annotations

from collections.abc import Sequence

from knowledge_base.model import Article
from tests.security.shelf import article

from .payloads import Payload
from .sinks import Batch, at

TITLES_ONLY = "t"
WHOLE = "b"


def written(batches: Sequence[Batch]) -> list[Article]:
    """An article a batch to be opened, and one a payload to stand in lists; where a batch is one payload the first stands there too."""
    opened = [_whole(number, batch) for number, batch in enumerate(batches)]
    listed = [_listed(payload) for batch in batches for payload in batch if len(batch) > 1]
    return opened + listed


def _whole(number: int, batch: Batch) -> Article:
    first = batch[number % len(batch)]
    return article(
        f"{WHOLE}{number}",
        at("article title", first),
        _markdown(batch),
        answer=at("short answer", first),
        category=at("front matter", first),
        lang=f"en{at('front matter', first)}",
        owner=at("front matter", first),
        questions=(at("front matter", first),),
        related=(f"{TITLES_ONLY}{first.number}", f"{WHOLE}{number}"),
    )


def _listed(payload: Payload) -> Article:
    slug = f"{TITLES_ONLY}{payload.number}"
    return article(slug, at("article title", payload), "Words.", category=at("front matter", payload), answer=at("short answer", payload))


def _markdown(batch: Batch) -> str:
    pieces = []
    for payload in batch:
        line = " ".join(at("headings", payload).split("\n"))
        address = at("links and pictures", payload)
        pieces += [f"## {line}", at("article body", payload)]
        pieces += [f"[go](<{address}>) [go]({address})", f"![{address}](<{address}> '{address}')", f"<{address}>"]
        pieces += [f"[go][{payload.number}]\n\n[{payload.number}]: {' '.join(address.split())}"]
    return "\n\n".join(pieces)
