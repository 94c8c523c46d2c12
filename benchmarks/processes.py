"""What the processes cost: memory when idle, and the time from the start to readiness."""

from __future__ import annotations

import re
from pathlib import Path

from kit.processes import RunningKit

MIB = 1024


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident and proportional set size of a process, in MiB; the latter counts shared pages once over all that share them."""
    rolled = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    sizes = {name: int(size) for name, size in re.findall(r"^(Rss|Pss):\s+(\d+) kB", rolled, re.MULTILINE)}
    return sizes["Rss"] / MIB, sizes["Pss"] / MIB


def idle_memory(kit: RunningKit) -> dict[str, tuple[float, float]]:
    """Memory of every process of a running kit, supervisord included."""
    names = ["supervisord", *(program.name for program in kit.programs)]
    return {name: memory_mib(pid) for name in names if (pid := kit.pid(name))}
