"""The play's clock: the machine's time less an offset, which lies in a file so that the player moves what the web process reads.

It goes on between two moves, it never goes back, and it is never ahead of the machine's time.
"""

from __future__ import annotations

import os
import struct
import time
from datetime import UTC, datetime
from pathlib import Path

_OFFSET = struct.Struct("<d")


class PlayClock:
    """Gives the play's present, aware, in UTC and cut to milliseconds, as `touchpoints.clock.Clock` wants it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def __call__(self) -> datetime:
        now = datetime.fromtimestamp(time.time() - self._offset_s(), UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def begin(self, at: datetime) -> None:
        """Let the play's time begin at a moment in the past."""
        self._write(time.time() - at.timestamp())

    def move_to(self, at: datetime) -> None:
        """Go on to a later moment; to one that is past already, or not there yet, as far as may be."""
        self._write(min(self._offset_s(), time.time() - at.timestamp()))

    def _offset_s(self) -> float:
        stored = os.pread(self._file, _OFFSET.size, 0)
        return float(_OFFSET.unpack(stored)[0]) if stored else 0.0

    def _write(self, offset_s: float) -> None:
        os.pwrite(self._file, _OFFSET.pack(max(0.0, offset_s)), 0)  # eight bytes at once: nobody reads half of it

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)
