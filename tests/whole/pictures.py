"""Pictures of every face and state of the running kit: ``python -m tests.whole.pictures FOLDER`` (``make screenshots``)."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from kit.processes import RunningKit, trial_settings
from kit.settings import read_settings
from tests.whole.browsers import DESKTOP, PHONE, chromium
from tests.whole.states import State, every_state

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SCHEMES = ("light", "dark")
SETTLE_MS = 250
"""Longer than any motion on these pages."""


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var:
        settings = trial_settings(Path(var), admin_email="ada@example.org", admin_password="a-password-for-pictures")
        with RunningKit(settings, prepared=read_settings().var) as kit, chromium() as browser:
            kit.wait_ready(120)
            for size in SIZES:
                _walk(browser, kit, folder, size)
    return 0


def _walk(browser: Browser, kit: RunningKit, folder: Path, size: str) -> None:
    looks = {"viewport": SIZES[size], "locale": "en-GB"}
    with browser.new_context(**looks) as customers, browser.new_context(**looks) as staff:
        for state in every_state(customers, staff, kit):
            _keep(state, folder, size)
            print(f"{size}: {state.name}", flush=True)


def _keep(state: State, folder: Path, size: str) -> None:
    state.page.mouse.move(1, 1)  # nothing is to look pointed at
    for scheme in SCHEMES:
        state.page.emulate_media(color_scheme=scheme)
        state.page.wait_for_timeout(SETTLE_MS)
        state.page.screenshot(path=folder / f"{state.name}-{size}-{scheme}.png")


if __name__ == "__main__":
    raise SystemExit(main())
