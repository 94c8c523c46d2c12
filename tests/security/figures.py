"""The figures of security, counted in full or in short: each function gives rows for the table of `make faults`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.kit_stand_in import neighbours
from tests.faults.rows import Row, row
from tests.security.fuzz.described_calls import Conformance, called
from tests.security.fuzz.raw_requests import barrage, web
from tests.security.matrix import asked, timing, unlisted
from tests.security.routes import ROLES, ROUTES, TARGETS
from tests.security.scripts.play import FULL, Played, Scale, counting_chromium, play
from tests.security.scripts.sinks import SINKS
from tests.security.scripts.stage import AS_SHIPPED, NEITHER, POLICY_ALONE, SANITISER_ALONE
from tests.security.world import World, world

MEBIBYTE = 1024 * 1024
MOST_APART = 0.2
"""How far the time of a no for another's may lie from that for nothing, as a share."""
TIMED = [(method, rule) for method, rule in ROUTES if rule.startswith("/api/conversations/") or "<slug>" in rule]


@contextmanager
def _asked_world(folder: Path) -> Iterator[World]:
    with neighbours() as around, world(folder, around) as made:
        yield made


def crossing(folder: Path, rounds: int = 300) -> list[Row]:
    """The matrix, and the time of a no."""
    with _asked_world(folder) as here:
        missing, matrix = unlisted(here.served.app), asked(here.people)
        apart = {f"{method} {rule}": timing(here.people, method, rule, "another customer", rounds) for method, rule in TIMED}
    leaks = [*missing, *(matrix.faults or [])]
    for leak in leaks:
        print(leak)
    slowest = max(apart, key=lambda name: apart[name])
    routes = sum(len(each) for each in ROUTES.values())
    told = f"{matrix.cells} cells: {len(ROUTES)} routes in {routes} forms × {len(ROLES)} roles × {len(TARGETS)} targets"
    found = f"{apart[slowest]:.0%} at most, at {slowest}"
    counted = f"{len(apart)} routes, {rounds} calls each by turns"
    return [
        row("No crossing: leaks, and routes that the matrix does not know", "0", str(len(leaks)), told, met=not leaks),
        row("Another's and absent differ in time", f"≤ {MOST_APART:.0%}", found, counted, met=apart[slowest] <= MOST_APART),
    ]


def scripts(folder: Path, scale: Scale = FULL) -> list[Row]:
    """The payloads, with one defence at a time, with both, and with none to see that they are counted."""
    with neighbours() as around, counting_chromium() as browser:

        def run(name: str, **how: object) -> Played:
            return play(browser, folder / name, around, **how)

        clean = run("sanitised", dress=SANITISER_ALONE, scale=scale)
        policy = run("policy", dress=POLICY_ALONE, scale=scale)
        shipped = run("shipped", dress=AS_SHIPPED, scale=Scale(40, 20))
        neither = run("neither", dress=NEITHER, scale=Scale(6, 10))
    reports = sum(shipped.blocked[directive] for directive in ("script-src-elem", "script-src-attr", "require-trusted-types-for", "script-src"))
    reached = sum(1 for sink in SINKS if neither.ran[sink])
    return [
        _row_of("No script runs, by sanitising alone", clean, ""),
        _row_of("No script runs, by the content security policy alone", policy, f", {sum(policy.blocked.values())} things kept from it"),
        row("Scripts that the policy had to stop, with both defences", "0", str(reports), _over(shipped), met=reports == 0),
        row("Places where payloads run with neither, so that the count can fail", "≥ 18", str(reached), _over(neither), met=reached >= 18),
    ]


def _row_of(figure: str, played: Played, more: str) -> Row:
    return row(figure, "0", str(sum(played.ran.values())), _over(played) + more, met=not played.ran)


def _over(played: Played) -> str:
    return f"{played.payloads} payloads, {len(SINKS)} places, {played.pages} pages with {played.elements} elements in Chromium"


def fuzz(folder: Path, requests: int = 100_000, examples: int = 60) -> list[Row]:
    """Calls made from the description, and mutated bytes."""
    with _asked_world(folder / "described") as here:
        found = _described(here, examples)
    with web(_made(folder / "raw")) as running:
        hit = barrage(running, requests)
    for fault in [*(f"{name}: {fault}" for name, fault in found.faults.items()), *hit.faults]:
        print(fault)
    harm = len(hit.faults) + hit.traces_in_log + (not hit.alive)
    statuses = ", ".join(f"{status} × {count}" for status, count in hit.statuses.most_common(6))
    counted = f"{hit.sent} mutated requests over raw sockets ({statuses})"
    grown = f"{hit.grown_bytes / MEBIBYTE:.1f} MiB"
    return [
        row(
            "Answers of the API that are not as described, and 5xx",
            "0",
            str(len(found.faults)),
            f"{found.calls} calls, {found.operations} operations, all checks",
            met=not found.faults,
        ),
        row("Mutated requests: 5xx, tracebacks in answers or log, deaths", "0", str(harm), counted, met=harm == 0),
        row("Mutated requests: growth of memory", "≤ 64 MiB", grown, counted, met=hit.grown_bytes <= 64 * MEBIBYTE),
    ]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _described(here: World, examples: int) -> Conformance:
    with ready(here):
        return called(here.people, examples)


@contextmanager
def ready(here: World) -> Iterator[None]:
    """While the block runs, somebody asks whether all parts are ready, as in the running kit, and search answers."""
    services, around = here.served.services, here.around
    around.search_is_away, stop = False, threading.Event()
    asking = threading.Thread(target=services.readiness.keep_asking, args=(stop,), daemon=True)
    asking.start()
    try:
        while not all(part.ready for part in services.readiness.parts().values()):
            stop.wait(0.05)
        yield
    finally:
        stop.set()
        asking.join()
        around.search_is_away = True
