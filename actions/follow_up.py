"""Does a message lean on what was said before ("and the camera?", "how much is it?"), and on what of it? No search in here.

Only such a message is asked together with what came before. Any other would be drawn to the old subject: "tell me a joke" joined with
a question about the router is, to search, a sure question about the router.
"""

from __future__ import annotations

import re
from typing import Any

from actions.state import State

Json = dict[str, Any]

LONGEST_LINKED = 9  # words of a message that begins by linking on
LONGEST_POINTING = 7  # words of one that points back
LONGEST_PHRASE = 4  # words of a mere phrase: "on which account", "how many people"

LINKS = (("and",), ("or",), ("but",), ("also",), ("then",), ("what", "about"), ("how", "about"), ("what", "if"))
_POINTING = """it its that this these those they them their theirs he him she her one ones there then too also either again instead otherwise"""
# Words that name no subject. A message of these alone is about the subject that is talked about.
_EMPTY = """a about am an any are at be by can could did do does else exactly far fast for from get go had has have how i if in is long many me more
much my need of often on only please should soon take the to until we what when where which who why will with without would you your"""
_ASKING = """how what when where which who whose why"""
_PLACING = """after at before by even for from in on only per since to under until via with within without"""
POINTING, EMPTY, ASKING, PLACING = (frozenset(words.split()) for words in (_POINTING, _EMPTY, _ASKING, _PLACING))


def leans_back(text: str) -> bool:
    """Short, and linked to or pointing at what was said before, or naming no subject of its own."""
    words = re.findall(r"[\w']+", text.casefold().replace("\u2019", "'"))
    if not words:
        return False
    if any(tuple(words[: len(link)]) == link for link in LINKS):
        return len(words) <= LONGEST_LINKED
    if POINTING.intersection(words) or EMPTY.issuperset(words):
        return len(words) <= LONGEST_POINTING
    return len(words) <= LONGEST_PHRASE - (words[0] in ASKING) and words[0] in ASKING | PLACING


def article_in_view(state: State) -> str | None:
    """The slug of what is being talked about: the guide that is walked, or the article last answered with, unless something else was asked since."""
    if state.pending == "guide":
        return state.guide
    return state.article if state.pending in (None, "solved") else None


def best_confidence(found: Json) -> float:
    """How sure search is of its best hit."""
    return float(found["hits"][0]["confidence"]) if found["hits"] else 0.0
