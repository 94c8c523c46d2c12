"""``python -m demo play | remove``: fill the database with made-up customers, or take them away again."""

from __future__ import annotations

import argparse
import sys
import time

from demo.errors import DemoError
from demo.scripts import read_scripts
from demo.stage import Played, play, remove
from kit.errors import KitError
from kit.service import stopped_by_signals
from kit.settings import read_settings
from touchpoints.exceptions import StoreError


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 1 for anything the person can put right, told in words; 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    playing = commands.add_parser("play", help="play customers and agents over fourteen days and store what comes of it, marked")
    playing.add_argument("--customers", type=int, help="how many of the customers (default: all)")
    playing.add_argument("--verbose", action="store_true", help="tell what went otherwise than the scripts say")
    commands.add_parser("remove", help="take away all that is marked")
    options = parser.parse_args(arguments)
    try:
        with stopped_by_signals():
            if options.command == "play":
                _play(options)
            else:
                _remove()
        return 0
    except (DemoError, KitError, StoreError) as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nBroken off; nothing was stored.", file=sys.stderr, flush=True)
        return 130


def _play(options: argparse.Namespace) -> None:
    began = time.monotonic()
    played = play(read_settings(), read_scripts(), options.customers, say)
    for line in summary(played):
        say(line)
    if options.verbose:
        for line in played.tally.otherwise:
            say(f"  otherwise: {line}")
    say(f"\nDone in {time.monotonic() - began:.0f} s. `make run` shows it; `make demo-remove` takes it away again.")


def _remove() -> None:
    gone = remove(read_settings())
    if gone is None:
        say("There are no demo data.")
        return
    say("Taken away: " + ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in gone.items() if count))


def summary(played: Played) -> list[str]:
    """What came of a play, and who may look at it from the desk."""
    tally = played.tally
    outcomes = ", ".join(f"{name} {count}" for name, count in tally.outcomes.most_common())
    reasons = ", ".join(f"{name} {count}" for name, count in tally.reasons.most_common())
    return [
        f"  {played.rows['conversations']} conversations with {played.rows['events']} events, {played.rows['touchpoints']} touchpoints",
        f"  The bot's replies: {outcomes}",
        f"  To a person: {reasons}",
        f"  {len(tally.otherwise)} steps went otherwise than written",
        *(f"    {step}" for step in tally.otherwise),
        "\n  Made-up agents (passwords are shown this once):",
        *(f"    {person.name}: {person.email} with the password {person.password}" for person in played.accounts),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
