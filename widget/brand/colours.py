"""Colours from one brand colour, such that everything written in them or on them can be read.

Contrast is that of WCAG 2.2, `LEAST_CONTRAST` its level AA for text. A brand colour that is too light for a light page, or too dark for a
dark one, is moved towards black or white by as little as is needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LEAST_CONTRAST = 4.5
_STEPS = 200
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)

Colour = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True)
class Scheme:
    """A light or a dark page: what text in the brand's colour stands on, where it moves to be read, and how much brand its soft ground holds."""

    grounds: tuple[Colour, ...]
    away: Colour
    soft_share: float


LIGHT = Scheme(grounds=(WHITE, (246, 247, 245), (238, 240, 237)), away=BLACK, soft_share=0.11)
DARK = Scheme(grounds=((16, 21, 19), (23, 29, 26), (30, 38, 34)), away=WHITE, soft_share=0.15)
"""The grounds are those of static/tokens.css, a soft one is made from the first."""


@dataclass(frozen=True)
class Tones:
    """The four colours of a brand in one scheme, as ``#rrggbb``: for text and buttons, their pressed form, a soft ground, and text on buttons."""

    brand: str
    strong: str
    soft: str
    on_brand: str


def parse_colour(text: str) -> Colour | None:
    """``#rgb`` or ``#rrggbb`` as a colour, else None."""
    found = _HEX.fullmatch(text.strip())
    if not found:
        return None
    digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def as_hex(colour: Colour) -> str:
    """``#rrggbb``, in small letters."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    shares = [value / 255 for value in colour]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """``colour`` with a ``share`` (0 to 1) of ``other``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def tones(colour: Colour, scheme: Scheme) -> Tones:
    """The colours of a brand in a scheme; all that is read in them has at least `LEAST_CONTRAST`."""
    brand = next(moved for moved in _towards(colour, scheme.away) if _is_readable(moved, scheme))
    on_brand = max((WHITE, mix(BLACK, brand, 0.18)), key=lambda ink: contrast(ink, brand))
    return Tones(as_hex(brand), as_hex(mix(brand, scheme.away, 0.25)), as_hex(_soft(brand, scheme)), as_hex(on_brand))


def _towards(colour: Colour, away: Colour) -> list[Colour]:
    return [mix(colour, away, step / _STEPS) for step in range(_STEPS + 1)]


def _soft(brand: Colour, scheme: Scheme) -> Colour:
    return mix(scheme.grounds[0], brand, scheme.soft_share)


def _is_readable(brand: Colour, scheme: Scheme) -> bool:
    return all(contrast(brand, ground) >= LEAST_CONTRAST for ground in (*scheme.grounds, _soft(brand, scheme)))
