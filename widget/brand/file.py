"""The brand's file and the logo beside it, read anew when one of them has changed."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from .model import Brand, BrandProblem, Logo, ReadBrand
from .reading import read_brand

MOST_LOGO_BYTES = 262_144
LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}
_PNG = b"\x89PNG\r\n\x1a\n"

Stamp = tuple[int, int, int] | None

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A brand with its logo. ``version`` is another one whenever anything in it differs."""

    brand: Brand
    logo: Logo | None
    problems: tuple[BrandProblem, ...]
    version: str


class BrandFile:
    """Follows the file at ``path``; each change of it is live with the next request, its problems are logged once. Calls may come from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamps: tuple[Stamp, Stamp] | None = None
        self._loaded = Loaded(Brand(), None, (), "")

    def load(self) -> Loaded:
        """The brand as the file has it now; what is missing or wrong is left at its default."""
        with self._lock:
            if self._stamps != (_stamp(self.path), _stamp(_logo_path(self.path, self._loaded.brand))):
                self._read_anew()
            return self._loaded

    def _read_anew(self) -> None:
        # Each file is stamped before it is read: what changes in between is seen the next time.
        own = _stamp(self.path)
        read = _read(self.path)
        self._stamps = (own, _stamp(_logo_path(self.path, read.brand)))
        self._loaded = with_logo(self.path, read)
        for problem in self._loaded.problems:
            log.warning("%s", problem)


def with_logo(path: Path, read: ReadBrand) -> Loaded:
    """The brand read from ``path`` with the logo that it names."""
    logo, problem = _logo(path, read)
    problems = (*read.problems, *([problem] if problem else []))
    content = repr(replace(read.brand, hours=None)).encode() + (logo.content if logo else b"")
    return Loaded(read.brand, logo, problems, hashlib.sha256(content).hexdigest()[:12])


def _logo_path(path: Path, brand: Brand) -> Path | None:
    return path.parent / brand.logo if brand.logo else None


def _read(path: Path) -> ReadBrand:
    try:
        return read_brand(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as cause:
        reason = f"not UTF-8 (byte {cause.start}); nothing of it is used"
    except OSError as cause:
        reason = f"cannot be read: {cause.strerror}"
    return ReadBrand(problems=(BrandProblem(str(path), 0, "", reason),))


def _logo(path: Path, read: ReadBrand) -> tuple[Logo | None, BrandProblem | None]:
    """The logo, or what is wrong with it; neither when none is named."""
    name = read.brand.logo
    if not name:
        return None, None

    def wrong(reason: str) -> tuple[None, BrandProblem]:
        return None, BrandProblem(str(path), read.logo_line, "logo", f"{name}: {reason}")

    folder, file = Path(os.path.realpath(path.parent)), Path(os.path.realpath(path.parent / name))
    if not file.is_relative_to(folder):
        return wrong(f"must lie in {folder} or below")
    if file.suffix.lower() not in LOGO_TYPES:
        return wrong("wanted a .svg or a .png")
    try:
        with open(file, "rb") as content:
            data = content.read(MOST_LOGO_BYTES + 1)
    except OSError as cause:
        return wrong(f"cannot be read: {cause.strerror}")
    if len(data) > MOST_LOGO_BYTES:
        return wrong(f"larger than {MOST_LOGO_BYTES // 1024} KiB")
    if not (data.startswith(_PNG) if file.suffix.lower() == ".png" else b"<svg" in data[:4096]):
        return wrong("is not what its ending says")
    return Logo(data, LOGO_TYPES[file.suffix.lower()]), None


def _stamp(path: Path | None) -> Stamp:
    try:
        status = path.stat() if path else None
    except (OSError, ValueError):
        return None
    return (status.st_size, status.st_mtime_ns, status.st_ino) if status else None
