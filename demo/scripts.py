"""What the made-up customers do, as data: read from YAML and checked, before anything is started.

A script is one customer. Each of its steps has one verb, of the customer's or, after the name of an agent, of that agent's::

    - says: the box in my hallway is red
      meant: router-red-light           # chosen if it is only offered
      again: the light of my router is red    # said if the bot asks for other words
    - presses: start_guide
      expects: guide_step               # the outcome that this was written for; another one is no error
    - ada writes: Good morning!
      after: 2m                         # the wait since the step before; without it a usual one
    - asks_for_person: true
      only: bot                         # left out while somebody else has the conversation
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from demo.errors import ScriptInvalid

FOLDER = Path(__file__).parent / "customers"
JOURNEYS = Path(__file__).with_name("journeys.yml")
AGENTS = ("ada", "ben")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Each verb with what it wants besides its own value, and the usual wait before it in seconds, from and to.
CUSTOMER_VERBS: Mapping[str, tuple[frozenset[str], tuple[int, int]]] = {
    "says": (frozenset({"expects", "meant", "again", "without"}), (15, 70)),
    "presses": (frozenset({"expects"}), (6, 40)),
    "opens": (frozenset(), (8, 30)),
    "asks_for_person": (frozenset(), (10, 40)),
    "cancels": (frozenset(), (60, 240)),
    "closes": (frozenset(), (20, 90)),
    "rates": (frozenset({"comment"}), (15, 120)),
    "comes_back": (frozenset(), (3600, 7200)),
    "searches": (frozenset(), (10, 60)),
    "reads": (frozenset(), (8, 60)),
    "likes": (frozenset(), (40, 180)),
    "dislikes": (frozenset({"reason"}), (40, 180)),
}
AGENT_VERBS: Mapping[str, tuple[frozenset[str], tuple[int, int]]] = {
    "accepts": (frozenset(), (25, 200)),
    "writes": (frozenset(), (25, 110)),
    "notes": (frozenset(), (20, 60)),
    "transfers": (frozenset(), (20, 60)),
    "returns": (frozenset(), (20, 60)),
    "closes": (frozenset({"article"}), (20, 90)),
    "goes_away": (frozenset(), (30, 90)),
    "is_back": (frozenset(), (900, 1800)),
}
_WAIT = re.compile(r"(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that somebody does. ``by`` is ``customer`` or an agent; ``after`` is None where the usual wait is meant."""

    by: str
    verb: str
    value: Any = None
    after: timedelta | None = None
    only: str | None = None
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def usual_wait_s(self) -> tuple[int, int]:
        """The usual wait before it, from and to."""
        return (CUSTOMER_VERBS if self.by == "customer" else AGENT_VERBS)[self.verb][1]


@dataclass(frozen=True, kw_only=True)
class Contact:
    """A touchpoint outside the kit, as the shop's own systems would send it; ``when`` counts from the script's start."""

    when: timedelta
    kind: str
    stage: str
    channel: str
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Start:
    """When a script starts: on a weekday of the first or the second week at a time of day in UTC, or so long before the end."""

    week: int = 0
    day: str = ""
    at: timedelta = timedelta()
    before_end: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Script:
    """One made-up customer."""

    name: str
    who: str
    start: Start
    steps: tuple[Step, ...] = ()
    contacts: tuple[Contact, ...] = ()
    page: str | None = None
    locale: str = "en"


def read_scripts(folder: Path = FOLDER, journeys: Path = JOURNEYS) -> list[Script]:
    """All customers, by file and place in it. Raises `ScriptInvalid`."""
    known = {name: [_contact(row, f"{journeys.name}: {name}") for row in rows] for name, rows in _load(journeys).items()}
    found = [script for path in sorted(folder.glob("*.yml")) for script in _of_file(path, known)]
    if twice := {script.name for script in found if [other.name for other in found].count(script.name) > 1}:
        raise ScriptInvalid(f"two customers are called {min(twice)}")
    return found


def _of_file(path: Path, journeys: Mapping[str, list[Contact]]) -> Iterable[Script]:
    for name, raw in _load(path).items():
        yield _script(name, raw, journeys, f"{path.name}: {name}")


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        raise ScriptInvalid(f"{path.name}: {cause}") from cause
    if not isinstance(loaded, dict):
        raise ScriptInvalid(f"{path.name}: wanted names and what they do")
    return loaded


def _script(name: str, raw: Mapping[str, Any], journeys: Mapping[str, list[Contact]], where: str) -> Script:
    if unknown := set(raw) - {"who", "starts", "page", "locale", "journey", "contacts", "steps"}:
        raise ScriptInvalid(f"{where}: {min(unknown)} is not known")
    try:
        outside = [contact for journey in raw.get("journey", ()) for contact in journeys[journey]]
    except KeyError as cause:
        raise ScriptInvalid(f"{where}: there is no journey {cause}") from cause
    return Script(
        name=name,
        who=str(raw.get("who") or _fault(where, "nobody knows who this is")),
        start=_start(str(raw.get("starts", "")), where),
        steps=tuple(_step(row, f"{where}, step {number}") for number, row in enumerate(raw.get("steps", ()), 1)),
        contacts=(*outside, *(_contact(row, where) for row in raw.get("contacts", ()))),
        page=raw.get("page"),
        locale=raw.get("locale", "en"),
    )


def _start(text: str, where: str) -> Start:
    """``week 1 tue 09:14``, or ``25m before the end``."""
    if found := re.fullmatch(r"week ([12]) (\w{3}) (\d\d):(\d\d)", text):
        week, day, hours, minutes = found.groups()
        if day in WEEKDAYS and int(hours) < 24 and int(minutes) < 60:
            return Start(week=int(week), day=day, at=timedelta(hours=int(hours), minutes=int(minutes)))
    if found := re.fullmatch(r"(\S+) before the end", text):
        return Start(before_end=read_wait(found.group(1), where))
    raise ScriptInvalid(f"{where}: {text!r} is no start, such as 'week 1 tue 09:14' or '25m before the end'")


def _step(raw: Mapping[str, Any], where: str) -> Step:
    verbs = [key for key in raw if key in CUSTOMER_VERBS or key.partition(" ")[0] in AGENTS]
    if len(verbs) != 1:
        raise ScriptInvalid(f"{where}: wanted exactly one verb")
    by, verb = verbs[0].split() if " " in verbs[0] else ("customer", verbs[0])
    table = CUSTOMER_VERBS if by == "customer" else AGENT_VERBS
    if verb not in table:
        raise ScriptInvalid(f"{where}: {verb} is nothing that an agent does")
    more = {key: str(value) for key, value in raw.items() if key not in (verbs[0], "after", "only")}
    if unknown := set(more) - table[verb][0]:
        raise ScriptInvalid(f"{where}: {min(unknown)} does not go with {verb}")
    after = read_wait(str(raw["after"]), where) if "after" in raw else None
    return Step(by=by, verb=verb, value=raw[verbs[0]], after=after, only=raw.get("only"), more=more)


def _contact(raw: Mapping[str, Any], where: str) -> Contact:
    try:
        when = read_wait(str(raw["when"]), where)
        return Contact(when=when, kind=raw["kind"], stage=raw["stage"], channel=raw["channel"], actor=raw["actor"], data=raw.get("data", {}))
    except KeyError as cause:
        raise ScriptInvalid(f"{where}: a contact lacks {cause}") from cause


def read_wait(text: str, where: str) -> timedelta:
    """``-3d2h`` or ``90s`` as a length of time."""
    found = _WAIT.match(text)
    if not found or not any(found.groups()[1:]):
        raise ScriptInvalid(f"{where}: {text!r} is no length of time, such as 90s or -3d2h")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found.group(1) else length


def _fault(where: str, what: str) -> str:
    raise ScriptInvalid(f"{where}: {what}")
