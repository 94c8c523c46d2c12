"""Articles and phrasings of published public articles that stand in each other's way, by their spelling alone.

Search is right when one article answers; a phrasing in two articles speaks for neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from .lexical import LexicalIndex, index_texts
from .lint import Finding, Shelf
from .model import Article
from .nodes import plain_text

# Two phrasings spelt as alike as this differ in a word that says little ("return my order", "return an order"). The shop's nearest have 0.80.
NEAR_SPELLING = 0.85
# Every pair is compared by a sketch first (feature hashing, Weinberger et al. 2009): 6,000 phrasings take 4 s on a busy machine; exactly,
# 22,000 took three minutes. Four standard deviations below the likeness wanted.
SKETCH = 256
TOGETHER = 200
NEAR_SKETCH = NEAR_SPELLING - 4 / SKETCH**0.5
# Runs of so many words are compared, and what share of the shorter article's runs makes a copy.
RUN = 5
COPIED = 0.5
# An article of fewer runs is too short to call its text copied; a run in more articles than this is a set phrase of the house.
LEAST_RUNS = 20
SET_PHRASE = 10


Spelling = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Entry:
    """A title or phrasing, and where it stands."""

    article: Article
    text: str
    field: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.article.path}:{self.line}"

    @property
    def noun(self) -> str:
        return "title" if self.field == "title" else "question"


def entries(shelf: Shelf) -> list[Entry]:
    """Titles and phrasings of all published public articles, by article and as they stand in it."""
    found = []
    for article in sorted(shelf.public, key=lambda article: article.path):
        lines = shelf.lines[article.slug]
        found.append(Entry(article, article.title, "title", lines.of("title")))
        found += [Entry(article, text, "questions", lines.of("questions", text)) for text in article.questions]
    return found


def same_findings(found: Sequence[Entry]) -> Iterator[Finding]:
    """The same words in two articles: an error at each place. Twice in one article: a warning."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in found:
        groups[plain(entry.text)].append(entry)
    for group in groups.values():
        for number, entry in enumerate(group):
            others = [other for other in group if other.article.slug != entry.article.slug]
            if others:
                places = ", ".join(other.place for other in others)
                yield Finding(entry.article.path, entry.line, f"the {entry.noun} {entry.text!r} stands in another article, too: {places}")
            earlier = [one for one in group[:number] if one.article.slug == entry.article.slug and one.field == entry.field]
            if earlier:
                reason = f"the question {entry.text!r} stands in this article twice: line {earlier[0].line}"
                yield Finding(entry.article.path, entry.line, reason, is_error=False)


def near_spelling(found: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Pairs of entries of different articles that are spelt nearly alike, but not the same."""
    index = index_texts([entry.text for entry in found])
    sketches, spelling = _sketches(index), _by_row(index)
    for start in range(0, len(found), TOGETHER):
        near = sketches[start : start + TOGETHER] @ sketches.T >= NEAR_SKETCH
        for number, row in enumerate(near, start):
            for other in (number + 1 + np.flatnonzero(row[number + 1 :])).tolist():
                if differ(found[number], found[other]) and _likeness(spelling[number], spelling[other]) >= NEAR_SPELLING:
                    yield found[number], found[other]


def _sketches(index: LexicalIndex) -> npt.NDArray[np.float32]:
    """float32 (rows, SKETCH): products of rows are about their likeness in spelling, give or take 0.06, at a twentieth of the cost."""
    random = np.random.default_rng(0)
    places, signs = random.integers(0, SKETCH, len(index.buckets)), random.choice(np.array([-1, 1], np.float32), len(index.buckets))
    counts = np.diff(index.starts)
    sketches = np.zeros((index.size, SKETCH), np.float32)
    np.add.at(sketches, (index.rows, np.repeat(places, counts)), index.weights * np.repeat(signs, counts))
    return sketches


def _by_row(index: LexicalIndex) -> list[Spelling]:
    """The runs of letters of each row, sorted, with their weights."""
    order = np.argsort(index.rows, kind="stable")
    runs = np.repeat(np.arange(len(index.buckets)), np.diff(index.starts))[order]
    ends = np.cumsum(np.bincount(index.rows, minlength=index.size))[:-1]
    return list(zip(np.split(runs, ends), np.split(index.weights[order], ends), strict=True))


def _likeness(one: Spelling, other: Spelling) -> float:
    """The cosine of two rows' spelling."""
    _, mine, theirs = np.intersect1d(one[0], other[0], assume_unique=True, return_indices=True)
    return float(one[1][mine] @ other[1][theirs])


def near_finding(one: Entry, other: Entry) -> Finding:
    """A pair of near phrasings, at the later place."""
    reason = f"the {other.noun} {other.text!r} is nearly the {one.noun} {one.text!r} of {one.place}: which of the two should answer?"
    return Finding(other.article.path, other.line, reason, is_error=False)


def differ(one: Entry, other: Entry) -> bool:
    """Whether two entries are of different articles and not the same words."""
    return one.article.slug != other.article.slug and plain(one.text) != plain(other.text)


def copy_findings(shelf: Shelf) -> Iterator[Finding]:
    """Articles that hold the same text, a warning at the later of the two."""
    runs = {article.path: _runs(_words(shelf, article)) for article in sorted(shelf.public, key=lambda article: article.path)}
    for (one, other), common in _shared(runs).items():
        fewer = min(len(runs[one]), len(runs[other]))
        if fewer >= LEAST_RUNS and common / fewer >= COPIED:
            reason = f"{common / fewer:.0%} of the shorter text stands both here and in {one}:1: search cannot choose between copies"
            yield Finding(other, 1, reason, is_error=False)


def plain(text: str) -> str:
    """A text by which two count as the same: its words in small letters; without words, the text itself."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text.strip()


def _words(shelf: Shelf, article: Article) -> list[str]:
    text = " ".join(plain_text(section.tokens) for section in shelf.pages[article.slug].sections)
    return re.findall(r"\w+", text.casefold())


def _runs(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))


def _shared(runs: dict[str, frozenset[tuple[str, ...]]]) -> dict[tuple[str, str], int]:
    """How many runs each pair of articles has in common."""
    holders: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path, own in runs.items():
        for run in own:
            holders[run].append(path)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for pair in _pairs(holders.values()):
        counts[pair] += 1
    return dict(sorted(counts.items()))


def _pairs(groups: Iterable[list[str]]) -> Iterator[tuple[str, str]]:
    for group in groups:
        if len(group) <= SET_PHRASE:
            yield from combinations(group, 2)
