"""What each kind of touchpoint means, read from ``catalogue.yml``, and the coarser ways to see the seven stages.

The list of kinds is closed: the file must describe exactly `touchpoints.model.KINDS`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from touchpoints.exceptions import TouchpointsError
from touchpoints.model import ACTORS, CHANNELS, KINDS, STAGES

CATALOGUE = Path(__file__).with_name("catalogue.yml")
OWNERS = ("content", "delivery", "marketing", "product", "sales", "support")
"""Who in the business answers for a kind; a company of any size has somebody who does each of these jobs."""
UNITS = ("percent", "seconds", "minutes", "days")

_LISTS = {"stages": STAGES, "channels": CHANNELS, "actors": ACTORS}
_FIELDS = ("definition", "importance", "example", "expectation", *_LISTS, "owner", "target")
_BOUNDS = ("at_least", "at_most")

# Stages in five, as most journey maps draw them: what follows a purchase and comes before recommending is retention.
_FIVE = {"onboarding": "retention", "service": "retention"}
_WHEN = {"awareness": "before", "consideration": "before", "purchase": "during"}


class CatalogueError(TouchpointsError):
    """The catalogue cannot be used; ``where`` names the kind and field (or the line), ``what`` says what is wrong."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}", where=where, what=what)
        self.where = where
        self.what = what


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure to hold: ``measure`` stays ``bound`` (``at_least`` or ``at_most``) ``value`` of ``unit``, percent from 0 to 100."""

    measure: str
    bound: str
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of touchpoint. ``stages``, ``channels`` and ``actors`` are those with which it may happen."""

    name: str
    definition: str
    importance: str
    example: str
    expectation: str
    stages: tuple[str, ...]
    channels: tuple[str, ...]
    actors: tuple[str, ...]
    owner: str
    target: Target


@dataclass(frozen=True)
class Catalogue:
    """All kinds by name, in the order of `KINDS`."""

    kinds: Mapping[str, Kind]

    def kind(self, name: str) -> Kind:
        """Look one kind up. Raises `CatalogueError` for a name that is not in the list."""
        try:
            return self.kinds[name]
        except KeyError:
            raise CatalogueError(name, "not a kind of touchpoint") from None


def five_stages(stage: str) -> str:
    """Name the stage of the five (awareness, consideration, purchase, retention, advocacy) that one of the seven belongs to.

    Raises `ValueError` for a stage that is none of the seven, as `when` does.
    """
    return _FIVE.get(_known_stage(stage), stage)


def when(stage: str) -> str:
    """Say whether one of the seven stages is ``before``, ``during`` or ``after`` the purchase."""
    return _WHEN.get(_known_stage(stage), "after")


def _known_stage(stage: str) -> str:
    if stage not in STAGES:
        raise ValueError(f"{stage!r} is not a stage")
    return stage


def read_catalogue(path: Path = CATALOGUE) -> Catalogue:
    """Read and check the catalogue. Raises `CatalogueError` at the first fault: a file that is partly right is not used."""
    entries = _mapping(_load(path), path.name)
    _only(entries, KINDS, path.name)
    return Catalogue(MappingProxyType({name: _kind(name, entries[name]) for name in KINDS}))


def _load(path: Path) -> Any:
    try:
        # _UniqueKeyLoader is a SafeLoader: it builds plain data only
        return yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)  # noqa: S506
    except OSError as cause:
        raise CatalogueError(path.name, f"cannot be read ({cause.strerror})") from cause
    except UnicodeDecodeError as cause:
        raise CatalogueError(path.name, f"not UTF-8 at byte {cause.start}") from cause
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        where = f"{path.name} line {mark.line + 1}" if mark else path.name
        raise CatalogueError(where, getattr(cause, "problem", None) or "not YAML") from cause
    except ValueError as cause:  # what only looks like a number or a date, such as 2026-13-01
        raise CatalogueError(path.name, str(cause)) from cause


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that is there twice; YAML's own loader silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _kind(name: str, raw: Any) -> Kind:
    entry = _mapping(raw, name)
    _only(entry, _FIELDS, name)

    def text(field: str) -> str:
        return _text(entry[field], f"{name}.{field}")

    def choices(field: str) -> tuple[str, ...]:
        return _choices(entry[field], _LISTS[field], f"{name}.{field}")

    return Kind(
        name=name,
        definition=text("definition"),
        importance=text("importance"),
        example=text("example"),
        expectation=text("expectation"),
        stages=choices("stages"),
        channels=choices("channels"),
        actors=choices("actors"),
        owner=_choice(entry["owner"], OWNERS, f"{name}.owner"),
        target=_target(entry["target"], f"{name}.target"),
    )


def _target(raw: Any, where: str) -> Target:
    entry = _mapping(raw, where)
    bounds = [bound for bound in _BOUNDS if bound in entry]
    if len(bounds) != 1:
        raise CatalogueError(where, "wanted exactly one of at_least and at_most")
    _only(entry, ("measure", bounds[0], "unit"), where)
    unit = _choice(entry["unit"], UNITS, f"{where}.unit")
    value = _amount(entry[bounds[0]], unit, f"{where}.{bounds[0]}")
    return Target(measure=_text(entry["measure"], f"{where}.measure"), bound=bounds[0], value=value, unit=unit)


def _amount(raw: Any, unit: str, where: str) -> float:
    # YAML reads yes and no as booleans, which Python counts as 1 and 0
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw) or raw < 0:
        raise CatalogueError(where, f"{raw!r} is not a number from 0 up")
    if unit == "percent" and raw > 100:
        raise CatalogueError(where, f"{raw!r} is more than 100 percent")
    return float(raw)


def _mapping(raw: Any, where: str) -> dict[Any, Any]:
    if not isinstance(raw, dict):
        raise CatalogueError(where, "wanted names and values")
    return raw


def _only(entry: dict[Any, Any], wanted: Iterable[str], where: str) -> None:
    names = tuple(wanted)
    for name in names:
        if name not in entry:
            raise CatalogueError(where, f"{name!r} is missing")
    for name in entry:
        if name not in names:
            raise CatalogueError(where, f"{name!r} is not known")


def _text(raw: Any, where: str) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise CatalogueError(where, "wanted a text")
    return raw.strip()


def _choices(raw: Any, known: tuple[str, ...], where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw:
        raise CatalogueError(where, "wanted a list with at least one name")
    names = tuple(_choice(name, known, where) for name in raw)
    if len(set(names)) < len(names):
        raise CatalogueError(where, "a name is there twice")
    return names


def _choice(raw: Any, known: tuple[str, ...], where: str) -> str:
    if not isinstance(raw, str) or raw not in known:
        raise CatalogueError(where, f"{raw!r} is none of {', '.join(known)}")
    return raw
