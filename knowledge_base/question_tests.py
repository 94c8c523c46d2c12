"""What tried questions say: figures, who takes whose questions, and better or worse than before. Pure.

Two runs are compared question by question, so what is said of an edit does not drown in how hard the questions are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .holding_out import Tried

Key = tuple[str | None, str]


@dataclass(frozen=True)
class Theft:
    """Questions of ``loser`` that bring ``taker`` first."""

    taker: str
    loser: str
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """A question that was asked both times and did not come to the same."""

    before: Tried
    now: Tried


@dataclass(frozen=True)
class Comparison:
    """Two runs over the same questions; ``new`` ones were not asked before, ``gone`` ones are asked no more."""

    name: str
    before: tuple[Tried, ...]
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    new: tuple[Tried, ...]
    gone: tuple[Tried, ...]


def key(tried: Tried) -> Key:
    """What makes two tries the same question."""
    return tried.article, tried.question


def hit_share(tries: Sequence[Tried], within: int) -> float | None:
    """Of the questions that an article should answer, the share for which it came among the first ``within``; None of nothing."""
    places = [tried.place for tried in tries if tried.article is not None]
    return round(sum(1 <= place <= within for place in places) / len(places), 4) if places else None


def by_article(tries: Iterable[Tried]) -> dict[str, tuple[int, int]]:
    """How many questions of each article were found first, and how many were asked; by slug."""
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for tried in tries:
        if tried.article is not None:
            found, asked = counts[tried.article]
            counts[tried.article] = (found + tried.is_right, asked + 1)
    return dict(sorted(counts.items()))


def thefts(tries: Iterable[Tried]) -> tuple[Theft, ...]:
    """Which article takes whose questions, most first."""
    taken: dict[tuple[str, str], list[str]] = defaultdict(list)
    for tried in tries:
        if tried.article is not None and not tried.is_right and tried.first:
            taken[tried.first, tried.article].append(tried.question)
    found = [Theft(taker, loser, tuple(sorted(questions))) for (taker, loser), questions in taken.items()]
    return tuple(sorted(found, key=lambda theft: (-len(theft.questions), theft.taker, theft.loser)))


def compare(name: str, before: Sequence[Tried], now: Sequence[Tried]) -> Comparison:
    """What changed since ``before``, which ``name`` names. A place counts when it crosses the first or the third."""
    known, asked = {key(tried): tried for tried in before}, {key(tried): tried for tried in now}
    pairs = [Change(known[one], asked[one]) for one in known if one in asked]
    return Comparison(
        name=name,
        before=tuple(before),
        better=_sorted(pair for pair in pairs if pair.now.level > pair.before.level),
        worse=_sorted(pair for pair in pairs if pair.now.level < pair.before.level),
        new=tuple(sorted((tried for one, tried in asked.items() if one not in known), key=_by_article)),
        gone=tuple(sorted((tried for one, tried in known.items() if one not in asked), key=_by_article)),
    )


def failures(comparisons: Sequence[Comparison], allowed: int, figures: Mapping[str, float | None], floor: Mapping[str, float]) -> list[str]:
    """Why a run is not good enough, one line a reason; empty when it is."""
    worse = sum(len(comparison.worse) for comparison in comparisons)
    reasons = [f"{worse} questions are worse than before, {allowed} may be"] if worse > allowed else []
    for name, least in sorted(floor.items()):
        found = figures.get(name)
        if found is None or found < least:
            reasons.append(f"{name} is {'not known' if found is None else found}, wanted at least {least}")
    return reasons


def _by_article(tried: Tried) -> tuple[str, str]:
    return tried.article or "", tried.question


def _sorted(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: _by_article(change.now)))
