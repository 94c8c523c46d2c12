"""What `test` says: lines for people, in a fixed order, and one JSON object for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .exceptions import KnowledgeBaseError
from .holding_out import Tried
from .question_tests import Change, Comparison, Theft, by_article, hit_share, thefts

Where = Callable[[str, str], str]
# Thefts shown to people; the rest are counted. JSON holds all.
SHOWN = 20


@dataclass(frozen=True)
class Run:
    """Everything one `test` found. ``own`` are phrasings held out, ``asked`` the questions of a file."""

    generation: str | None
    own: tuple[Tried, ...]
    asked: tuple[Tried, ...]
    own_change: Comparison | None
    asked_change: Comparison | None
    articles: tuple[str, ...]

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(one for one in (self.own_change, self.asked_change) if one)


def figures(run: Run) -> dict[str, float | None]:
    """The figures that a floor may name; None of those that this run cannot tell."""
    right = round(sum(tried.is_right for tried in run.asked) / len(run.asked), 4) if run.asked else None
    return {
        "hit_at_1": hit_share(run.own, 1),
        "hit_at_3": hit_share(run.own, 3),
        "asked_hit_at_1": hit_share(run.asked, 1),
        "asked_hit_at_3": hit_share(run.asked, 3),
        "asked_right": right,
    }


def read_figures(path: Path) -> dict[str, float]:
    """A floor: figures by name. Raises `KnowledgeBaseError` for a file of another form, or with names that are no figures."""
    names = figures(Run(None, (), (), None, None, ()))
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(form, dict) or not set(form) <= set(names):
            raise ValueError
        return {name: float(value) for name, value in form.items()}
    except (OSError, ValueError, TypeError) as cause:
        raise KnowledgeBaseError(f"{path} is no floor: wanted a JSON object with numbers for {', '.join(names)}") from cause


def read_report(path: Path) -> tuple[tuple[Tried, ...], tuple[Tried, ...]]:
    """The phrasings and the file's questions of an earlier run's JSON. Raises `KnowledgeBaseError`."""
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        return _tries(form["own"]), _tries(form["asked"])
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise KnowledgeBaseError(f"{path} is not what `test --json` printed") from cause


def as_json(run: Run, reasons: Sequence[str]) -> dict[str, Any]:
    """The whole run as one object; ``own`` and ``asked`` can be read back by `read_report`."""
    return {
        "passed": not reasons,
        "reasons": list(reasons),
        "figures": figures(run),
        "by_article": {slug: {"found": found, "asked": asked} for slug, (found, asked) in _counts(run).items()},
        "thefts": [asdict(theft) for theft in thefts((*run.own, *run.asked))],
        "compared_with": run.own_change.name if run.own_change else None,
        "phrasings": _change_json(run.own_change),
        "questions": _change_json(run.asked_change),
        "own": [asdict(tried) for tried in run.own],
        "asked": [asdict(tried) for tried in run.asked],
    }


def as_lines(run: Run, reasons: Sequence[str], where: Where, *, every: bool = False) -> Iterator[str]:
    """The run for people. ``where`` gives ``file:line`` for an article's slug and one of its phrasings."""
    yield from _totals(run)
    yield from _articles(run, every)
    yield from _thefts(thefts(run.own), where, every)
    yield from _missed(run.asked)
    for title, comparison in (("Phrasings", run.own_change), ("Questions of the file", run.asked_change)):
        yield from _compared(title, comparison, where)
    if not run.comparisons:
        yield "\nNothing to compare with."
    yield ""
    yield from (f"FAILED: {reason}" for reason in reasons)
    if not reasons:
        yield "passed"


def _totals(run: Run) -> Iterator[str]:
    both = ("phrasings, each as if not written down", run.own, run.own_change), ("questions of the file", run.asked, run.asked_change)
    for title, tries, before in both:
        if tries:
            first, three = hit_share(tries, 1), hit_share(tries, 3)
            yield f"{len(tries)} {title}: right article first {_share(first)}, among the first three {_share(three)}"
            wrongly = sum(not tried.is_right for tried in tries if tried.article is None)
            none = sum(tried.article is None for tried in tries)
            if none:
                yield f"  {none} of them have no answer: {wrongly} were given one all the same"
            if before and before.before:
                earlier = hit_share(before.before, 1), hit_share(before.before, 3)
                yield f"  before ({before.name}): {_share(earlier[0])} and {_share(earlier[1])}"
    if not run.own:
        yield "No article has questions of its own: there is nothing to hold out."


def _articles(run: Run, every: bool) -> Iterator[str]:
    counts = _counts(run)
    shown = sorted((found / asked, slug) for slug, (found, asked) in counts.items() if asked and (every or found < asked))
    yield f"\nArticles by the share of their questions found first ({sum(found == asked > 0 for found, asked in counts.values())} find all)"
    for _, slug in shown:
        found, asked = counts[slug]
        yield f"  {found:3}/{asked:<3} {slug}"
    bare = [slug for slug, (_, asked) in counts.items() if not asked]
    if bare:
        yield f"  without questions: {', '.join(bare)}"


def _thefts(found: Sequence[Theft], where: Where, every: bool) -> Iterator[str]:
    if not found:
        return
    shown = found if every else found[:SHOWN]
    yield "\nWho takes whose questions"
    for theft in shown:
        yield f"  {theft.taker} takes {_count(len(theft.questions), 'question')} of {theft.loser}"
        yield from (f"    {where(theft.loser, question)}: {question!r}" for question in theft.questions)
    if len(shown) < len(found):
        yield f"  … and {_count(len(found) - len(shown), 'more pair')} (--all shows them)"


def _missed(tries: Sequence[Tried]) -> Iterator[str]:
    wrong = sorted((tried for tried in tries if not tried.is_right), key=lambda tried: (tried.article or "", tried.question))
    if wrong:
        yield "\nQuestions of the file that went wrong"
    for tried in wrong:
        wanted = f"wanted {tried.article}, came {_place(tried)}" if tried.article else "wanted no answer"
        yield f"  {tried.question!r}: {wanted}; first was {tried.first or 'nothing'}"


def _compared(title: str, comparison: Comparison | None, where: Where) -> Iterator[str]:
    if comparison is None:
        return
    better, worse, new, gone = comparison.better, comparison.worse, comparison.new, comparison.gone
    found = sum(tried.is_right for tried in new)
    counted = f"{len(better)} better, {len(worse)} worse, {len(new)} new ({found} of them found first), {len(gone)} gone"
    yield f"\n{title} against {comparison.name}: {counted}"
    for word, changes in (("worse", worse), ("better", better)):
        yield from (f"  {word}: {_changed(change, where)}" for change in changes)
    for word, tries in (("new", [tried for tried in new if not tried.is_right]), ("gone", gone)):
        yield from (f"  {word}: {tried.article or 'no answer'}: {tried.question!r}{_now_first(tried) if word == 'new' else ''}" for tried in tries)


def _changed(change: Change, where: Where) -> str:
    now, before = change.now, change.before
    if now.article is None:
        return f"{now.question!r} has no answer: was {before.verdict} ({before.first or 'nothing'}), is {now.verdict} ({now.first or 'nothing'})"
    return f"{where(now.article, now.question)}: {now.question!r} of {now.article} was {_place(before)}, is {_place(now)}{_now_first(now)}"


def _now_first(tried: Tried) -> str:
    return "" if tried.is_right or not tried.first else f"; {tried.first} takes it"


def _place(tried: Tried) -> str:
    names = {0: "nowhere", 1: "first", 2: "second", 3: "third"}
    return names.get(tried.place, f"number {tried.place}")


def _counts(run: Run) -> Mapping[str, tuple[int, int]]:
    return dict.fromkeys(run.articles, (0, 0)) | by_article(run.own)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _tries(forms: Any) -> tuple[Tried, ...]:
    return tuple(Tried(**form) for form in forms)


def _change_json(comparison: Comparison | None) -> dict[str, Any] | None:
    return asdict(comparison) if comparison else None
