"""What only an index can tell: phrasings and articles that mean the same, and articles that their own title does not find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .embedding import Vectors
from .holding_out import Opened
from .lint import Finding, Shelf
from .lint_likeness import Entry, differ
from .ranking import ANSWER, PASSAGE, unit_length

# Two phrasings that customers would not tell apart. The shop's nearest of two articles have 0.78.
NEAR_MEANING = 0.9
# Two articles whose passages each find one like it in the other. The shop's nearest have 0.65, a copy in other words 0.8 to 0.9.
NEAR_ARTICLES = 0.8
NEAR_MIDDLES = 0.6
DEPTH = 3


def near_meaning(found: Sequence[Entry], opened: Opened) -> Iterator[tuple[Entry, Entry]]:
    """Pairs of entries of different articles that mean nearly the same, but are not the same words."""
    known = dict(zip(opened.data.texts, opened.data.vectors, strict=True))
    held = [entry for entry in found if entry.text in known]
    if not held:
        return
    vectors = np.array([known[entry.text] for entry in held])
    for number, entry in enumerate(held):
        for place in np.flatnonzero(vectors[number + 1 :] @ vectors[number] >= NEAR_MEANING):
            other = held[number + 1 + int(place)]
            if differ(entry, other):
                yield entry, other


def title_findings(shelf: Shelf, opened: Opened) -> Iterator[Finding]:
    """Articles that do not come first for their own title."""
    for article in sorted(shelf.public, key=lambda article: article.path):
        hits = [hit.slug for hit in opened.searcher.search(article.title, DEPTH).hits]
        if hits and hits[0] != article.slug:
            reason = f"the article is not found by its own title: {hits[0]!r} comes first"
            yield Finding(article.path, shelf.lines[article.slug].of("title"), reason)


def same_meaning_findings(shelf: Shelf, opened: Opened) -> Iterator[Finding]:
    """Articles of which each says what the other says, a warning at the later of the two."""
    bodies = _bodies(opened)
    paths = {slug: shelf.articles[slug].path for slug in bodies if slug in shelf.articles}
    ordered = sorted(paths, key=lambda slug: paths[slug])
    if not ordered:
        return
    middles = unit_length(np.array([bodies[slug].mean(axis=0) for slug in ordered]))
    for number, slug in enumerate(ordered):
        # Passages that find each other lie around middles that are near; comparing all of them would take a minute for 2,000 articles.
        for place in np.flatnonzero(middles[number + 1 :] @ middles[number] >= NEAR_MIDDLES):
            other = ordered[number + 1 + int(place)]
            likeness = _likeness(bodies[slug], bodies[other])
            if likeness >= NEAR_ARTICLES:
                reason = f"the article says nearly what {paths[slug]}:1 says (likeness {likeness:.2f}): search cannot choose between them"
                yield Finding(paths[other], 1, reason, is_error=False)


def _bodies(opened: Opened) -> dict[str, Vectors]:
    """The vectors of each article's short answer and passages, by slug."""
    rows, kinds = opened.data.rows, (ANSWER, PASSAGE)
    body = np.isin(rows.kind, kinds)
    found = {slug: opened.data.vectors[body & (rows.article == number)] for number, slug in enumerate(opened.slugs)}
    return {slug: vectors for slug, vectors in found.items() if len(vectors)}


def _likeness(one: Vectors, other: Vectors) -> float:
    """How near the passages of each come to the other's, in the mean; the less of both directions."""
    cosines = one @ other.T
    return float(min(cosines.max(axis=0).mean(), cosines.max(axis=1).mean()))
