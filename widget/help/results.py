"""What the help centre shows for a search: plain data in, plain data out."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from knowledge_base.model import Hit, KeywordHit, SearchAnswer

LONGEST_QUERY = 500
# Up to this many words are looked up as words too: "router" alone means nothing surely, but every article that has the word is wanted.
# A whole sentence shares words such as "the" with everything, so it goes by its meaning only.
LOOKED_UP_WORDS = 3
# Beside the best hit only those at least a tenth as likely are worth reading.
LEAST_SHARE_OF_BEST = 0.1


@dataclass(frozen=True)
class Result:
    """One line of the results. ``section`` is empty where the whole article is meant."""

    slug: str
    title: str
    url: str
    kind: str
    section: str
    excerpt: str


@dataclass(frozen=True)
class Results:
    """All that a search found. ``by_meaning`` is False when only words could be compared."""

    query: str
    found: tuple[Result, ...]
    by_meaning: bool
    answerable: bool


def cleaned_query(text: str) -> str:
    """The customer's words without control characters, in single blanks, at most `LONGEST_QUERY` characters."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", text).split())[:LONGEST_QUERY].rstrip()


def is_lookup(query: str) -> bool:
    """Whether a query is a few words to look up, not a question."""
    return len(query.split()) <= LOOKED_UP_WORDS


def results_by_meaning(query: str, answer: SearchAnswer, lookups: Iterable[KeywordHit]) -> Results:
    """The hits worth reading, best first, then articles found by their words that are not among them."""
    best = answer.hits[0].confidence if answer.hits else 0.0
    hits = [hit for hit in answer.hits if hit.confidence >= best * LEAST_SHARE_OF_BEST] if answer.verdict != "none" else []
    found = [Result(hit.slug, hit.title, _address(hit), hit.kind, hit.section, hit.excerpt) for hit in hits]
    found += results_by_words(query, lookups).found
    return Results(query, _each_once(found), by_meaning=True, answerable=answer.verdict == "answer")


def results_by_words(query: str, hits: Iterable[KeywordHit]) -> Results:
    """What can be found while search is away. Whether an answer is among it cannot be told; something found counts as one."""
    found = tuple(Result(hit.slug, hit.title, hit.url, hit.kind, "", hit.excerpt) for hit in hits)
    return Results(query, found, by_meaning=False, answerable=bool(found))


def _address(hit: Hit) -> str:
    """Search says where an article is; whatever else it might say, the link leads to an article."""
    return hit.url if hit.url.startswith("/help/") else f"/help/{quote(hit.slug, safe='')}"


def opens_with(body: str, answer: str) -> bool:
    """Whether a rendered article begins with its short answer already, so that showing both would say it twice."""
    text = html.unescape(re.sub(r"<[^>]*>", "", body))
    return " ".join(text.split()).startswith(" ".join(answer.split()))


def _each_once(found: Iterable[Result]) -> tuple[Result, ...]:
    first: dict[str, Result] = {}
    for result in found:
        first.setdefault(result.slug, result)
    return tuple(first.values())
