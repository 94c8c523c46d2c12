"""One file with all of the var folder that cannot be made again, taken while the kit works; and that file put back.

A backup is a ``tar.gz``: ``manifest.json``, then the files it names, each with its size and SHA-256. SQLite databases are copied through
SQLite's own online backup, in one step, so the copy is one moment: everything that was acknowledged before the backup began. What
`make setup` makes (environments, embedding, index, dialogue model), logs and what belongs to running processes are left out. The articles
and brand.yml are the owner's own files, outside the var folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from kit.errors import BackupRefused
from kit.settings import ROOT, Settings

FORMAT = 1
MANIFEST = "manifest.json"
MADE_AGAIN = frozenset({"embedding", "index", "rasa", "stamps", "log", "run", "supervisord.conf"})
SIDE_FILES = ("-wal", "-shm", "-journal")
SQLITE = b"SQLite format 3\0"
DATABASE = "touchdesk.sqlite"
MIGRATIONS = ROOT / "desk" / "migrations" / "versions"
BUSY_S = 30.0


@dataclass(frozen=True)
class Kept:
    """A file in a backup; ``path`` is below the var folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself. ``schema`` is the database's migration, None where there is no database."""

    made_at: str
    schema: str | None
    files: tuple[Kept, ...]


def back_up(settings: Settings, target: Path) -> Manifest:
    """Write a backup; the kit may be running. Raises `BackupRefused`, and leaves nothing half written."""
    if settings.database_url:
        told = "TOUCHDESK_DATABASE_URL names a database outside the var folder: save it with its own tool, such as pg_dump"
        raise BackupRefused(f"{told}, and {settings.var / 'secrets.json'} with it.")
    if target.exists():
        raise BackupRefused(f"{target} is there already; choose another name.")
    made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with _disk_troubles_told(target), tempfile.TemporaryDirectory(prefix=".backup-", dir=_folder_of(target)) as name:
        copy = Path(name)
        for path in _worth_keeping(settings.var):
            _copy(path, copy / path.relative_to(settings.var))
        kept = tuple(_kept(path, copy) for path in sorted(copy.rglob("*")) if path.is_file())
        if not kept:
            raise BackupRefused(f"There is nothing to save in {settings.var}.")
        manifest = Manifest(made_at, _schema(copy / DATABASE), kept)
        whole = copy / "whole"
        _pack(whole, copy, manifest)
        os.replace(whole, target)
    return manifest


def restore(settings: Settings, source: Path, *, force: bool = False) -> tuple[Manifest, Path | None]:
    """Put a backup into the var folder, whose kit must not run; gives back what came and where the files lie that it took the place of.

    Everything is unpacked and checked before anything is touched. Raises `BackupRefused`.
    """
    var = settings.var
    there = [path for path in _all_of(var) if path.name not in MADE_AGAIN] if var.exists() else []
    if there and not force:
        names = ", ".join(sorted(path.name for path in there)[:5])
        told = "Name another folder in TOUCHDESK_VAR, or say --force: what is there is then put aside, not lost."
        raise BackupRefused(f"{var} is not empty ({names}). {told}")
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _disk_troubles_told(var), tempfile.TemporaryDirectory(prefix=".restore-", dir=var) as name:
        unpacked = Path(name)
        manifest = _unpack(source, unpacked)
        _check(manifest, unpacked)
        aside = _put_aside(var, there)
        for kept in manifest.files:
            place = var / kept.path
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.replace(unpacked / kept.path, place)
    return manifest, aside


def _all_of(var: Path) -> Iterator[Path]:
    """What lies in the folder, without what an interrupted backup or restore left."""
    return (path for path in var.iterdir() if not path.name.startswith((".backup-", ".restore-", "before-restore-")))


def _worth_keeping(var: Path) -> Iterator[Path]:
    """Every file that cannot be made again."""
    for top in sorted(_all_of(var)) if var.exists() else ():
        if top.name in MADE_AGAIN:
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not path.is_symlink() and not path.name.endswith(SIDE_FILES):
                yield path


def _copy(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "rb") as file:
        is_database = file.read(len(SQLITE)) == SQLITE
    if is_database:
        _copy_database(path, place)
    else:
        shutil.copyfile(path, place)


def _copy_database(path: Path, place: Path) -> None:
    """Copy a database as it is at one moment, whoever writes it meanwhile. Raises `BackupRefused` if it is damaged or stays locked."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY_S)) as source, contextlib.closing(sqlite3.connect(place)) as copy:
            source.backup(copy)  # all pages in one step: smaller ones begin anew whenever somebody writes
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            _check_integrity(copy, path)
    except sqlite3.Error as cause:
        raise BackupRefused(f"{path} cannot be read as a database: {cause}") from cause


def _check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    problems = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
    problems += [f"row {row[1]} of {row[0]} points nowhere" for row in connection.execute("PRAGMA foreign_key_check")][:3]
    if problems != ["ok"]:
        told = "; ".join(problem for problem in problems if problem != "ok")
        raise BackupRefused(f"{path} is damaged: {told}")


def _kept(path: Path, folder: Path) -> Kept:
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    return Kept(path.relative_to(folder).as_posix(), path.stat().st_size, digest.hexdigest())


def _schema(database: Path) -> str | None:
    """The migration that a database stands at."""
    if not database.exists():
        return None
    with contextlib.closing(sqlite3.connect(database)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.Error as cause:
            raise BackupRefused(f"{database.name} is not a database of Touchdesk: {cause}") from cause
    return str(row[0]) if row else None


def known_schemas() -> list[str]:
    """The migrations that this version knows."""
    sources = (path.read_text(encoding="utf-8") for path in MIGRATIONS.glob("*.py"))
    return sorted(found.group(1) for source in sources if (found := re.search(r"^revision\b[^=]*= [\"'](\w+)[\"']", source, re.MULTILINE)))


def _pack(target: Path, folder: Path, manifest: Manifest) -> None:
    """Write the archive, for its owner's eyes only: it holds the secrets and what customers wrote. It is on disk when this returns."""
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
            content = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1).encode()
            head = tarfile.TarInfo(MANIFEST)
            head.size, head.mode = len(content), 0o600
            archive.addfile(head, io.BytesIO(content))
            for kept in manifest.files:
                archive.add(folder / kept.path, kept.path, recursive=False, filter=_plain)
        out.flush()
        os.fsync(out.fileno())


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _unpack(source: Path, folder: Path) -> Manifest:
    """Take out what the manifest names, and nothing else, wherever the archive's own paths may lead."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            manifest = _read_manifest(_content(archive, MANIFEST, limit=64 << 20))
            for kept in manifest.files:
                place = folder / kept.path
                place.parent.mkdir(parents=True, exist_ok=True)
                with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    shutil.copyfileobj(_member(archive, kept.path, kept.size), out, 1 << 20)
                    out.flush()
                    os.fsync(out.fileno())
    except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as cause:
        raise BackupRefused(f"{source} is not a whole backup of Touchdesk: {cause}") from cause
    return manifest


def _member(archive: tarfile.TarFile, name: str, size: int) -> Any:
    entry = archive.getmember(name)
    if not entry.isreg() or entry.size != size:
        raise ValueError(f"{name} is not what the manifest says")
    return archive.extractfile(entry)


def _content(archive: tarfile.TarFile, name: str, limit: int) -> bytes:
    entry = archive.getmember(name)
    file = archive.extractfile(entry) if entry.isreg() and entry.size <= limit else None
    if file is None:
        raise ValueError(f"{name} is missing")
    return file.read()


def _read_manifest(content: bytes) -> Manifest:
    read = json.loads(content)
    if read["format"] != FORMAT:
        raise ValueError(f"its format is {read['format']}; this version reads {FORMAT}")
    files = tuple(Kept(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in read["files"])
    for kept in files:
        path = PurePosixPath(kept.path)
        if path.is_absolute() or ".." in path.parts or path.parts[:1] in ((), *((name,) for name in MADE_AGAIN)):
            raise ValueError(f"{kept.path!r} does not belong into a backup")
    return Manifest(str(read["made_at"]), read["schema"], files)


def _check(manifest: Manifest, folder: Path) -> None:
    """Bytes, databases and version. Raises `BackupRefused`."""
    for kept in manifest.files:
        if _kept(folder / kept.path, folder) != kept:
            raise BackupRefused(f"{kept.path} in the backup is damaged: its checksum is another one.")
    for kept in manifest.files:
        with open(folder / kept.path, "rb") as file:
            is_database = file.read(len(SQLITE)) == SQLITE
        if is_database:
            try:
                with contextlib.closing(sqlite3.connect(folder / kept.path)) as connection:
                    _check_integrity(connection, Path(kept.path))
            except sqlite3.Error as cause:
                raise BackupRefused(f"{kept.path} in the backup cannot be read as a database: {cause}") from cause
    schema = _schema(folder / DATABASE)
    if schema is not None and schema not in known_schemas():
        raise BackupRefused(f"The backup is of a newer version (its database is at {schema}, this version knows up to {known_schemas()[-1]}).")


def _put_aside(var: Path, there: list[Path]) -> Path | None:
    if not there:
        return None
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
    aside = var / f"before-restore-{stamp}"
    aside.mkdir(mode=0o700)
    for path in there:
        os.replace(path, aside / path.name)
    return aside


@contextlib.contextmanager
def _disk_troubles_told(place: Path) -> Iterator[None]:
    """A full disk, or a folder that may not be written."""
    try:
        yield
    except OSError as cause:
        raise BackupRefused(f"{place} cannot be written: {cause}") from cause


def _folder_of(target: Path) -> Path:
    if not target.parent.is_dir():
        raise BackupRefused(f"There is no folder {target.parent}.")
    return target.parent
