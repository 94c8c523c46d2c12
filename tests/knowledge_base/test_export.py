"""What an export leaves on the disk; what it makes is in `test_real_model` and `test_quantising`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from knowledge_base.export import remove_leftovers


def test_what_a_killed_export_left_is_taken_away(tmp_path: Path) -> None:
    """Of processes that are gone; one still at work keeps its folder, and so does all that is no leftover."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stays = ["embedding", f"embedding.building-{os.getpid()}", "embedding.building-x", f"other.building-{ended.pid}"]
    goes = [f"embedding.building-{ended.pid}", f"embedding.old-{ended.pid}"]
    for name in (*stays, *goes):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sentence.onnx").write_bytes(b"x")
    remove_leftovers(tmp_path / "embedding")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stays)
