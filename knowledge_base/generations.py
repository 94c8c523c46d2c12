"""Generations on disk: ``<index>/<generation>/`` with a manifest, and ``<index>/current``, a file that names the live one.

A generation is built in a folder beside, fsynced, renamed, and only then named by atomically replacing ``current``.
Its ``manifest.json`` holds the sha256 of every other file; a generation whose files disagree with it is never served.
Old generations are removed, but never one that a reader may just have learnt the name of: see `prune`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from .exceptions import IndexUnusable

FORMAT = 1
MANIFEST = "manifest.json"

Stamp = tuple[int, int, int]

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


def new_name(now: datetime) -> str:
    """A name for a generation made at ``now`` (UTC), such as ``20261121T190000Z-3f9c2a``."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def current_name(index: Path) -> str:
    """The name of the live generation. Raises `IndexUnusable` when nothing was built or the name cannot be one."""
    try:
        name = (index / "current").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise IndexUnusable(f"{index} has no live generation") from cause
    if not NAME.fullmatch(name):
        raise IndexUnusable(f"{index / 'current'} does not name a generation")
    return name


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a generation. Raises `IndexUnusable` when it is missing, broken or of another format."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise IndexUnusable(f"{folder} has no readable manifest") from cause
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not isinstance(manifest.get("files"), dict):
        raise IndexUnusable(f"{folder} is of another format")
    if manifest.get("manifest_sha256") != _own_checksum(manifest):
        raise IndexUnusable(f"{folder / MANIFEST} was changed after it was written")
    return manifest


def verify(folder: Path, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Compare files with the manifest (all that it lists, or ``names``) and give it back. Raises `IndexUnusable`."""
    manifest = read_manifest(folder)
    for name in manifest["files"] if names is None else names:
        try:
            found = checksum(folder / name)
        except OSError as cause:
            raise IndexUnusable(f"{folder / name} cannot be read") from cause
        if found != manifest["files"].get(name):
            raise IndexUnusable(f"{folder / name} does not have the checksum of its manifest")
    return manifest


def stamp(path: Path) -> Stamp:
    """What a file looks like from outside: inode, size and time; it differs once the file was written to. Raises `IndexUnusable`."""
    try:
        status = path.stat()
    except OSError as cause:
        raise IndexUnusable(f"{path} is not there") from cause
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def finish(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a folder whose other files are complete, and bring all of it to disk."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    manifest = {**manifest, "format": FORMAT, "files": {path.name: checksum(path) for path in files}}
    manifest["manifest_sha256"] = _own_checksum(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    for path in [*files, folder / MANIFEST, folder]:
        _to_disk(path)


def make_live(index: Path, built: Path, name: str) -> Path:
    """Rename ``built`` to the generation ``name`` and let ``current`` name it. Returns its folder."""
    folder = index / name
    built.rename(folder)
    _to_disk(index)
    _start_grace(index)
    temporary = index / f"current.{os.getpid()}"
    temporary.write_text(name + "\n", encoding="ascii")
    _to_disk(temporary)
    temporary.replace(index / "current")
    _to_disk(index)
    return folder


def prune(index: Path, grace_s: float = 60.0) -> None:
    """Remove generations and half-built folders, but the live one and what was touched in the last ``grace_s`` seconds.

    A reader that already opened a file keeps it (the system frees it later); one that only read the name has the grace to open it.
    """
    try:
        live = current_name(index)
    except IndexUnusable:
        live = ""
    for folder in index.iterdir():
        mine = NAME.fullmatch(folder.name) or folder.name.startswith("building-")
        if mine and folder.name != live and folder.is_dir() and time.time() - _touched(folder) > grace_s:
            shutil.rmtree(folder, ignore_errors=True)


def _start_grace(index: Path) -> None:
    """The generation that is live until now counts as touched now, so that `prune` leaves it to those who still read it."""
    with contextlib.suppress(IndexUnusable, OSError):
        os.utime(index / current_name(index))


def checksum(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own_checksum(manifest: dict[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _touched(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
