"""brand.yml as people write it: what is right works, what is wrong is told with line, field and reason, and the rest works all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kit.settings import ROOT
from widget.brand.colours import Tones
from widget.brand.hours import Span
from widget.brand.model import Brand, ReadBrand
from widget.brand.reading import FIELDS, read_brand

WHOLE = """\
name: Kestrel Lamps
logo: pictures/logo.svg
colours:
  light: "#b3361e"
  dark: '#f96'
greeting: >-
  Hello! Ask us anything
  about your lamp.
topics: [lamp-does-not-glow, Glass-Shade-Broke]
tone: formal
address: by first name
email: help@kestrel.example
time_zone: Europe/Lisbon
hours:
  monday: 9:00-17:00
  tuesday: "9-12, 13:30 \u2013 18"
  sunday: closed
holidays:
  2026-12-25: closed
"""


def read(text: str) -> ReadBrand:
    return read_brand(text, "brand.yml")


def told(text: str) -> list[str]:
    """The problems of a text, as they are printed."""
    return [str(problem) for problem in read(text).problems]


def tones(of: Tones | None) -> str:
    assert of
    return of.brand


def test_a_whole_brand() -> None:
    """Every field, in the forms that people write."""
    found = read(WHOLE)
    brand = found.brand
    assert found.problems == ()
    assert (brand.name, brand.logo, brand.tone, brand.email) == ("Kestrel Lamps", "pictures/logo.svg", "formal", "help@kestrel.example")
    assert brand.greeting == "Hello! Ask us anything about your lamp."
    assert brand.topics == ("lamp-does-not-glow", "glass-shade-broke")
    assert (tones(brand.light), tones(brand.dark)) == ("#b3361e", "#ff9966")
    assert brand.hours
    assert brand.hours.week[:3] == ((Span(540, 1020),), (Span(540, 720), Span(810, 1080)), ())
    assert brand.hours.special == {date(2026, 12, 25): ()}
    assert brand.hours.is_open(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "# nothing said yet\n", "---\n"])
def test_nothing_said_is_nothing_wrong(text: str) -> None:
    """Every field has a default."""
    assert read(text) == ReadBrand(Brand())


def test_the_shops_own_brand_is_without_fault() -> None:
    """The file that comes with the kit."""
    found = read((ROOT / "brand.yml").read_text(encoding="utf-8"))
    assert found.problems == ()
    assert all((found.brand.name, found.brand.logo, found.brand.topics, found.brand.hours, found.brand.light))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: A\ncolours:\n  light: reddish\n", "brand.yml:3: colours.light: 'reddish' is not a colour"),
        ("name: A\ncolours:\n  dark: #0b6e5f\n", "brand.yml:3: colours.dark: has no value; what begins with # must stand in quotation marks"),
        ("colours: '#123456'\n", "brand.yml:1: colours: wanted fields"),
        ("colours:\n  blue: '#123456'\n", "brand.yml:2: colours.blue: no such colour"),
        ("colours:\n  light: '#ffee00'\n", "brand.yml:2: colours.light: #ffee00 cannot be read on a light page; #"),
        ("time_zone: Mars/Phobos\nhours:\n  monday: 9-17\n", "brand.yml:1: time_zone: 'Mars/Phobos' is not a time zone"),
        ("time_zone: Europe\nhours:\n  monday: 9-17\n", "brand.yml:1: time_zone: 'Europe' is not a time zone"),
        ("time_zone: ../../etc/passwd\n", "brand.yml:1: time_zone: '../../etc/passwd' is not a time zone"),
        ("hours:\n  monday: 9-17\n", "brand.yml:1: hours: not used: hours need a time_zone"),
        ("time_zone: UTC\nhours:\n  monday: nine\n", "brand.yml:3: hours.monday: 'nine': wanted hours such as"),
        ("time_zone: UTC\nhours:\n  monday: 9:60-10\n", "brand.yml:3: hours.monday: '9:60-10': wanted hours such as"),
        ("time_zone: UTC\nhours:\n  monday: 9-25\n", "brand.yml:3: hours.monday: '9-25': wanted hours such as"),
        ("time_zone: UTC\nhours:\n  monday: 9-12, 11-14\n", "brand.yml:3: hours.monday: '9-12, 11-14' overlaps itself"),
        ("time_zone: UTC\nhours:\n  mon: 9-12\n", "brand.yml:3: hours.mon: no such day"),
        ("holidays:\n  2026-12-25: closed\n", "brand.yml:1: holidays: not used without hours"),
        ("time_zone: UTC\nhours: {monday: 9-17}\nholidays:\n  2026-13-45: closed\n", "brand.yml:4: holidays.2026-13-45: wanted a date"),
        ("time_zone: UTC\nhours: {monday: 9-17}\nholidays:\n  christmas: closed\n", "brand.yml:4: holidays.christmas: wanted a date"),
        ("topics: lamp\n", "brand.yml:1: topics: wanted a list"),
        ("topics:\n- lamp.md\n", "brand.yml:2: topics: 'lamp.md' cannot be an article"),
        ("topics: [a, b, c, d, e]\n", "brand.yml:1: topics: there is room for 4"),
        ("tone: jolly\n", "brand.yml:1: tone: 'jolly' is none of friendly, neutral, formal"),
        ("email: nobody\n", "brand.yml:1: email: 'nobody' is not an e-mail address"),
        ("email: a@b.example?bcc=c@d.example\n", "brand.yml:1: email: 'a@b.example?bcc=c@d.example' is not an e-mail address"),
        ("name: [A, B]\n", "brand.yml:1: name: wanted a text"),
        (f"name: {'A' * 61}\n", "brand.yml:1: name: longer than 60 characters"),
        ('name: "A\\0B"\n', "brand.yml:1: name: holds a character that cannot be shown"),
        ("color: '#123456'\n", "brand.yml:1: color: no such field; there are name, logo, colours"),
    ],
)
def test_each_thing_wrong_is_told(text: str, expected: str) -> None:
    """File, line, field and reason."""
    assert any(problem.startswith(expected) for problem in told(text)), told(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: A\ngreeting: 'open\n", "brand.yml:3: not YAML: "),
        ("name: A\n  tone: b\n", "brand.yml:2: not YAML: "),
        ("name: A\nname: B\n", "brand.yml:2: name is there twice; nothing of it is used"),
        ("- name\n", "brand.yml:1: wanted fields"),
        ("just words\n", "brand.yml:1: wanted fields"),
        ("name: &a A\ntone: *a\n", "brand.yml:2: a reference (*) is not taken here"),
        ("? [a]\n: b\n", "brand.yml:1: the name of a field must be a plain word"),
        ("name: \x07\n", "brand.yml: not YAML"),
        ("a: " + "[" * 5000, "brand.yml:1: nested too deeply"),
        ("#" * 65_537, "brand.yml: longer than 65536 characters"),
        ("a: !!python/object/apply:os.system [ls]\n", "brand.yml:1: a: no such field"),
    ],
)
def test_a_text_that_cannot_be_read_leaves_every_default(text: str, expected: str) -> None:
    """Broken, endless or sly: one problem that says where, and no brand."""
    found = read(text)
    assert any(str(problem).startswith(expected) for problem in found.problems), found.problems
    assert found.brand == Brand()


def test_one_wrong_value_costs_no_other() -> None:
    """A bad colour and an unknown zone: name, greeting and the other colour are there, hours are not guessed."""
    text = WHOLE.replace("'#f96'", "orange").replace("Europe/Lisbon", "Europe/Lisboa")
    brand = read(text).brand
    assert [problem.field for problem in read(text).problems] == ["colours.dark", "time_zone"]
    assert (brand.name, brand.hours) == ("Kestrel Lamps", None)
    assert tones(brand.light) == "#b3361e"


def test_a_week_with_a_day_that_cannot_be_read_is_not_guessed() -> None:
    """Customers are told no hours rather than wrong ones."""
    found = read(WHOLE.replace("9:00-17:00", "9:00 till late"))
    assert found.brand.hours is None
    assert [problem.field for problem in found.problems] == ["hours", "hours.monday"]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_explained(name: str) -> None:
    """In the guide for owners."""
    assert f"`{name}`" in (ROOT / "docs" / "make-it-yours.md").read_text(encoding="utf-8")
