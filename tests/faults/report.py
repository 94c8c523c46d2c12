"""What a run has found, kept part by part, and the document made of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.plan import Part
from tests.faults.rows import Row, as_markdown

HEAD = """# Reliability

Written by `make faults`. What is promised in [architecture.md](architecture.md#promises), counted by programs that can fail:
`tests/faults/test_checker.py` plants a fault for every invariant and sees that it is reported.

## How it is measured

`tests/faults` plays customers, agents and watchers against web, or against the whole kit, on loopback. Each call goes into a **record**
with its outcome: *ok* was acknowledged, *failed* was refused, *unknown* had no answer and so perhaps an effect. A call without an answer is
made again under the same `client_id`, as the widget does. Each event that comes over a stream goes into the record too. An injector does
the harm: `SIGKILL` at a named point (`kit/failpoints.py`; nothing in the kit can set one), streams cut at random bytes, `SIGSTOP`,
neighbours that answer junk, a full disk, a lock, a clock that is set. Then a **checker**, which uses nothing of the kit's own code,
compares record, streams and database file:

- **I1** what was acknowledged is stored once, under the number and with the words that were acknowledged;
- **I2** a conversation's numbers have no gap and no repeat, and each sender's own order holds;
- **I3** whoever watches gets each event once and in order, and ends with the same list as the database;
- **I4** each message of a customer has one outcome, and words where the outcome has words, once;
- **I5** nobody sees an event of another conversation;
- **I6** a conversation has one owner at a time, each change is one event and one touchpoint, and the bot is silent under a person;
- **I7** what went away comes back by itself.

"""


@dataclass(frozen=True)
class Kept:
    """The rows of one part, and when and of which commit they were found."""

    rows: list[Row]
    took_s: float
    commit: str
    date: str


def keep(results: Path, name: str, rows: Sequence[Row], took_s: float, commit: str) -> None:
    """Keep what a part has found."""
    results.mkdir(parents=True, exist_ok=True)
    found = {"rows": [asdict(row) for row in rows], "took_s": took_s, "commit": commit, "date": datetime.now(UTC).date().isoformat()}
    (results / f"{name}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


def kept(results: Path, name: str) -> Kept | None:
    """What a part has found earlier, or None."""
    try:
        found = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Kept([Row(**row) for row in found["rows"]], found["took_s"], found["commit"], found["date"])


def as_document(results: Path, parts: Sequence[Part], commit: str, machine: str) -> str:
    """The whole of docs/reliability.md; ``machine`` says what it was counted on."""
    lines = [HEAD + "## What was found\n"]
    counted, open_parts = list[Row](), list[str]()
    for part in parts:
        found = kept(results, part.name)
        if found is None:
            open_parts.append(part.about)
            continue
        counted += found.rows
        lines += [f"### {part.about[0].upper()}{part.about[1:]}\n", *as_markdown(found.rows), ""]
        lines.append(f"`make faults` part `{part.name}`, {found.date}, commit {found.commit}, {_told(found.took_s)}.\n")
    missed = sum(not row.is_met for row in counted)
    verdict = f"Missed are {missed} of {len(counted)} figures; they are marked." if missed else f"All {len(counted)} figures counted are met."
    still = f" Not counted yet: {'; '.join(open_parts)}." if open_parts else ""
    today = datetime.now(UTC).date().isoformat()
    lines.insert(1, f"{verdict}{still} Last written on {today} at commit {commit}, on a machine with {machine}.\n")
    return "\n".join(lines)


def _told(took_s: float) -> str:
    return f"{took_s:.0f} s" if took_s < 100 else f"{took_s / 60:.0f} min"
