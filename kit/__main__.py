"""The commands behind the Makefile: ``python -m kit run | test | bench | screenshots | demo | demo-remove | train | setup | clean``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

from kit.errors import KitError
from kit.preparation import clean, forget, prepare
from kit.processes import RunningKit
from kit.programs import WEB_PYTHON, inherited, web_half
from kit.service import serve, stopped_by_signals
from kit.settings import ROOT, Settings, read_settings, with_secrets
from kit.testing import run_checks
from kit.tools import CHROMIUM, require


def say(text: str) -> None:
    print(text, flush=True)


def run(settings: Settings) -> int:
    """Set up and serve until Ctrl-C."""
    say("Touchdesk: setting up what is missing, then starting.")
    serve(RunningKit(settings), say)
    return 0


def test(settings: Settings) -> int:
    """Set up and run all tests, in a var folder of their own."""
    with stopped_by_signals():
        return run_checks(replace(Settings(), var=ROOT / "tests" / "var"), say)


def bench(settings: Settings) -> int:
    """Set up and measure."""
    with stopped_by_signals():
        prepare(with_secrets(settings), say)
        command = [str(WEB_PYTHON), "-m", "benchmarks"]
        return subprocess.run(command, cwd=ROOT, env={**inherited(), **web_half(settings)}).returncode


def screenshots(settings: Settings) -> int:
    """Set up and take a picture of every state of every page, into docs/pictures."""
    with stopped_by_signals():
        require(CHROMIUM, say)
        prepare(with_secrets(settings), say)
        command = [str(WEB_PYTHON), "-m", "tests.whole.pictures", "docs/pictures"]
        return subprocess.run(command, cwd=ROOT, env={**inherited(), **web_half(settings)}).returncode


def demo(settings: Settings) -> NoReturn:
    """Set up, and fill the database with made-up customers and agents of the last fourteen days."""
    with stopped_by_signals():
        kit = RunningKit(settings)
        kit.lock()  # a kit that runs is told of before anything is set up
        try:
            prepare(with_secrets(settings), say)
        finally:
            kit.stop()
    _become_demo(settings, "play")


def demo_remove(settings: Settings) -> NoReturn:
    """Take what `demo` made away again; all else stays."""
    if not WEB_PYTHON.exists():  # after `clean` the database is still there
        with stopped_by_signals():
            prepare(with_secrets(settings), say)
    _become_demo(settings, "remove")


def _become_demo(settings: Settings, command: str) -> NoReturn:
    """Replace this process, so that a signal reaches the one that has a kit to stop."""
    environment = {**inherited(), **web_half(settings)}
    os.chdir(ROOT)
    os.execve(WEB_PYTHON, [str(WEB_PYTHON), "-m", "demo", command], environment)  # noqa: S606 - no shell is wanted


def train(settings: Settings) -> int:
    """Train the dialogue model, even if nothing has changed."""
    with stopped_by_signals():
        forget(settings, ["train"])
        prepare(with_secrets(settings), say)
    return 0


def setup(settings: Settings) -> int:
    """Set up only."""
    with stopped_by_signals():
        prepare(with_secrets(settings), say)
    return 0


def tidy(settings: Settings) -> int:
    """Take away what the set-up made; database, secrets and logs stay."""
    kit = RunningKit(settings)
    kit.lock()
    try:
        for path in clean(settings):
            say(f"  {path} is gone")
    finally:
        kit.stop()
    say(f"What cannot be made again (database, secrets, logs) is still in {settings.var}.")
    return 0


COMMANDS: dict[str, Callable[[Settings], int]] = {
    "run": run,
    "test": test,
    "bench": bench,
    "screenshots": screenshots,
    "demo": demo,
    "demo-remove": demo_remove,
    "train": train,
    "setup": setup,
    "clean": tidy,
}


def main(arguments: list[str] | None = None) -> int:
    """Exit code of a command: 1 for anything the person can put right, told in words; 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m kit", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help="; ".join(f"{name}: {function.__doc__}" for name, function in COMMANDS.items()))
    command = parser.parse_args(arguments).command
    try:
        return COMMANDS[command](read_settings())
    except KitError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
