"""What a password may be that a person chooses: long enough, known from no breach, and more than the words that anybody would guess here.

The breached ones come with the kit, in `breached_passwords.txt.gz`: the 474,743 of at least eight characters among the million most frequent of
ten million leaked ones (SecLists' ``10-million-password-list-top-1000000``, MIT licence), folded to small letters and sorted. The list is read
through whenever a password is chosen (0.03 s) and never held in memory.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from desk.exceptions import PasswordRefused

SHORTEST = 8
LONGEST = 1000
BREACHED = Path(__file__).with_name("breached_passwords.txt.gz")
KIT = "touchdesk"
SHORTEST_WORD = 3
"""Shorter pieces of names stand in too many good passwords."""
_PIECE_BYTES = 1 << 16


def check_password(password: str, own_words: Iterable[str] = ()) -> None:
    """Raise `PasswordRefused`, with the reason, for a password that nobody should have.

    ``own_words`` count for nothing: without them the password must still be long enough, and not a breached one.
    """
    if len(password) < SHORTEST:
        raise PasswordRefused("too_short")
    if len(password) > LONGEST:
        raise PasswordRefused("too_long")
    folded = password.casefold()
    rest = without_words(folded, own_words)
    if len(rest) < SHORTEST:
        raise PasswordRefused("own_words")
    if any(is_breached(one) for one in {folded, rest}):
        raise PasswordRefused("breached")


def without_words(folded: str, own_words: Iterable[str]) -> str:
    """What is left of a password, the longest words taken out first."""
    words = {word.casefold() for word in own_words if len(word) >= SHORTEST_WORD}
    for word in sorted(words, key=len, reverse=True):
        folded = folded.replace(word, "")
    return folded


def is_breached(folded: str, path: Path = BREACHED) -> bool:
    """Whether the list holds this password, which is in small letters."""
    if "\n" in folded:
        return False
    line = f"\n{folded}\n".encode()
    with gzip.open(path) as file:
        kept = b"\n"
        while piece := file.read(_PIECE_BYTES):
            if line in (kept := kept + piece):
                return True
            kept = kept[-len(line) :]
    return False


def words_of_person(email: str, name: str) -> set[str]:
    """What anybody knows of an account: its address before the @, whole and in pieces, and its name."""
    local = email.partition("@")[0]
    return {local, *_pieces(local), *_pieces(name)}


def words_of_kit(brand: Path) -> set[str]:
    """The kit's own name, and the company's as its brand file has it now; of a file that cannot be read none."""
    try:
        # What yaml.safe_load does, by its loader in C: plain values, no objects.
        document = yaml.load(brand.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {KIT}
    name = document.get("name") if isinstance(document, dict) else None
    return {KIT, *_pieces(name), "".join(_pieces(name))} if isinstance(name, str) else {KIT}


def _pieces(words: str) -> list[str]:
    return re.findall(r"[^\W_]+", words)
