"""The commands behind the Makefile: ``python -m kit run | test | bench | faults | screenshots | demo | demo-remove | train | setup | clean``, and
``python -m kit backup FILE``, ``python -m kit restore FILE [--force]``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from kit.backup import back_up, restore
from kit.errors import KitError
from kit.preparation import clean, forget, prepare
from kit.processes import RunningKit, lock_folder
from kit.programs import EVERYWHERE, WEB_PYTHON, inherited, web_half
from kit.service import serve, stopped_by_signals
from kit.settings import PREFIX, ROOT, Settings, read_settings, with_secrets
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


def faults(settings: Settings) -> int:
    """Set up, then kill, cut, fill and lock what there is, in a var folder of the tests' own, and write down what was found."""
    with stopped_by_signals():
        mine = replace(Settings(), var=ROOT / "tests" / "var")
        require(CHROMIUM, say)
        prepare(with_secrets(mine), say, for_tests=True)
        environment = {**inherited(), **EVERYWHERE, PREFIX + "VAR": str(mine.var)}
        return subprocess.run([str(WEB_PYTHON), "-m", "tests.faults"], cwd=ROOT, env=environment).returncode


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


def save(settings: Settings, file: Path) -> int:
    """Write all that cannot be made again (database, secrets, what editors keep in the var folder) into one new file; the kit may be running."""
    manifest = back_up(settings, file.absolute())
    say(f"{file}: {len(manifest.files)} files, {file.stat().st_size / 1e6:.1f} MB, all that was acknowledged before {manifest.made_at}.")
    say("It holds the secrets and what customers wrote: keep it where only you can read it. Your articles and brand.yml are not in it.")
    return 0


def put_back(settings: Settings, file: Path, force: bool) -> int:
    """Put a backup into the var folder; the kit must not run. A folder that is not empty is refused without --force."""
    with lock_folder(settings.var):
        manifest, aside = restore(settings, file, force=force)
    say(f"{settings.var} is as it was on {manifest.made_at}: {len(manifest.files)} files, checked.")
    if aside is not None:
        say(f"What was there before lies in {aside}.")
    say("`make run` sets up the rest and starts.")
    return 0


COMMANDS: dict[str, Callable[[Settings], int]] = {
    "run": run,
    "test": test,
    "bench": bench,
    "faults": faults,
    "screenshots": screenshots,
    "demo": demo,
    "demo-remove": demo_remove,
    "train": train,
    "setup": setup,
    "clean": tidy,
}

# Those that are told a file.
FILE_COMMANDS = ("backup", "restore")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kit", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__)
    commands.add_parser("backup", help=save.__doc__).add_argument("file", type=Path)
    back = commands.add_parser("restore", help=put_back.__doc__)
    back.add_argument("file", type=Path)
    back.add_argument("--force", action="store_true", help="put aside what is in the var folder")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Exit code of a command: 1 for anything the person can put right, told in words; 130 when interrupted."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings()
        if options.command == "backup":
            return save(settings, options.file)
        if options.command == "restore":
            return put_back(settings, options.file, options.force)
        return COMMANDS[options.command](settings)
    except KitError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
