"""`make run`: set up, start everything, say where it is, keep it running until told to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from kit.errors import ProcessFailed
from kit.leftovers import MARK
from kit.ports import refuse_taken, wanted_addresses
from kit.preparation import prepare
from kit.processes import RunningKit, initialise_desk
from kit.supervision import log_file

Say = Callable[[str], None]

READY_WITHIN_S = 90.0


def serve(kit: RunningKit, say: Say, make_ready: Callable[[RunningKit, Say], None] | None = None) -> None:
    """Everything from an empty checkout to a running kit; returns when a signal has stopped it. Raises `KitError`.

    ``make_ready`` sets up what the programs need; by default all of it.
    """
    began = time.monotonic()
    with stopped_by_signals():
        try:
            clear_the_way(kit, say)
            (make_ready or set_up)(kit, say)
            kit.start()
            say("  Starting " + ", ".join(program.name for program in kit.programs) + " ...")
            say_readiness(kit, say, began)
            say_addresses(kit, say)
            watch(kit, say)
        except KeyboardInterrupt:
            say("\nStopping ...")
        finally:
            with signals_ignored():
                kit.stop()
    say("Stopped.")


def clear_the_way(kit: RunningKit, say: Say) -> None:
    """What would keep the kit from starting is ended, or refused, before anything is installed."""
    kit.lock()
    found = kit.end_leftovers()
    if found:
        say(
            "  Ended what an earlier run had left: "
            + ", ".join(f"{process.environment.get(MARK, 'a program')} (pid {process.pid})" for process in found)
        )
    refuse_taken(wanted_addresses(kit.settings))


def set_up(kit: RunningKit, say: Say) -> None:
    """Environments, model, index, training, database, first staff account."""
    prepare(kit.settings, say)
    kit.account = initialise_desk(kit.settings)
    say_account(kit, say)  # now, too: it is made once, and whatever follows may fail


def say_readiness(kit: RunningKit, say: Say, began: float) -> None:
    """Wait for every part and tell which is there; if one is late say where its log is, and go on."""
    end_at = time.monotonic() + READY_WITHIN_S
    seen: set[str] = set()
    state = kit.readiness()
    while not state.ready and time.monotonic() < end_at:
        for name in [name for name, up in kit.listening().items() if up and name not in seen]:
            seen.add(name)
            say(f"  {name} is up ({time.monotonic() - began:.0f} s)")
        if not kit.supervisor_is_alive():
            raise ProcessFailed(f"supervisord has ended; its log is {log_file(kit.var, 'supervisord')}")
        time.sleep(0.2)
        state = kit.readiness()
    if state.ready:
        say(f"Ready after {time.monotonic() - began:.0f} s.")
    for name, why in state.waiting_for.items():
        program = name if name in {program.name for program in kit.programs} else "web"
        say(f"Not ready yet: {name} ({why}). Its log: {log_file(kit.var, program)}")
    for note in state.notes:
        say(f"Please look at {note}")


def say_addresses(kit: RunningKit, say: Say) -> None:
    say(f"\n  Shop page    {kit.url}/shop\n  Help centre  {kit.url}/help\n  Desk         {kit.url}/desk")
    if kit.account:
        say_account(kit, say)
    say("\nCtrl-C stops everything.")


def say_account(kit: RunningKit, say: Say) -> None:
    if kit.account:
        say(f"  First staff account: {kit.account['email']} with the password {kit.account['password']} (shown at this start only)")


def watch(kit: RunningKit, say: Say) -> None:
    """Stay until a signal comes. supervisord keeps the programs running; this keeps supervisord running."""
    wait_s = 1.0
    while True:
        time.sleep(0.5)
        if not kit.supervisor_is_alive():
            say(f"supervisord has ended; starting everything again in {wait_s:.0f} s. Its log: {log_file(kit.var, 'supervisord')}")
            kit.end_leftovers()
            time.sleep(wait_s)
            wait_s = min(2 * wait_s, 60.0)
            kit.start()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within, Ctrl-C, SIGTERM and a closed terminal all raise `KeyboardInterrupt`, once; a kit started with nohup outlives its terminal.

    After the first signal the others are ignored until the process ends, so an impatient second Ctrl-C does not cut the stopping short.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items() if not interrupted else ():
            signal.signal(number, handler)


@contextmanager
def signals_ignored() -> Iterator[None]:
    """Within, a Ctrl-C does not cut the stopping short after an error either; it is bounded in time anyway."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
