"""Colours made from one: everything written in them or on them can be read, whatever colour a company has."""

from __future__ import annotations

import random
import re

import pytest

from kit.settings import ROOT
from widget.brand.colours import DARK, LEAST_CONTRAST, LIGHT, Colour, Scheme, as_hex, contrast, parse_colour, tones

TOKENS = (ROOT / "widget" / "static" / "tokens.css").read_text(encoding="utf-8")
GROUNDS = ("ground", "surface", "surface-raised", "surface-sunken")


def colour(text: str) -> Colour:
    found = parse_colour(text)
    assert found is not None
    return found


def grounds_of(sheet: str) -> list[Colour]:
    """What the pages are painted with."""
    return [colour(value) for name, value in re.findall(r"--td-([\w-]+): (#[0-9a-f]{6});", sheet) if name in GROUNDS]


SCHEMES = [pytest.param(LIGHT, TOKENS.split("@media")[0], id="light"), pytest.param(DARK, TOKENS.split("@media")[1], id="dark")]


@pytest.mark.parametrize(("text", "expected"), [("#0b6e5f", (11, 110, 95)), ("#FFF", (255, 255, 255)), (" #a1b2c3 ", (161, 178, 195))])
def test_colours_as_people_write_them(text: str, expected: Colour) -> None:
    """Long and short, large and small, with blanks around."""
    assert parse_colour(text) == expected


@pytest.mark.parametrize("text", ["", "#", "red", "#12345", "#1234567", "0b6e5f", "rgb(1, 2, 3)", "#ggg", "#0b6e5f;}", "#\u0661\u0662\u0663"])
def test_what_is_no_colour(text: str) -> None:
    """Nothing else passes, least of all what could end a style sheet's line."""
    assert parse_colour(text) is None


def test_contrast_is_that_of_the_standard() -> None:
    """Known pairs: black on white, none at all, and the grey that just passes."""
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((9, 9, 9), (9, 9, 9)) == 1
    assert contrast(colour("#767676"), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize(("scheme", "sheet"), SCHEMES)
def test_every_colour_can_be_read_on_every_ground(scheme: Scheme, sheet: str) -> None:
    """400 colours at random and the corners: on all grounds of the pages, on their own soft ground, and text on buttons."""
    chance = random.Random(7)
    corners = [(red, green, blue) for red in (0, 255) for green in (0, 255) for blue in (0, 255)]
    for chosen in corners + [(chance.randrange(256), chance.randrange(256), chance.randrange(256)) for _ in range(400)]:
        made = tones(chosen, scheme)
        for ground in [*grounds_of(sheet), colour(made.soft)]:
            assert contrast(colour(made.brand), ground) >= LEAST_CONTRAST, (chosen, ground)
            assert contrast(colour(made.strong), ground) >= LEAST_CONTRAST, (chosen, ground)
        assert contrast(colour(made.on_brand), colour(made.brand)) >= LEAST_CONTRAST, chosen
        assert contrast(colour(made.on_brand), colour(made.strong)) >= LEAST_CONTRAST, chosen


@pytest.mark.parametrize(("scheme", "sheet", "text"), [(*SCHEMES[0].values, "#0b6e5f"), (*SCHEMES[1].values, "#4fc3ad")])
def test_a_colour_that_can_be_read_stays_as_it_is(scheme: Scheme, sheet: str, text: str) -> None:
    """No company's colour is touched without need."""
    assert tones(colour(text), scheme).brand == text == as_hex(colour(text))


def test_a_colour_that_cannot_be_read_is_moved_no_further_than_needed() -> None:
    """Yellow on white becomes a dark yellow that just passes."""
    moved = colour(tones(colour("#ffe600"), LIGHT).brand)
    assert LEAST_CONTRAST <= contrast(moved, (238, 240, 237)) < LEAST_CONTRAST + 0.2
    assert min(moved[:2]) > moved[2]
