"""``python -m tests.faults.index [--short] [--only PART]``: damage, kills, service, articles. Prints a table; ends with 1 if a figure is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tests.faults.rows import Row, as_markdown, row

from .damage import damages
from .killed import kill_builds
from .service import harm_service, running_service, spoil_articles
from .trial import WITHIN_S, summary, temporary_world, try_all


def damage_rows(count: int) -> list[Row]:
    """The damaged index folders, in process."""
    with temporary_world() as world:
        verdicts = try_all(world, damages(count))
    found = summary(verdicts)
    for verdict in verdicts:
        if verdict.faults:
            print(verdict, file=sys.stderr)
    told = f"{found['noticed']:.0f} noticed and rebuilt by itself, {found['shown']:.0f} ever shown, slowest rebuild {found['slowest_s']:.1f} s"
    told += f" ({found['most_work_s']:.1f} s of processor time at most)"
    met = found["well"] == len(verdicts) and found["slowest_s"] <= WITHIN_S
    kinds = len({verdict.damage.kind for verdict in verdicts})
    return [row("Damage to an index folder", f"all noticed, none shown, rebuilt ≤ {WITHIN_S:.0f} s", told, f"{count} of {kinds} kinds", met=met)]


def kill_rows(count: int) -> list[Row]:
    """The builds killed half way."""
    with temporary_world() as world:
        kills = kill_builds(world, count)
    for kill in kills:
        if kill.fault:
            print(f"killed at {kill.point}: {kill.fault}", file=sys.stderr)
    well = sum(not kill.fault for kill in kills)
    died = sum(kill.died for kill in kills)
    told = f"old index served, next build succeeded, nothing left over: {well}"
    return [row("Builds killed half way", f"{count} of {count}", told, f"{count} SIGKILLs, {died} before the end", met=well == count)]


def service_rows(count: int) -> list[Row]:
    """The real service with the real model and the shop's articles."""
    with running_service() as service:
        outcomes = harm_service(service, count)
        took_s, more, problems = spoil_articles(service)
    for outcome in outcomes:
        for fault in outcome.faults:
            print(f"{outcome.name}: {fault}", file=sys.stderr)
    answers = sum(outcome.right for outcome in outcomes)
    refused = sum(outcome.refused for outcome in outcomes)
    wrong = sum("wrong answer" in fault for outcome in outcomes for fault in outcome.faults)
    slowest_s = max(outcome.rebuilt_s for outcome in outcomes)
    told = f"{answers} answers right, {refused} refused, {wrong} wrong; slowest new index after {slowest_s:.1f} s"
    met = not any(outcome.faults for outcome in outcomes) and slowest_s <= WITHIN_S
    spoiled = f"{more} new article live after {took_s:.1f} s, {problems} problems reported"
    return [
        row("Damage under the running service", f"no wrong answer, rebuilt ≤ {WITHIN_S:.0f} s", told, f"{count} damages", met=met),
        row("50 broken files beside the articles", "all others live ≤ 2 s", spoiled, "one round", met=took_s <= 2 and more == 1 and problems >= 50),
    ]


PARTS: dict[str, tuple[Callable[[int], list[Row]], int, int]] = {
    "damage": (damage_rows, 500, 60),
    "kills": (kill_rows, 100, 12),
    "service": (service_rows, 30, 4),
}


def index_rows(parts: Sequence[str] = tuple(PARTS), *, short: bool = False) -> list[Row]:
    """The rows of these parts, in full or with the small counts of the short form."""
    return [one for name in parts for one in PARTS[name][0](PARTS[name][2 if short else 1])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the table, and give back 0 if every figure is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.index", description="An index that cannot be broken: what was counted.")
    parser.add_argument("--short", action="store_true", help="small counts")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be given again")
    options = parser.parse_args(arguments)
    rows = index_rows(options.only or tuple(PARTS), short=options.short)
    print("\n".join(as_markdown(rows)))
    return 0 if all(one.is_met for one in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
