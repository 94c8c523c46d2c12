"""What a run of the faults consists of: each part with its full counts and with the small ones of ``make test``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults import clocks, cuts, kills, kit_kills, owners, parts, repeats, silence, storage
from tests.faults.rows import Row

Counts = Callable[[Path], list[Row]]


@dataclass(frozen=True)
class Part:
    """A part of the table. Both functions are given an empty folder; ``short`` is None where ``make test`` counts the same elsewhere."""

    name: str
    about: str
    full: Counts
    short: Counts | None


def _owners(rounds: int, gone_s: float) -> Counts:
    return lambda folder: [*owners.accept_at_once(folder / "accept", rounds), *owners.agent_gone(folder / "gone", gone_s)]


def _parts(states: Sequence[tuple[str, tuple[str, ...]]], sample: int | None) -> Counts:
    return lambda folder: parts.parts_away(folder, states, sample)


def _bad_parts(folder: Path) -> list[Row]:
    return [*parts.answers_badly(folder / "badly"), *parts.without_model(folder / "without-model")]


def _index(folder: Path) -> list[Row]:
    from tests.faults.index.__main__ import index_rows

    return index_rows()


def _draining(folder: Path) -> list[Row]:
    from tests.widget.draining import figures

    return figures(20)


def _limits(folder: Path) -> list[Row]:
    from tests.widget.flood import rows

    return list(rows())


def _security(name: str) -> Counts:
    """A part of the figures of security, whose tools are only imported when they are wanted."""

    def count(folder: Path) -> list[Row]:
        from tests.security.__main__ import FULL_COUNTS

        return FULL_COUNTS[name](folder)

    return count


PARTS: tuple[Part, ...] = (
    Part(
        "kills",
        "web killed at named points",
        lambda folder: kills.kill_at_points(folder, 62, lanes=2),
        lambda folder: kills.kill_at_points(folder, 2),
    ),
    Part(
        "kit-kills",
        "each process of the whole kit killed",
        lambda folder: kit_kills.kill_each(folder, 50),
        lambda folder: kit_kills.kill_each(folder, 1),
    ),
    Part("repeats", "messages sent again", lambda folder: repeats.send_again(folder, 100_000), lambda folder: repeats.send_again(folder, 1_000)),
    Part("cuts", "streams cut", lambda folder: cuts.cut_streams(folder, 10_000), lambda folder: cuts.cut_streams(folder, 200)),
    Part("silence", "stand-ins that answer badly", silence.answer_badly, lambda folder: silence.answer_badly(folder, silence.SHORT)),
    Part("parts", "parts of the whole kit away", _parts(parts.STATES, None), _parts(parts.SHORT_STATES, 24)),
    Part("bad-parts", "parts of the whole kit answer badly", _bad_parts, lambda folder: parts.without_model(folder)),
    Part("owners", "who holds a conversation", _owners(1_000, 45), _owners(30, 3)),
    Part("storage", "disk and database", storage.storage, lambda folder: storage.storage(folder, short=True)),
    Part("index", "an index that is harmed", _index, None),
    Part("draining", "web asked to stop under live chats", _draining, None),
    Part("limits", "those who ask too much, too slowly or too long", _limits, None),
    Part("crossing", "every route, seven kinds of people, own, other's and absent", _security("crossing"), None),
    Part("scripts", "payloads in every place, read in a real browser", _security("scripts"), None),
    Part("fuzz", "calls that nobody would make", _security("fuzz"), None),
    Part("clocks", "the machine's clock set", clocks.set_clock, lambda folder: clocks.set_clock(folder, steps_s=clocks.STEPS_S[:2])),
)
"""In the order of a run."""
