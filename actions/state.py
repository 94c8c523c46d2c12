"""What happens to a conversation's state: plain data in, plain data out.

Each function gives a `Result`: a name by which Rasa's rules choose the words, the new state, and the card, the part of the reply that
comes from an article. Articles, hits and steps are the JSON objects of search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from actions import cards

Json = dict[str, Any]

MAX_QUESTION = 500  # characters kept of the last question; search reads about as much of one


@dataclass(frozen=True)
class State:
    """The slots that go with each turn, as web keeps them, and who owns the conversation."""

    misses: int = 0
    pending: str | None = None
    article: str | None = None
    shown: tuple[str, ...] = ()
    guide: str | None = None
    step: str | None = None
    noted: bool = False
    question: str | None = None
    owner: str = "bot"

    @property
    def queued(self) -> bool:
        """The customer waits for a person."""
        return self.owner == "queued"


@dataclass(frozen=True)
class Result:
    """What an action found out. ``name`` is a value of the slot ``result``, or None where the rule needs none."""

    name: str | None
    state: State
    card: Json | None = field(default=None)


def read_state(slots: Mapping[str, Any]) -> State:
    """The state in Rasa's slots; a slot that is not set has the value of a new conversation."""
    known = {row.name: slots[row.name] for row in fields(State) if slots.get(row.name) is not None}
    known["shown"] = tuple(known.get("shown", ()))
    return State(**known)


def write_state(state: State) -> Json:
    """The slots of a state; ``owner`` stays web's."""
    slots = {**asdict(state), "shown": list(state.shown)}
    del slots["owner"]
    return slots


def asked(state: State, question: str | None) -> State:
    """The question that is being answered now; ``pending`` and the rest still are what they were before it."""
    return replace(state, question=question[-MAX_QUESTION:] if question else None)


def answered(state: State, article: Json) -> Result:
    """The article answers: show it and ask whether that solved it."""
    slug = article["slug"]
    shown = (*state.shown, slug) if slug not in state.shown else state.shown
    name = "guide_found" if article["kind"] == "guide" else "answered"
    return Result(name, replace(state, misses=0, pending="solved", article=slug, shown=shown), cards.of_article(article))


def chosen(state: State, article: Json) -> Result:
    """The article that the customer chose. A quick topic answers no question; after a next best article there is no third."""
    return answered(state if state.pending == "choice" else asked(state, None), article)


def next_best(found: Json, state: State) -> Json | None:
    """The best hit that was not shown yet and stands at the lower cut-off or above, or None."""
    unseen = (hit for hit in found["hits"] if hit["slug"] not in state.shown and hit["confidence"] >= found["cutoffs"]["offer"])
    return next(unseen, None)


def another(state: State, hit: Json) -> Result:
    """The answer did not help, but there is one more article that may: offer it before a person."""
    return Result("next_best", replace(state, misses=0, pending="next_best"), cards.of_choices([hit]))


def unsure(state: State, hits: Sequence[Json]) -> Result:
    """Between the cut-offs: offer the titles. While the customer waits for a person only what is sure is said."""
    if state.queued:
        return note(state)
    return Result("choices", replace(state, pending="choice"), cards.of_choices(hits))


def not_sure(state: State) -> Result:
    """A miss: ask once for other words, hand over at the second miss in a row."""
    if state.queued:
        return note(state)
    if state.misses >= 1:
        return Result("not_sure_twice", replace(state, misses=0, pending=None))
    return Result("asked_again", replace(state, misses=1, pending="rephrase"))


def meant(state: State, act: str) -> Result:
    """The customer did not ask but meant an act. Who waits for a person still hears that a bot is one; the rest a person will read."""
    if state.queued and act != "are_you_a_bot":
        return note(state)
    return Result(act, start_again(state).state if act == "start_again" else state)


def note(state: State) -> Result:
    """A person will read it: said once, silent after that."""
    return Result("silent" if state.noted else "noted", replace(state, noted=True, pending=None))


def hand_over(state: State) -> Result:
    """The conversation waits for a person now; an open guide stays open, self-help goes on."""
    return Result(None, replace(state, misses=0, pending=None, noted=False))


def while_waiting(state: State, hit: Json) -> Result:
    """`hand_over`, with the source of an article that may help meanwhile."""
    waiting = hand_over(state)
    return replace(waiting, card={**cards.of_choices([]), "sources": cards.of_article(hit)["sources"]})


def not_solved(state: State) -> Result:
    """The answer did not help: `hand_over`, or, for who waits already, the word that a person will read it."""
    return Result("not_solved", replace(state, misses=0, pending=None, noted=state.queued))


def solved(state: State) -> Result:
    """The answer helped; an open guide goes on."""
    return Result(None, replace(state, misses=0, pending="guide" if state.guide else None))


def back_to_bot(state: State) -> Result:
    """The customer no longer wants a person."""
    return Result(None, replace(state, misses=0, pending="guide" if state.guide else None, noted=False))


def start_again(state: State) -> Result:
    """Nothing of the conversation so far counts any more."""
    return Result(None, State(owner=state.owner))


def at_step(state: State, article: Json, index: int) -> Result:
    """Stand at a step of a guide and show it."""
    step = article["steps"][index]
    slug = article["slug"]
    shown = (*state.shown, slug) if slug not in state.shown else state.shown
    new = replace(state, misses=0, pending="guide", shown=shown, guide=slug, step=step["id"])
    return Result("options" if step["choices"] else "step", new, cards.of_step(article, index))


def open_guide(state: State, article: Json) -> Result:
    """Start a guide, or go back to where it stands. An article without steps is shown as an answer."""
    if not article["steps"]:
        return answered(state, article)
    here = _step_index(article, state.step) if state.guide == article["slug"] else None
    return at_step(state, article, here or 0)


def next_step(state: State, article: Json) -> Result:
    """The step after this one; after the last, the guide ends without success. A step that an edit took away: the first again."""
    here = _step_index(article, state.step)
    following = 0 if here is None else here + 1
    if following < len(article["steps"]):
        return at_step(state, article, following)
    return Result("end", replace(state, misses=0, pending=None, article=article["slug"], guide=None, step=None, noted=state.queued))


def worked(state: State) -> Result:
    """The guide solved it."""
    return Result("worked", replace(state, misses=0, pending=None, article=state.guide, guide=None, step=None))


def confirm_step(state: State, article: Json) -> Result:
    """A typed yes: it worked, unless the step asks for one of several options."""
    here = _step_index(article, state.step)
    if here is not None and article["steps"][here]["choices"]:
        return at_step(state, article, here)
    return worked(state)


def step_of(article: Json, target: str) -> int | None:
    """Where in the guide the target of an option is, or None when it names another article."""
    return _step_index(article, target)


def option_meant(state: State, article: Json, text: str) -> str | None:
    """The target of the open step's option whose title the customer typed, or None."""
    here = _step_index(article, state.step)
    choices = article["steps"][here]["choices"] if here is not None else []
    return next((choice["target"] for choice in choices if _plain(choice["title"]) == _plain(text)), None)


def gone(state: State, slug: str | None) -> Result:
    """The article is there no more; a guide that was open is closed."""
    if slug is not None and state.guide == slug:
        state = replace(state, guide=None, step=None)
    return Result("gone", replace(state, pending=None))


def _step_index(article: Json, step: str | None) -> int | None:
    return next((index for index, row in enumerate(article["steps"]) if row["id"] == step), None)


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" .!?").split())
