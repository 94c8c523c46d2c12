"""What each part of search is worth: the same questions without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge_base.aim import Aim
from knowledge_base.embedding import Embedder
from knowledge_base.evaluation import Outcome
from knowledge_base.model import Cutoffs
from knowledge_base.ranking import ANSWER, PASSAGE, PHRASING, TITLE

from .composing import Composed, Material, Parts, material
from .resampling import FIGURES, Answers, Estimate, Floats, answers_of, draws, estimate_of, sampled
from .sets import Case
from .vectors import as_asked

ALL = "all parts"
# The kinds whose rows must be there for their absence to change anything.
WITHOUT_PART: dict[str, Parts] = {
    "no trained head: the nearest row": Parts(head=False),
    "no spelling": Parts(spelling=False),
    "no centre": Parts(centre=False),
    "no phrasings": Parts(without=frozenset({PHRASING})),
    "no titles": Parts(without=frozenset({TITLE})),
    "no short answers": Parts(without=frozenset({ANSWER})),
    "no passages": Parts(without=frozenset({PASSAGE})),
}
SHOWN = ("hit_at_1", "auroc_correct")


@dataclass(frozen=True)
class Ablated:
    """The outcomes of a case by what was left out, `ALL` among them; what would change nothing is not there."""

    name: str
    outcomes: dict[str, tuple[Outcome, ...]]


def ablate(
    case: Case,
    shipped: Embedder,
    other_models: Mapping[str, Embedder],
    aim: Aim,
    without: Mapping[str, Parts] = WITHOUT_PART,
) -> Ablated:
    """Ask a case's questions with all parts, with fewer, and by ``other_models``, named by what they lack."""
    found = dict(_by_model(case, shipped, without, aim))
    for name, model in other_models.items():
        _, found[name] = next(_by_model(case, model, {}, aim))
    return Ablated(case.name, found)


def _by_model(case: Case, embedder: Embedder, variants: Mapping[str, Parts], aim: Aim) -> Iterator[tuple[str, tuple[Outcome, ...]]]:
    whole = material(case, embedder)
    vectors = embedder.embed(list(as_asked(case)))
    words: Floats | None = None
    for name, parts in {ALL: Parts(), **variants}.items():
        if not parts.without or _changes(whole, parts):
            composed = Composed(whole, parts, aim)
            same = parts.spelling and not parts.without
            # The spelling of all questions against all rows is half of the work, and the same where the rows are.
            words = composed.words(as_asked(case)) if same and words is None else words
            yield name, composed.ask(case.questions, vectors, words if same else None)


def _changes(whole: Material, parts: Parts) -> bool:
    """Whether there are rows of these kinds, and others: a title that is all that an article has stays."""
    kinds = set(np.unique(whole.data.rows.kind).tolist())
    return bool(kinds & parts.without) and bool(kinds - parts.without - {TITLE} or TITLE not in parts.without)


def differences(ablated: Sequence[Ablated], figure: str) -> dict[str, dict[str, Estimate]]:
    """By what was left out and by set: how the figure changed, with the interval over the same draws of questions; "mean" is that of all sets."""
    sets = {one.name: _by_part(one, figure) for one in ablated}
    names = list(dict.fromkeys(part for parts in sets.values() for part in parts if part != ALL))
    table: dict[str, dict[str, Estimate]] = {ALL: {name: estimate_of(parts[ALL]) for name, parts in sets.items()}}
    for part in names:
        changes = {name: parts[part] - parts[ALL] for name, parts in sets.items() if part in parts}
        # Where there is nothing of the kind, leaving it out changes nothing.
        mean = np.sum(list(changes.values()), axis=0) / len(sets)
        table[part] = {name: estimate_of(change) for name, change in changes.items()} | {"mean": estimate_of(mean)}
    table[ALL]["mean"] = estimate_of(np.mean([parts[ALL] for parts in sets.values()], axis=0))
    return table


def _by_part(one: Ablated, figure: str) -> dict[str, Floats]:
    counts = draws(one.name, len(one.outcomes[ALL]))
    return {part: sampled(FIGURES[figure], [_answers(outcomes)], counts) for part, outcomes in one.outcomes.items()}


def _answers(outcomes: Sequence[Outcome]) -> Answers:
    # The figures shown here know no cut-offs.
    return answers_of(outcomes, Cutoffs(answer=1.0, offer=1.0))
