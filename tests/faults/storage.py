"""A disk that is full, a database that is read-only, locked or damaged: nothing is acknowledged that is not stored, and everybody is told."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import Violation, violations
from tests.faults.players import Customer
from tests.faults.rows import Row, row
from tests.faults.small_kit import SmallKit, ask, small_kit
from tests.faults.snapshot import Snapshot
from tests.faults.web_forks import Fork

WRITERS = 12
"""Customers who write meanwhile: more than web has threads for writing."""
FLAGGED_WITHIN_S, BACK_WITHIN_S = 10.0, 5.0
STALL_LIMIT_S = 0.1
ASK_EVERY_S = 0.05
DISK_MEGABYTES = 16

Switch = Callable[[], None]


@dataclass(frozen=True)
class Probe:
    """One question to web: when it was asked, what, the status, how long it took, and whether the database was called ready."""

    at: float
    path: str
    status: int | None
    took_s: float
    database_ready: bool | None = None


@dataclass
class Trial:
    """Customers who write and probes that ask, while something is wrong with the storage."""

    kit: SmallKit
    customers: list[Customer]
    probes: list[Probe] = field(default_factory=list)
    sends: list[tuple[float, float, int | None]] = field(default_factory=list)
    """Of each send: when it began, how long it took, and the status."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Trial:
        jobs = [lambda customer=customer: self._write(customer) for customer in self.customers]
        jobs += [lambda path=path, every_s=every_s: self._probe(path, every_s) for path, every_s in PROBES]
        self._threads = [threading.Thread(target=job, daemon=True) for job in jobs]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _write(self, customer: Customer) -> None:
        """One message after the other, each again under its id until it is acknowledged."""
        number, end_at = 0, None
        while not self._stop.is_set():
            number += 1
            status = None
            while status not in (200, 202) and (end_at is None or time.monotonic() < end_at):
                began = time.monotonic()
                status, _ = customer.says_once(f"{customer.name} {number}", f"n{number}")
                self.sends.append((began, time.monotonic() - began, status))
                if end_at is None and self._stop.is_set():
                    end_at = time.monotonic() + 20
                time.sleep(0.2)

    def _probe(self, path: str, every_s: float) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            status, content = ask(self.kit.ports[0], path, 15)
            ready = None
            if path == "/readyz" and status in (200, 503):
                ready = bool(json.loads(content)["parts"].get("database", {}).get("ready"))
            self.probes.append(Probe(began, path, status, time.monotonic() - began, ready))
            self._stop.wait(every_s)


PROBES = (("/readyz", 0.2), ("/api/openapi.json", ASK_EVERY_S), ("/help", 0.5), ("/help/router-red-light", 0.7), ("/healthz", 0.5))


@dataclass(frozen=True)
class Course:
    """What a trial came to, in seconds since the fault began or ended."""

    flagged_s: float
    slowest_answer_s: float
    acknowledged_during: int
    refused_during: int
    back_s: float
    ready_s: float
    stall_s: float
    pages_kept: float
    alive_during: float
    found: list[Violation]


def course(trial: Trial, began: float, ended: float, found: list[Violation]) -> Course:
    """Read off the samples what happened between the two moments and after."""
    during = [send for send in trial.sends if began <= send[0] < ended]
    back = [at + took for at, took, status in trial.sends if at + took >= ended and status in (200, 202)]
    unready = [probe.at + probe.took_s for probe in trial.probes if probe.database_ready is False and probe.at >= began]
    ready = [probe.at + probe.took_s for probe in trial.probes if probe.database_ready and probe.status == 200 and probe.at >= ended]
    pages = [probe.status == 200 for probe in trial.probes if probe.path.startswith("/help") and began <= probe.at < ended]
    alive = [probe.status == 200 for probe in trial.probes if probe.path == "/healthz" and began <= probe.at < ended]
    stalls = sorted(probe.took_s for probe in trial.probes if probe.path == "/api/openapi.json" and began <= probe.at < ended)
    return Course(
        flagged_s=min(unready, default=float("inf")) - began,
        slowest_answer_s=max((took for _, took, _ in during), default=0.0),
        acknowledged_during=sum(status in (200, 202) for _, _, status in during),
        refused_during=sum(status not in (200, 202) for _, _, status in during),
        back_s=min(back, default=float("inf")) - ended,
        ready_s=min(ready, default=float("inf")) - ended,
        stall_s=stalls[int(0.95 * (len(stalls) - 1))] if stalls else 0.0,
        pages_kept=sum(pages) / len(pages) if pages else 1.0,
        alive_during=sum(alive) / len(alive) if alive else 1.0,
        found=found,
    )


def _play(kit: SmallKit, begin: Switch, end: Switch, lasts_s: float) -> Course:
    """A trial on a running web: some seconds of peace, the fault, and time to come back."""
    customers = [kit.customer(f"c{number}") for number in range(WRITERS)]
    with Trial(kit, customers) as trial:
        time.sleep(1.5)
        began = time.monotonic()
        begin()
        time.sleep(lasts_s)
        end()
        ended = time.monotonic()
        time.sleep(BACK_WITHIN_S + 2)
    snapshot = kit.settled()
    return course(trial, began, ended, violations(kit.record, snapshot, replies_a_turn=1))


def _rows(name: str, seen: Course, over: str, *, pages: bool = True) -> list[Row]:
    told = seen.flagged_s <= FLAGGED_WITHIN_S and seen.slowest_answer_s <= FLAGGED_WITHIN_S
    back = max(seen.back_s, seen.ready_s)
    rows = [
        row(f"{name}: false acknowledgements, other invariants broken", "0", str(len(seen.found)), over, met=not seen.found),
        row(
            f"{name}: flagged on readyz and to the customer",
            "≤ 10 s",
            f"{seen.flagged_s:.1f} s; each send answered within {seen.slowest_answer_s:.1f} s, {seen.refused_during} refused",
            over,
            met=told and seen.refused_during > 0,
        ),
        row(f"{name}: sends and readyz are back", "≤ 5 s", f"{seen.back_s:.1f} s and {seen.ready_s:.1f} s", over, met=back <= BACK_WITHIN_S),
    ]
    if pages:
        whole = seen.pages_kept == 1.0
        rows.append(row(f"{name}: help centre goes on", "100 %", f"{seen.pages_kept:.0%}", over, met=whole))
    return rows


# Full


@contextmanager
def small_disk() -> Iterator[tuple[Path, bool]]:
    """A folder on a small disk of its own, and whether it is one: without the right to mount it is a folder like any other."""
    folder = Path(tempfile.mkdtemp(prefix="touchdesk-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)], capture_output=True).returncode == 0
    try:
        yield folder, mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def full_disk(lasts_s: float, *, own_disk: bool = True) -> list[Row]:
    """A disk that fills up while customers write; without the right to mount, a limit on the size of web's files."""
    with small_disk() as (folder, mounted), small_kit(folder / "var") as kit:
        web = kit.web()
        ballast = folder / "ballast"
        if mounted and own_disk:
            seen = _play(kit, lambda: _fill(ballast), ballast.unlink, lasts_s)
            over = f"a disk of {DISK_MEGABYTES} MB, full for {lasts_s:g} s, {WRITERS} customers"
        else:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            seen = _play(
                kit,
                lambda: _limit(web, (1, resource.RLIM_INFINITY)),
                lambda: _limit(web, unlimited),
                lasts_s,
            )
            over = f"no room in any file for {lasts_s:g} s (by a limit on file sizes), {WRITERS} customers"
        web.stop()
    return _rows("disk full", seen, over)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"\0")


def _limit(web: Fork, limits: tuple[int, int]) -> None:
    resource.prlimit(web.pid, resource.RLIMIT_FSIZE, limits)


# Locked


def locked(folder: Path, short_s: float, long_s: float) -> list[Row]:
    """Another program holds the write lock: for a short time nobody notices, for a long one everybody is told."""
    with small_kit(folder) as kit:
        web = kit.web()
        short = _play(kit, *_lock(kit.database), short_s)
        long = _play(kit, *_lock(kit.database), long_s)
        web.stop()
    over = f"locked for {short_s:g} s, {WRITERS} customers"
    refused = f"{short.refused_during} refused, {len(short.found)} broken"
    return [
        row(f"database locked for {short_s:g} s: sends wait", "0 refused", refused, over, met=not short.refused_during and not short.found),
        *_rows(f"database locked for {long_s:g} s", long, f"{WRITERS} customers"),
        row(
            "database locked: others are answered, 95th percentile",
            "≤ 0.1 s",
            f"{max(short.stall_s, long.stall_s):.3f} s",
            f"asked every {ASK_EVERY_S * 1000:.0f} ms",
            met=max(short.stall_s, long.stall_s) <= STALL_LIMIT_S,
        ),
    ]


def _lock(database: Path) -> tuple[Switch, Switch]:
    held: list[sqlite3.Connection] = []

    def begin() -> None:
        held.append(sqlite3.connect(database, timeout=10, isolation_level=None, check_same_thread=False))
        held[0].execute("BEGIN EXCLUSIVE")

    def end() -> None:
        held[0].execute("ROLLBACK")
        held[0].close()

    return begin, end


# Read-only


def read_only(lasts_s: float) -> list[Row]:
    """The right to write is lost, and web is started anew under it, as after a restart of the machine; then the right is given back."""
    folder = Path(tempfile.mkdtemp(prefix="touchdesk-read-only-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        kit = stack.enter_context(small_kit(folder / "var"))
        web = [kit.web(obedient=True)]

        def begin() -> None:
            web[0].kill()
            _permit(kit.settings.var, writing=False)
            web[0] = kit.web(obedient=True)

        seen = _play(kit, begin, lambda: _permit(kit.settings.var, writing=True), lasts_s)
        web[0].stop()
    return _rows("database read-only", seen, f"for {lasts_s:g} s, {WRITERS} customers", pages=False)


def _permit(var: Path, *, writing: bool) -> None:
    for path in var.glob("touchdesk.sqlite*"):
        path.chmod(0o644 if writing else 0o444)
    var.chmod(0o755 if writing else 0o555)


# Damaged


def damaged(folder: Path, times: int, *, seed: int = 1, say: Callable[[str], None] = print) -> list[Row]:
    """A page of a copy of the database is overwritten, or its end cut off: web says so at its start, or all is as it was."""
    chance, refused, intact, wrong, named, slowest = random.Random(seed), 0, 0, 0, 0, 0.0
    with small_kit(folder) as kit:
        _fill_with_talk(kit)
        with closing(sqlite3.connect(kit.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        whole = kit.database.read_bytes()
        rows = kit.snapshot()
        for _ in range(times):
            for name in ("-wal", "-shm"):
                kit.database.with_name(kit.database.name + name).unlink(missing_ok=True)
            kit.database.write_bytes(_hurt(whole, chance))
            web, began = kit.web(wait=False), time.monotonic()
            status, message = _verdict(kit, web)
            slowest = max(slowest, time.monotonic() - began)
            web.stop()
            if status == 503 and "damaged" in message:
                refused += 1
                named += "make restore" in message
            elif _is_as_it_was(kit, rows):
                intact += 1
            else:
                wrong += 1
                say(f"  damaged copy served: {status}, {message!r}")
    over = f"{times} damaged copies: pages overwritten, zeroed, swapped; ends cut off"
    found = f"{refused} refused at the start, {intact} intact, {wrong} served"
    return [
        row("database damaged: detected at the start, or intact", f"{times}", found, over, met=wrong == 0 and refused > 0),
        row("database damaged: readyz names the way back", f"{refused}", f"{named}, within {slowest:.1f} s", over, met=named == refused),
    ]


def _is_as_it_was(kit: SmallKit, rows: Snapshot) -> bool:
    try:
        snapshot = kit.snapshot()
    except sqlite3.DatabaseError:
        return False
    return snapshot.events == rows.events and snapshot.integrity == "ok"


def _fill_with_talk(kit: SmallKit) -> None:
    web = kit.web()
    for number in range(6):
        customer = kit.customer(f"c{number}")
        for _ in range(10):
            customer.says(f"{customer.name} " + "talk " * 100)
    kit.settled()
    web.stop()


def _hurt(whole: bytes, chance: random.Random) -> bytes:
    page = 4096
    pages, hurt = len(whole) // page, bytearray(whole)
    at = chance.randrange(pages) * page
    how = chance.choice(("noise", "zeros", "swap", "cut"))
    if how == "noise":
        hurt[at : at + page] = chance.randbytes(page)
    elif how == "zeros":
        hurt[at : at + page] = bytes(page)
    elif how == "swap":
        other = chance.randrange(pages) * page
        hurt[at : at + page], hurt[other : other + page] = whole[other : other + page], whole[at : at + page]
    else:
        del hurt[chance.randrange(1, len(whole)) :]
    return bytes(hurt)


def _verdict(kit: SmallKit, web: Fork) -> tuple[int | None, str]:
    """What readyz says of the database as soon as it says something."""
    end_at = time.monotonic() + 15
    while time.monotonic() < end_at:
        status, content = ask(kit.ports[0], "/readyz")
        if status is not None:
            part = json.loads(content)["parts"]["database"]
            if part["ready"] or part["message"] != "not asked yet":
                return status, part["message"]
        if web.wait(0) is not None:
            return None, "web has ended"
        time.sleep(0.05)
    return None, "web did not answer"


def storage(folder: Path, *, short: bool = False) -> list[Row]:
    """All of it."""
    if short:
        return [*full_disk(6), *locked(folder / "locked", 2, 9), *read_only(5), *damaged(folder / "damaged", 5)]
    limited = full_disk(20, own_disk=False)
    return [*full_disk(20), *limited, *locked(folder / "locked", 3, 30), *read_only(20), *damaged(folder / "damaged", 150)]
