"""``python -m benchmarks`` measures and writes ``benchmarks/results.md``.

``DATA`` names the folder of the public data sets.
"""

from __future__ import annotations

import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.processes import idle_memory
from benchmarks.search_quality import quality_section
from benchmarks.search_speed import speed_section
from benchmarks.turns import TOGETHER, TURNS, Compared, compare, rasa_with_idle_action, record_card
from kit.preparation import prepare
from kit.processes import RunningKit, trial_settings
from kit.settings import ROOT, with_secrets

RESULTS = Path(__file__).parent / "results.md"
SETTLE_S = 15


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "var"
        set_up = prepare(with_secrets(trial_settings(prepared)), print)
        sections = [_heading(), _told(_set_up_table(set_up)), _processes_section(prepared)]
        sections += [speed_section(prepared), quality_section(os.environ.get("DATA"), prepared / "embedding")]
    RESULTS.write_text("\n".join(sections), encoding="utf-8")
    print(f"\nWritten to {RESULTS.relative_to(ROOT)}")
    return 0


def _heading() -> str:
    return f"# Results\n\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}.\n"


def _set_up_table(took_s: dict[str, float]) -> str:
    lines = [
        "## Set-up",
        "",
        "What a new var folder takes, with both virtual environments there; steps that can run side by side do.",
        "",
        "| step | time |",
        "|---|---|",
    ]
    return "\n".join([*lines, *(f"| {name} | {seconds:.1f} s |" for name, seconds in took_s.items())]) + "\n"


def _processes_section(prepared: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with RunningKit(trial_settings(Path(folder) / "kit"), prepared=prepared) as kit:
            kit.wait_ready(120)
            start_s = time.monotonic() - began
            time.sleep(SETTLE_S)  # what a start needs is given back by then: no event tells that memory is idle
            memory = idle_memory(kit)
            card = Path(folder) / "card.json"
            record_card(kit, card)
            with rasa_with_idle_action(Path(folder) / "idle", prepared, card) as idle:
                compared = [compare(kit, idle, together) for together in (1, TOGETHER)]
    return _told(_turn_table(compared)) + "\n" + _told(_memory_table(memory, start_s))


def _told(text: str) -> str:
    print(text, flush=True)
    return text


def _turn_table(compared: list[Compared]) -> str:
    lines = [
        "## A turn",
        "",
        f"From the POST of a message to its answer's event on the stream, {TURNS} turns, beside the same Rasa turn with an action that does",
        "nothing, called without web; both taken in turns in one run.",
        "",
        "| customers at once | kit, median | kit, 95th percentile | Rasa alone, median | Rasa alone, 95th percentile | ratio of medians |",
        "|---|---|---|---|---|---|",
    ]
    for one in compared:
        figures = (one.kit.median_ms, one.kit.p95_ms, one.rasa.median_ms, one.rasa.p95_ms)
        lines.append(f"| {one.together} | " + " | ".join(f"{figure:.1f} ms" for figure in figures) + f" | {one.ratio:.2f} |")
    return "\n".join(lines) + "\n"


def _memory_table(memory: dict[str, tuple[float, float]], start_s: float) -> str:
    lines = [
        "## Processes",
        "",
        f"Ready {start_s:.1f} s after the start (all set up). Memory when idle:",
        "",
        "| process | resident | proportional |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {resident:.0f} MiB | {proportional:.0f} MiB |" for name, (resident, proportional) in memory.items()]
    totals = [sum(column) for column in zip(*memory.values(), strict=True)]
    lines.append(f"| **all** | **{totals[0]:.0f} MiB** | **{totals[1]:.0f} MiB** |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
