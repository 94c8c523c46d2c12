"""Reading a brand from the text of its file: a value that is wrong is told, and the rest works.

`read_brand` is pure but for the time zones, which come from the system.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .colours import DARK, LIGHT, Colour, Scheme, Tones, as_hex, parse_colour, tones
from .document import Entry, Unreadable, read_document
from .hours import DAY_MINUTES, Hours, Span, Spans
from .model import TONES, Brand, BrandProblem, ReadBrand, Tone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIELDS = ("name", "logo", "colours", "greeting", "topics", "tone", "address", "email", "time_zone", "hours", "holidays")
MOST_TOPICS = 4
LONGEST = {"name": 60, "greeting": 600, "address": 120, "email": 254, "logo": 200, "time_zone": 64}
CLOSED = "closed"

_EMAIL = re.compile(r"[^\s@<>\"?&#%]+@[^\s@<>\"?&#%]+\.[^\s@<>\"?&#%]+")
_SLUG = re.compile(r"[a-z0-9_-]{1,100}")
_SPAN = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-\u2013]\s*(\d{1,2})(?::(\d{2}))?")
_WANTED_SPANS = 'wanted hours such as "9:00-17:00" or "9:00-12:00, 13:00-18:00", or closed'

Read = TypeVar("Read")


class _Wrong(Exception):
    """A value that cannot be used; the words say why."""


@dataclass
class _Reader:
    """Collects what is wrong while the fields are read."""

    path: str
    problems: list[BrandProblem] = field(default_factory=list)

    def tell(self, line: int, name: str, reason: str) -> None:
        self.problems.append(BrandProblem(self.path, line, name, reason))

    def read(self, name: str, entry: Entry | None, cast_to: Callable[[Entry], Read], default: Read) -> Read:
        """A field's value, or its default where it is not there or cannot be used."""
        if entry is None:
            return default
        try:
            return cast_to(entry)
        except _Wrong as wrong:
            self.tell(entry.line, name, str(wrong))
            return default

    def mapping(self, name: str, entry: Entry | None) -> dict[str, Entry]:
        return self.read(name, entry, _mapping, {})


def read_brand(text: str, path: str) -> ReadBrand:
    """The brand that a file's text describes; ``path`` is what its problems call the file."""
    reader = _Reader(path)
    try:
        document = read_document(text)
    except Unreadable as problem:
        reader.tell(problem.line, "", f"{problem.reason}; nothing of it is used")
        return ReadBrand(Brand(), tuple(reader.problems))
    rows = reader.mapping("", document)
    for name in rows.keys() - set(FIELDS):
        reader.tell(rows[name].line, name, "no such field; there are " + ", ".join(FIELDS))
    light, dark = _both_tones(reader, rows.get("colours"))
    brand = Brand(
        name=reader.read("name", rows.get("name"), _words("name"), ""),
        logo=reader.read("logo", rows.get("logo"), _words("logo"), ""),
        light=light,
        dark=dark,
        greeting=reader.read("greeting", rows.get("greeting"), _words("greeting"), ""),
        topics=_topics(reader, rows.get("topics")),
        tone=reader.read("tone", rows.get("tone"), _tone, "friendly"),
        address=reader.read("address", rows.get("address"), _words("address"), ""),
        email=reader.read("email", rows.get("email"), _email, ""),
        hours=_hours(reader, rows),
    )
    problems = tuple(sorted(reader.problems, key=lambda problem: problem.line))
    return ReadBrand(brand, problems, rows["logo"].line if brand.logo else 0)


def _mapping(entry: Entry) -> dict[str, Entry]:
    if not isinstance(entry.value, dict):
        raise _Wrong("wanted fields, each on a line of its own, such as name: value")
    return entry.value


def _text(entry: Entry) -> str:
    if not isinstance(entry.value, str):
        raise _Wrong("wanted a text")
    if not entry.value:
        raise _Wrong('has no value; what begins with # must stand in quotation marks, such as "#0b6e5f"')
    return entry.value


def _words(name: str) -> Callable[[Entry], str]:
    """Reads a text in single blanks, without control characters, of at most so many characters as the field may have."""

    def read(entry: Entry) -> str:
        text = " ".join(_text(entry).split())
        if not text.isprintable():
            raise _Wrong("holds a character that cannot be shown")
        if len(text) > LONGEST[name]:
            raise _Wrong(f"longer than {LONGEST[name]} characters")
        return text

    return read


def _tone(entry: Entry) -> Tone:
    if _text(entry) not in TONES:
        raise _Wrong(f"{_text(entry)!r} is none of {', '.join(TONES)}")
    return cast(Tone, _text(entry))


def _email(entry: Entry) -> str:
    text = _words("email")(entry)
    if not _EMAIL.fullmatch(text):
        raise _Wrong(f"{text!r} is not an e-mail address")
    return text


def _topics(reader: _Reader, entry: Entry | None) -> tuple[str, ...]:
    def entries(entry: Entry) -> tuple[Entry, ...]:
        if not isinstance(entry.value, tuple):
            raise _Wrong("wanted a list of articles, each by the name of its file without .md")
        return entry.value

    rows: tuple[Entry, ...] = reader.read("topics", entry, entries, ())
    if len(rows) > MOST_TOPICS:
        reader.tell(rows[MOST_TOPICS].line, "topics", f"there is room for {MOST_TOPICS}; the others are left out")
    found = [reader.read("topics", row, _slug, "") for row in rows[:MOST_TOPICS]]
    return tuple(dict.fromkeys(slug for slug in found if slug))


def _slug(entry: Entry) -> str:
    slug = _text(entry).lower()
    if not _SLUG.fullmatch(slug):
        raise _Wrong(f"{_text(entry)!r} cannot be an article; wanted the name of its file without .md")
    return slug


# Colours


def _both_tones(reader: _Reader, entry: Entry | None) -> tuple[Tones | None, Tones | None]:
    """Tones for light and for dark pages. From one colour that is given or can be read both are made."""
    rows = reader.mapping("colours", entry)
    for name in rows.keys() - {"light", "dark"}:
        reader.tell(rows[name].line, f"colours.{name}", "no such colour; there are light and dark")
    light = reader.read("colours.light", rows.get("light"), _colour, None)
    dark = reader.read("colours.dark", rows.get("dark"), _colour, None)
    if light is None and dark is None:
        return None, None
    return (
        _tones(reader, "colours.light", rows.get("light") if light else None, light or dark, LIGHT),
        _tones(reader, "colours.dark", rows.get("dark") if dark else None, dark or light, DARK),
    )


def _colour(entry: Entry) -> Colour | None:
    colour = parse_colour(_text(entry))
    if colour is None:
        raise _Wrong(f'{_text(entry)!r} is not a colour; wanted one such as "#0b6e5f", in quotation marks')
    return colour


def _tones(reader: _Reader, name: str, written: Entry | None, colour: Colour | None, scheme: Scheme) -> Tones | None:
    if colour is None:
        return None
    made = tones(colour, scheme)
    if written and made.brand != as_hex(colour):
        page = "light" if scheme is LIGHT else "dark"
        reader.tell(written.line, name, f"{as_hex(colour)} cannot be read on a {page} page; {made.brand} takes its place")
    return made


# Hours


def _hours(reader: _Reader, rows: dict[str, Entry]) -> Hours | None:
    """Opening hours, or None (somebody may be here at any time) where they are not said or cannot be told for sure."""
    zone = reader.read("time_zone", rows.get("time_zone"), _zone, None)
    if "hours" not in rows:
        if "holidays" in rows:
            reader.tell(rows["holidays"].line, "holidays", "not used without hours")
        return None
    week = reader.read("hours", rows["hours"], lambda entry: _week(reader, entry), None)
    special = _holidays(reader, rows.get("holidays"))
    if zone is None:
        if "time_zone" not in rows:
            reader.tell(rows["hours"].line, "hours", "not used: hours need a time_zone such as Europe/Berlin")
        return None
    return Hours(zone, week, special) if week else None


def _zone(entry: Entry) -> ZoneInfo | None:
    name = _words("time_zone")(entry)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        if not available_timezones():
            raise _Wrong("this machine knows no time zones (install the package tzdata); hours are not used") from cause
        raise _Wrong(f"{name!r} is not a time zone known here, such as Europe/Berlin; hours are not used") from cause


def _week(reader: _Reader, entry: Entry) -> tuple[Spans, ...] | None:
    """The seven days. A day that is not said is closed; one that cannot be read makes the whole week unknown, lest customers be told a wrong one."""
    rows = _mapping(entry)
    known = True
    for name in rows.keys() - set(WEEKDAYS):
        reader.tell(rows[name].line, f"hours.{name}", f"no such day; there are {', '.join(WEEKDAYS)}")
        known = False
    days = [reader.read(f"hours.{name}", rows[name], _spans, None) if name in rows else () for name in WEEKDAYS]
    whole = [day for day in days if day is not None]
    if not known or len(whole) < len(days):
        raise _Wrong("not used until every day of it can be read")
    return tuple(whole)


def _holidays(reader: _Reader, entry: Entry | None) -> dict[date, Spans]:
    found = {}
    for name, row in reader.mapping("holidays", entry).items():
        try:
            day = date.fromisoformat(name)
        except ValueError:
            reader.tell(row.line, f"holidays.{name}", "wanted a date such as 2026-12-25")
            continue
        spans = reader.read(f"holidays.{name}", row, _spans, None)
        if spans is not None:
            found[day] = spans
    return found


def _spans(entry: Entry) -> Spans | None:
    text = _text(entry)
    if text.lower() == CLOSED:
        return ()
    spans = tuple(_span(part) for part in text.split(","))
    if any(later.start < earlier.end for earlier, later in pairwise(spans)):
        raise _Wrong(f"{text!r} overlaps itself; {_WANTED_SPANS}")
    return spans


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text.strip())
    if not found:
        raise _Wrong(f"{text.strip()!r}: {_WANTED_SPANS}")
    hours, minutes = (int(found[1]), int(found[3])), (int(found[2] or 0), int(found[4] or 0))
    start, end = hours[0] * 60 + minutes[0], hours[1] * 60 + minutes[1]
    if max(minutes) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES or start == end:
        raise _Wrong(f"{text.strip()!r}: {_WANTED_SPANS}")
    return Span(start, end if end > start else end + DAY_MINUTES)
