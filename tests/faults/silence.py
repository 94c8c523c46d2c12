"""Rasa and search that hang, drip, answer junk, nothing or 50 MB: each message has an answer, a person or a plain sentence in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.checker import counted, violations
from tests.faults.players import Customer, together
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, ask, small_kit
from tests.faults.stand_ins import MODES

ENDS_WITHIN_S = 10.0
BACK_WITHIN_S = 5.0
MORE_MEMORY_MB = 32
TOGETHER = 6
"""Customers who ask at once: more than the failures that open the circuit to Rasa."""
BAD_TOGETHER = ("hang", "drip", "50 MB", "hang up", "200 junk", "500")
SHORT = (("hang", "drip"), ("200 []", "well"), ("50 MB", "50 MB"))
"""Ways of Rasa and search for the short form."""


@dataclass(frozen=True)
class Asked:
    """How Rasa and search behaved, how long each message took to its end, and what the end was (None: silence)."""

    ways: tuple[str, str]
    took_s: tuple[float, ...]
    ends: tuple[str | None, ...]
    back_s: float
    pages: bool


def every_pair() -> list[tuple[str, str]]:
    """Each bad way of Rasa with a search that is there, and both bad together."""
    bad = [mode for mode in MODES if mode != "well"]
    return [(mode, "well") for mode in bad] + [("well", mode) for mode in ("hang", "500")] + [(mode, mode) for mode in BAD_TOGETHER]


def answer_badly(folder: Path, pairs: Sequence[tuple[str, str]] | None = None, *, say: Callable[[str], None] = print) -> list[Row]:
    """All ways after one another, on one web."""
    with small_kit(folder) as kit:
        web = kit.web()
        customers = [kit.customer(f"c{number}") for number in range(TOGETHER)]
        together([lambda customer=customer: customer.hears(customer.says(), 10) for customer in customers])
        before, most = memory_mb(web.pid), 0.0
        asked = []
        for rasa, search in pairs or every_pair():
            asked.append(_ask(kit, customers, rasa, search))
            most = max(most, memory_mb(web.pid) - before)
        found = violations(kit.record, kit.settled())
        web.stop()
    for violation in found[:10]:
        say(f"  {violation}")
    for one in asked:
        say(f"  Rasa {one.ways[0]}, search {one.ways[1]}: {max(one.took_s):.1f} s, {sorted(set(map(str, one.ends)))}, back after {one.back_s:.1f} s")
    return _rows(asked, counted(found), most)


def _rows(asked: list[Asked], broken: dict[str, int], memory: float) -> list[Row]:
    took = [took_s for one in asked for took_s in one.took_s]
    silent = sum(end is None for one in asked for end in one.ends)
    back, pages = max(one.back_s for one in asked), sum(one.pages for one in asked)
    over = f"{len(took)} messages under {len(asked)} ways of Rasa and search to misbehave"
    others = sum(broken.values())
    return [
        row("bad neighbours: messages that ended in silence", "0", str(silent), over, met=not silent),
        row("bad neighbours: slowest end of a message", "≤ 10 s", f"{max(took):.1f} s", over, met=max(took) <= ENDS_WITHIN_S),
        row("bad neighbours: normal again", "≤ 5 s", f"{back:.1f} s", over, met=back <= BACK_WITHIN_S),
        row("bad neighbours: help centre and healthz stay", f"{len(asked)}", f"{pages}", over, met=pages == len(asked)),
        row("bad neighbours: memory of web", "≤ +32 MiB", f"{memory:+.0f} MiB", over, met=memory <= MORE_MEMORY_MB),
        row("bad neighbours: invariants broken", "0", str(others), over, met=not others),
    ]


def _ask(kit: SmallKit, customers: list[Customer], rasa: str, search: str) -> Asked:
    kit.neighbours.rasa, kit.neighbours.search = rasa, search
    answers = together([lambda customer=customer: _one(customer) for customer in customers])
    pages = [ask(kit.ports[0], path)[0] for path in ("/help", "/help/router-red-light", "/help?q=router", "/healthz")]
    kit.neighbours.rasa = kit.neighbours.search = "well"
    back_s = _back_after_s(customers[0])
    return Asked((rasa, search), tuple(took for took, _ in answers), tuple(end for _, end in answers), back_s, pages == [200] * len(pages))


def _one(customer: Customer) -> tuple[float, str | None]:
    began = time.monotonic()
    heard = customer.hears(customer.says(), 20)
    end = None if heard is None else str(heard.get("outcome") or heard.get("owner") or "")
    return time.monotonic() - began, end if heard is None or heard.get("text") or heard.get("owner") else None


def _back_after_s(customer: Customer) -> float:
    """How long until Rasa's own words come again."""
    began = time.monotonic()
    while time.monotonic() - began < 20:
        seq = customer.says()
        heard = customer.hears(seq, 12)
        if heard is not None and str(heard.get("text", "")).startswith("Reply to "):
            return time.monotonic() - began
    return float("inf")


def memory_mb(pid: int) -> float:
    """Resident memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no memory of {pid}")
