"""What a brand is made of, and what can be wrong with its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from .colours import Tones
from .hours import Hours

Tone = Literal["friendly", "neutral", "formal"]
TONES: tuple[str, ...] = get_args(Tone)


@dataclass(frozen=True)
class BrandProblem:
    """What is wrong with one field of a file, and in which line (1 is the first; 0 means the file as a whole)."""

    path: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.field}: {self.reason}" if self.field else f"{place}: {self.reason}"


@dataclass(frozen=True)
class Logo:
    """A picture as it is served."""

    content: bytes
    media_type: str


@dataclass(frozen=True)
class Brand:
    """Everything that can be set. What is empty or None was not said, or could not be read: each face then uses what it has of its own."""

    name: str = ""
    logo: str = ""
    """The logo's file, as named: below the folder of ``brand.yml``."""
    light: Tones | None = None
    dark: Tones | None = None
    greeting: str = ""
    topics: tuple[str, ...] = ()
    """Slugs of articles."""
    tone: Tone = "friendly"
    address: str = ""
    """How customers are addressed, in the company's own words, for the people at the desk."""
    email: str = ""
    hours: Hours | None = None


@dataclass(frozen=True)
class ReadBrand:
    """A brand as read, with what was wrong; ``logo_line`` is where the logo is named."""

    brand: Brand = field(default_factory=Brand)
    problems: tuple[BrandProblem, ...] = ()
    logo_line: int = 0
