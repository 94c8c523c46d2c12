"""``python -m tests.security [--short] [--only PART ...]``: crossing, scripts, fuzz. Prints a table; ends with 1 if a figure is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.rows import Row, as_markdown
from tests.security.figures import crossing, fuzz, scripts
from tests.security.scripts.play import SHORT

Counts = Callable[[Path], list[Row]]
FULL_COUNTS: dict[str, Counts] = {"crossing": crossing, "scripts": scripts, "fuzz": fuzz}
SHORT_COUNTS: dict[str, Counts] = {
    "crossing": partial(crossing, rounds=30),
    "scripts": partial(scripts, scale=SHORT),
    "fuzz": partial(fuzz, requests=2000, examples=3),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small counts")
    parser.add_argument("--only", nargs="+", choices=list(FULL_COUNTS), metavar="PART", help=", ".join(FULL_COUNTS))
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name, count in (SHORT_COUNTS if arguments.short else FULL_COUNTS).items():
        if arguments.only is None or name in arguments.only:
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="touchdesk-security-") as folder:
                rows += count(Path(folder))
            print(f"== {name}: {time.monotonic() - began:.0f} s", flush=True)
    print("\n".join(as_markdown(rows)))
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
