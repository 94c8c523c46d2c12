"""Generations on disk: ``<index>/<generation>/`` with a manifest, and ``<index>/current``, a file that names the live one.

A generation is built in a folder beside, fsynced, renamed, and only then named by atomically replacing ``current``.
Its ``manifest.json`` holds the sha256 and size of every other file; a generation whose files disagree with it is never served, nor one
with a file too many, or with a pipe, a link or a folder where a file belongs (opening a pipe would wait for ever).
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
import stat
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from .exceptions import IndexUnusable

FORMAT = 1
MANIFEST = "manifest.json"
CURRENT = "current"
# That of 10,000 articles with a problem each has 2 MB.
MAX_MANIFEST = 32 * 1024 * 1024

Stamp = tuple[int, int, int, int]

NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
# A half-built folder carries the number of the process that builds it. The number may since be another's; no build writes for an hour.
ABANDONED_S = 3600.0
LEFTOVER = re.compile(r"(?:building-|current\.)(\d+)(?:-.*)?")


def new_name(now: datetime) -> str:
    """A name for a generation made at ``now`` (UTC), such as ``20261121T190000Z-3f9c2a``."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def current_name(index: Path) -> str:
    """The name of the live generation. Raises `IndexUnusable` when nothing was built or the name cannot be one."""
    name = _read_small(index / CURRENT, 100).removesuffix(b"\n").decode("latin-1")
    if not NAME.fullmatch(name):
        raise IndexUnusable(f"{index / CURRENT} does not name a generation")
    return name


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a generation. Raises `IndexUnusable` when it is missing, broken or of another format."""
    try:
        manifest = json.loads(_read_small(folder / MANIFEST, MAX_MANIFEST).decode("utf-8"))
    except (ValueError, RecursionError) as cause:
        raise IndexUnusable(f"{folder} has no readable manifest") from cause
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or not isinstance(manifest.get("files"), dict):
        raise IndexUnusable(f"{folder} is of another format")
    if manifest.get("manifest_sha256") != _own_checksum(manifest):
        raise IndexUnusable(f"{folder / MANIFEST} was changed after it was written")
    return manifest


def verify(folder: Path, names: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Compare files with the manifest (all there are, or ``names``) and give it back. Raises `IndexUnusable`."""
    manifest = read_manifest(folder)
    if names is None:
        _check_listing(folder, manifest)
    for name in manifest["files"] if names is None else names:
        # Sizes first: hashing what has grown to a terabyte would take an hour.
        size = manifest.get("sizes", {}).get(name)
        if size is not None and size != stamp(folder / name)[1]:
            raise IndexUnusable(f"{folder / name} does not have the size of its manifest")
        try:
            found = checksum(folder / name)
        except OSError as cause:
            raise IndexUnusable(f"{folder / name} cannot be read") from cause
        if found != manifest["files"].get(name):
            raise IndexUnusable(f"{folder / name} does not have the checksum of its manifest")
    return manifest


def stamp(path: Path) -> Stamp:
    """What a file looks like from outside: inode, size and times; it differs once the file was written to.

    The last is the time of its change as the system saw it, which nobody can set. Raises `IndexUnusable`, also for what is no plain file.
    """
    try:
        status = path.lstat()
    except (OSError, ValueError) as cause:
        raise IndexUnusable(f"{path} is not there") from cause
    if not stat.S_ISREG(status.st_mode):
        raise IndexUnusable(f"{path} is not a plain file")
    return (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def finish(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a folder whose other files are complete, and bring all of it to disk."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    sizes = {path.name: path.stat().st_size for path in files}
    manifest = {**manifest, "format": FORMAT, "files": {path.name: checksum(path) for path in files}, "sizes": sizes}
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
    temporary = index / f"{CURRENT}.{os.getpid()}"
    temporary.write_text(name + "\n", encoding="ascii")
    _to_disk(temporary)
    if (index / CURRENT).is_dir() and not (index / CURRENT).is_symlink():
        # A file cannot take the place of a folder.
        shutil.rmtree(index / CURRENT)
    temporary.replace(index / CURRENT)
    _to_disk(index)
    return folder


def forget_live(index: Path) -> None:
    """Let nothing be live, so that the next build takes over nothing from what was."""
    with contextlib.suppress(OSError):
        (index / CURRENT).unlink()


def regain(index: Path) -> None:
    """Give the owner of the index back what its folders need to be read and replaced. What belongs to others stays as it is."""
    with contextlib.suppress(OSError):
        _open_to_owner(index)
        for path in index.iterdir():
            if NAME.fullmatch(path.name):
                _open_to_owner(path)


def prune(index: Path, grace_s: float = 60.0) -> None:
    """Remove generations but the live one and what was touched in the last ``grace_s`` seconds, and what killed builds have left.

    A reader that already opened a file keeps it (the system frees it later); one that only read the name has the grace to open it.
    """
    try:
        live = current_name(index)
    except IndexUnusable:
        live = ""
    for path in index.iterdir():
        left = LEFTOVER.fullmatch(path.name)
        old = NAME.fullmatch(path.name) and path.name != live and time.time() - _touched(path) > grace_s
        abandoned = left and (not is_alive(int(left.group(1))) or time.time() - _touched(path) > ABANDONED_S)
        if old or abandoned:
            _remove(path)


def is_alive(process: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


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


def _open_to_owner(folder: Path) -> None:
    mode = folder.lstat().st_mode
    if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
        folder.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)


def _read_small(path: Path, limit: int) -> bytes:
    """The bytes of a plain file. Raises `IndexUnusable`, also for more than ``limit``."""
    if stamp(path)[1] > limit:
        raise IndexUnusable(f"{path} is larger than {limit} bytes")
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError as cause:
        raise IndexUnusable(f"{path} cannot be read") from cause


def _check_listing(folder: Path, manifest: dict[str, Any]) -> None:
    """The folder holds what the manifest lists and nothing else."""
    try:
        found = set(os.listdir(folder))
    except OSError as cause:
        raise IndexUnusable(f"{folder} cannot be read") from cause
    if odd := found.symmetric_difference({*manifest["files"], MANIFEST}):
        raise IndexUnusable(f"{folder} has a file too many or too few: {sorted(odd)[0]!r}")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


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
