"""Where words of customers, agents and editors are shown: each place has a number, which its payloads carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .payloads import Payload

SINKS = (
    "article title",
    "short answer",
    "article body",
    "headings",
    "links and pictures",
    "front matter",
    "search words",
    "search excerpt",
    "search title and address",
    "customer's message",
    "agent's message",
    "agent's name",
    "bot's words",
    "bot's body",
    "choices",
    "sources",
    "notes",
    "page title and address",
    "staff's name and e-mail",
    "brand",
    "addresses of pages",
    "transcript and ledger",
    "exports",
    "customer's name and e-mail",
)
NUMBER = {name: number for number, name in enumerate(SINKS, 1)}

Batch = Sequence[Payload]


def at(sink: str, payload: Payload) -> str:
    """A payload for this sink."""
    return payload.at(NUMBER[sink])


def all_at(sink: str, batch: Batch, glue: str = "\n\n") -> str:
    """A batch of payloads in one text."""
    return glue.join(at(sink, payload) for payload in batch)


def batches(payloads: Sequence[Payload], size: int) -> list[Batch]:
    """Payloads in batches of a size. One that swallows what follows it hides the rest of its batch: where all are counted, batches are small."""
    return [payloads[start : start + size] for start in range(0, len(payloads), size)]


def fitting(sink: str, batch: Batch, longest: int) -> Iterator[Batch]:
    """A batch in pieces whose words are no longer than a sink takes."""
    piece: list[Payload] = []
    for payload in batch:
        if piece and len(all_at(sink, [*piece, payload], " ")) > longest:
            yield piece
            piece = []
        piece.append(payload)
    yield piece
