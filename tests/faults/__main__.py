"""``python -m tests.faults [--short] [--only PART ...]``: the figures of reliability, each with what was found and over how many it was counted.

A part that is done leaves its rows in ``faults/`` of the var folder, so that a run that was cut short goes on where it was; ``--again`` forgets them.
What the full counts have found so far is written into docs/reliability.md. Ends with 1 if a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kit.settings import ROOT, read_settings
from tests.faults.plan import PARTS, Counts, Part
from tests.faults.report import as_document, keep, kept
from tests.faults.rows import Row, as_markdown

DOCUMENT = "docs/reliability.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small counts, as in make test")
    parser.add_argument("--again", action="store_true", help="forget what an earlier run has found")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], metavar="PART", help=", ".join(part.name for part in PARTS))
    arguments = parser.parse_args()
    results = read_settings().var / "faults" / ("short" if arguments.short else "full")
    if arguments.again:
        shutil.rmtree(results, ignore_errors=True)
    commit, rows = _commit(), list[Row]()
    for part in PARTS:
        count = part.short if arguments.short else part.full
        if count is not None and (arguments.only is None or part.name in arguments.only):
            rows += _run(part, count, results, commit, anew=arguments.only is not None)
    print("\n".join(as_markdown(rows)))
    if not arguments.short:
        (ROOT / DOCUMENT).write_text(as_document(results, PARTS, commit, _machine()), encoding="utf-8")
    return 0 if all(row.is_met for row in rows) else 1


def _run(part: Part, count: Counts, results: Path, commit: str, *, anew: bool) -> list[Row]:
    earlier = None if anew else kept(results, part.name)
    if earlier is not None:
        print(f"== {part.name}: found by an earlier run", flush=True)
        return earlier.rows
    print(f"== {part.name}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="touchdesk-faults-") as folder:
        rows = count(Path(folder))
    keep(results, part.name, rows, time.monotonic() - began, commit)
    print("\n".join(f"   {row.figure}: {row.found} (wanted {row.wanted}; {row.counted})" for row in rows), flush=True)
    return rows


def _commit() -> str:
    """The commit that is checked out, with a + if something is changed in it; the document itself is, since its parts are counted one by one."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", f":!{DOCUMENT}")
    return (commit or "no repository") + ("+" if changed else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30).stdout.strip()


def _machine() -> str:
    """What it was counted on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores and {memory:.0f} GiB of memory, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
