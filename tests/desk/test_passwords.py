"""Which passwords a person may choose: by length, against what is known from breaches, and without the names that everybody knows."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from desk.exceptions import PasswordRefused
from desk.passwords import BREACHED, KIT, check_password, is_breached, words_of_kit, words_of_person

OWN = {"touchdesk", "Hearthlink", "ada", "lovelace"}


def refused(password: str, own_words: set[str] = OWN) -> str | None:
    """Why a password is refused, None for one that is taken."""
    try:
        check_password(password, own_words)
    except PasswordRefused as refusal:
        return str((refusal.detail or {})["reason"])
    return None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too_short"),
        ("7 chars", "too_short"),
        ("8 ch\u00e4rs!", None),
        ("\u9f8d\u864e\u9cf3\u9f9c\u9e9f\u9ce5\u99ac\u725b", None),
        ("        ", None),
        ("a sentence of five words", None),
        ("y" * 999 + "z", None),
        ("y" * 1000 + "z", "too_long"),
    ],
)
def test_any_characters_from_8_to_1000(password: str, reason: str | None) -> None:
    """No digit, capital or sign is asked for, and none is forbidden."""
    assert refused(password) == reason


@pytest.mark.parametrize("password", ["password", "PassWord1", "12345678", "qwertyuiop", "iloveyou", "trustno1", "hearthlinkpassword", "Ada12345678"])
def test_what_is_known_from_a_breach_is_refused(password: str) -> None:
    """However it is written, and with a name before it."""
    assert refused(password) == "breached"


def test_every_line_of_the_list_is_found_and_what_is_near_is_not() -> None:
    """The first and the last line, some between that lie across the pieces it is read in, and none of their parts."""
    with gzip.open(BREACHED, "rt", encoding="utf-8") as file:
        listed = file.read().splitlines()
    for one in (listed[0], listed[-1], *listed[:: len(listed) // 40]):
        assert is_breached(one), one
    known = set(listed)
    for near in (listed[0][:-1], listed[-1] + "!", listed[9] + "\n" + listed[10], ""):
        assert is_breached(near) == (near in known)


def test_the_list_is_long_enough_and_holds_nothing_that_its_length_refuses_anyway() -> None:
    """At least the 3,000 most frequent that fit our rules; each once, in small letters, in order."""
    with gzip.open(BREACHED, "rt", encoding="utf-8") as file:
        listed = file.read().splitlines()
    assert len(listed) == 474_743
    assert listed == sorted(set(listed))
    assert all(len(one) >= 8 and one == one.casefold() for one in listed)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("touchdesk", "own_words"),
        ("Touchdesk2026!", "own_words"),
        ("hearthlink-Ada", "own_words"),
        ("AdaLovelace1815", "own_words"),
        ("ada keeps nine cats", None),
        ("my hearthlink router hums", None),
    ],
)
def test_names_that_everybody_knows_count_for_nothing(password: str, reason: str | None) -> None:
    """What is left without them has to be a password by itself."""
    assert refused(password) == reason


def test_short_words_are_left_alone() -> None:
    """Two letters of a name stand in too many good passwords."""
    assert refused("kites over a weir", {"e", "ov", ""}) is None


def test_the_words_of_a_person_are_their_name_and_address() -> None:
    """Whole and in pieces."""
    assert words_of_person("ada.lovelace_15@desk.example", "Ada King-Noel") == {"ada.lovelace_15", "ada", "lovelace", "15", "Ada", "King", "Noel"}


@pytest.mark.parametrize(
    ("brand", "words"),
    [
        ("name: Hearth & Link Co.", {KIT, "Hearth", "Link", "Co", "HearthLinkCo"}),
        ("name: [no, name]", {KIT}),
        ("just words", {KIT}),
        ("name: {unfinished", {KIT}),
        ("", {KIT}),
    ],
)
def test_the_words_of_the_kit_are_its_own_and_the_companys(tmp_path: Path, brand: str, words: set[str]) -> None:
    """Read from the brand's file as it is now; a damaged one costs only its words."""
    (tmp_path / "brand.yml").write_text(brand, encoding="utf-8")
    assert words_of_kit(tmp_path / "brand.yml") == words


def test_a_brand_that_is_not_there_or_no_text_costs_only_its_words(tmp_path: Path) -> None:
    """The kit's own name is refused all the same."""
    (tmp_path / "brand.yml").write_bytes(b"name: \xff\xfe")
    assert words_of_kit(tmp_path / "brand.yml") == words_of_kit(tmp_path / "nothing.yml") == {KIT}
