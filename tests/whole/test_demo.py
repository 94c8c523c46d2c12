"""A short demo, played for real on top of a database in use: what it leaves behind, and that it can be taken away."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kit.processes import RunningKit, trial_settings
from kit.programs import WEB_PYTHON
from kit.settings import ROOT, Settings, as_environment, read_settings
from tests.whole.invariants import rows, violations
from tests.whole.people import Customer

pytestmark = pytest.mark.timeout(300)

CUSTOMERS = 6


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A kit that has been in use: one real customer has written, and it is stopped."""
    settings = trial_settings(tmp_path_factory.mktemp("var"), admin_email="ada@example.org", admin_password="a-password-for-tests")
    with RunningKit(settings, prepared=read_settings().var, only=("search", "web")) as kit:
        while not all(kit.listening().values()):
            time.sleep(0.1)
        Customer(kit.url).asks("my router has a red light")
    return replace(settings, admin_email="", admin_password="")


def demo(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as `make` runs it once everything is set up."""
    environment = {**os.environ, **as_environment(settings)}
    command = [str(WEB_PYTHON), "-m", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


def dump(database: Path) -> dict[str, list[dict[str, object]]]:
    """Every row but the counters, which never go back."""
    tables = [row["name"] for row in rows(database, "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'counters'")]
    return {table: sorted(rows(database, f"SELECT * FROM {table}"), key=repr) for table in tables}


def check_times(made: list[dict[str, Any]], began: datetime) -> None:
    """In the order of recording, over days, none of it ahead of its recording or of now."""
    assert all(row["at"] <= row["recorded_at"] <= str(datetime.now(UTC)) for row in made)
    recorded = [datetime.fromisoformat(row["recorded_at"]).replace(tzinfo=UTC) for row in made]
    assert recorded == sorted(recorded)
    assert recorded[0] > began - timedelta(days=15)
    assert recorded[-1] - recorded[0] > timedelta(days=5)


def test_a_demo_is_played_marked_and_taken_away(settings: Settings) -> None:
    """No promise is broken by it, all of it lies in the last fourteen days, and after its removal every other row is as it was."""
    database = settings.var / "touchdesk.sqlite"
    before = dump(database)
    began = datetime.now(UTC)
    played = demo(settings, "play", "--customers", str(CUSTOMERS))
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Ada (demo)" in played.stdout
    assert violations(database) == []
    assert not (settings.var / "demo").exists()

    made = rows(database, "SELECT * FROM touchpoints WHERE demo ORDER BY seq")
    check_times(made, began)
    assert len(made) > CUSTOMERS * 4
    assert all(json.loads(row["data"])["demo"] is True for row in made)
    assert {row["name"] for row in rows(database, "SELECT name FROM staff WHERE demo")} == {"Ada (demo)", "Ben (demo)"}
    owners = rows(database, "SELECT owner FROM conversations c JOIN visitors v ON v.id = c.visitor_id WHERE v.demo")
    assert len(owners) >= CUSTOMERS - 2

    again = demo(settings, "play")
    assert again.returncode == 1
    assert "demo data already" in again.stderr

    numbers = {row["seq"] for row in made}
    assert demo(settings, "remove").returncode == 0
    assert dump(database) == before
    assert violations(database, removed=numbers) == []
    assert "no demo data" in demo(settings, "remove").stdout


def test_a_running_kit_is_told_of(settings: Settings) -> None:
    """One sentence, and nothing is touched."""
    kit = RunningKit(settings)
    kit.lock()
    try:
        for command in ("play", "remove"):
            refused = demo(settings, command)
            assert refused.returncode == 1
            assert "already runs from" in refused.stderr
            assert "Traceback" not in refused.stderr
    finally:
        kit.stop()
