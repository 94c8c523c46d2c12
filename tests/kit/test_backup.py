"""Backup and restore as the owner uses them: two commands, also while customers write, and no way to lose what is there."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.backup import MANIFEST, back_up, known_schemas, restore
from kit.errors import BackupRefused
from kit.processes import RunningKit
from kit.settings import ROOT, Settings
from tests.widget.draining import Chat, SlowNeighbours, WebProcess, rows

UNDER_LOAD_S = 1.0


def settings_of(var: Path) -> Settings:
    return replace(Settings(), var=var)


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A var folder as a short life leaves it: what is to be kept, and what can be made again."""
    var = tmp_path / "var"
    for folder in ("index/one", "log", "run", "kept/by/editors"):
        (var / folder).mkdir(parents=True)
    with closing(sqlite3.connect(var / "touchdesk.sqlite")) as connection:
        connection.executescript(
            f"PRAGMA journal_mode=WAL; CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('{known_schemas()[-1]}');"
            "CREATE TABLE said (text TEXT); INSERT INTO said VALUES ('hello');"
        )
    (var / "secrets.json").write_text('{"inner_secret": "a", "signing_key": "b"}', encoding="utf-8")
    (var / "kept" / "by" / "editors" / "draft.md").write_text("a draft", encoding="utf-8")
    (var / "index" / "one" / "vectors").write_bytes(b"made again")
    (var / "log" / "web.log").write_text("a line", encoding="utf-8")
    return var


@pytest.fixture
def backup(var: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    path = tmp_path / "backup.tar.gz"
    back_up(settings_of(var), path)
    return path


def files(folder: Path) -> set[str]:
    """All files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def command(*arguments: str, var: Path) -> subprocess.CompletedProcess[str]:
    """``python -m kit …`` on a var folder."""
    environment = {"PATH": "/usr/bin:/bin", "TOUCHDESK_VAR": str(var)}
    return subprocess.run([sys.executable, "-m", "kit", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_what_cannot_be_made_again_comes_back_elsewhere(var: Path, backup: Path, tmp_path: Path) -> None:
    """Database, secrets and whatever else was kept there; neither index nor logs; all for the owner's eyes only."""
    elsewhere = tmp_path / "elsewhere" / "var"
    manifest, aside = restore(settings_of(elsewhere), backup)
    assert aside is None
    assert files(elsewhere) == {"touchdesk.sqlite", "secrets.json", "kept/by/editors/draft.md"}
    assert (elsewhere / "secrets.json").read_bytes() == (var / "secrets.json").read_bytes()
    assert rows("SELECT text FROM said", elsewhere / "touchdesk.sqlite") == [("hello",)]
    assert manifest.schema == known_schemas()[-1]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE((elsewhere / "touchdesk.sqlite").stat().st_mode) == 0o600


def test_a_folder_that_holds_something_is_refused_and_put_aside_when_forced(var: Path, backup: Path) -> None:
    """Nothing is overwritten in silence; with force nothing is lost either, write-ahead log included."""
    with closing(sqlite3.connect(var / "touchdesk.sqlite")) as connection:
        connection.execute("INSERT INTO said VALUES ('after the backup')")
        connection.commit()
        before = files(var)
        with pytest.raises(BackupRefused, match=r"is not empty \(kept, secrets.json, touchdesk.sqlite"):
            restore(settings_of(var), backup)
        assert files(var) == before
    _, aside = restore(settings_of(var), backup, force=True)
    assert aside is not None
    assert rows("SELECT count(*) FROM said", aside / "touchdesk.sqlite") == [(2,)]
    assert rows("SELECT count(*) FROM said", var / "touchdesk.sqlite") == [(1,)]
    assert not list(var.glob("touchdesk.sqlite-*"))
    assert (var / "index" / "one" / "vectors").exists()


def test_a_folder_with_nothing_but_what_set_up_makes_counts_as_empty(backup: Path, tmp_path: Path) -> None:
    """A kit can be set up first and filled then."""
    fresh = tmp_path / "fresh"
    (fresh / "embedding").mkdir(parents=True)
    restore(settings_of(fresh), backup)
    assert (fresh / "touchdesk.sqlite").exists()


def rewritten(backup: Path, change: Any) -> Path:
    """The backup with its files changed by ``change(name, content)``; None leaves one out."""
    other = backup.with_name("other.tar.gz")
    with tarfile.open(backup) as read, tarfile.open(other, "w:gz") as write:
        for entry in read:
            file = read.extractfile(entry)
            assert file is not None
            content = change(entry.name, file.read())
            if content is not None:
                entry.size = len(content)
                write.addfile(entry, io.BytesIO(content))
    return other


def in_manifest(**changes: Any) -> Any:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps(json.loads(content) | changes).encode() if name == MANIFEST else content

    return change


def flipped(name: str, content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1]) if name == "secrets.json" else content


def without_database(name: str, content: bytes) -> bytes | None:
    return None if name == "touchdesk.sqlite" else content


def outside(name: str, content: bytes) -> bytes:
    return content.replace(b'"secrets.json"', b'"../escaped.json"') if name == MANIFEST else content


DAMAGES = [
    (flipped, "checksum"),
    (without_database, "not a whole backup"),
    (outside, "does not belong"),
    (in_manifest(format=99), "its format is 99"),
    (in_manifest(files=[{"path": "run/kit.lock", "size": 0, "sha256": ""}]), "does not belong"),
]


@pytest.mark.parametrize(("change", "told"), DAMAGES)
def test_a_damaged_or_forged_backup_is_refused_before_anything_is_touched(backup: Path, tmp_path: Path, change: Any, told: str) -> None:
    """Changed bytes, missing files, paths that lead out, another format."""
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(BackupRefused, match=told):
        restore(settings_of(elsewhere), rewritten(backup, change))
    assert files(elsewhere) == set()
    assert not (tmp_path / "escaped.json").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_backup_that_was_cut_short_is_refused(backup: Path, tmp_path: Path, share: float) -> None:
    """A copy that ended too early, wherever."""
    content = backup.read_bytes()
    backup.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BackupRefused, match="not a whole backup"):
        restore(settings_of(tmp_path / "elsewhere"), backup)
    assert files(tmp_path / "elsewhere") == set()


def test_a_newer_versions_backup_is_refused(var: Path, tmp_path: Path) -> None:
    """Its database has migrations that this version does not know."""
    with closing(sqlite3.connect(var / "touchdesk.sqlite")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    back_up(settings_of(var), tmp_path / "newer.tar.gz")
    with pytest.raises(BackupRefused, match=r"newer version .* 9999"):
        restore(settings_of(tmp_path / "elsewhere"), tmp_path / "newer.tar.gz")


def test_a_damaged_database_is_not_saved_as_if_it_were_whole(var: Path, tmp_path: Path) -> None:
    """The last good backup is not followed by a bad one; nothing half written is left."""
    shutil.copy(var / "touchdesk.sqlite", tmp_path / "spare")
    content = bytearray((var / "touchdesk.sqlite").read_bytes())
    content[4096:8192] = b"\xff" * 4096
    (var / "touchdesk.sqlite").write_bytes(content)
    with pytest.raises(BackupRefused, match=r"damaged|cannot be read"):
        back_up(settings_of(var), tmp_path / "bad.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz"))
    assert not list(tmp_path.glob(".backup-*"))


def test_no_backup_takes_the_place_of_another(var: Path, backup: Path) -> None:
    """A name is used once."""
    with pytest.raises(BackupRefused, match="is there already"):
        back_up(settings_of(var), backup)


def test_another_database_is_left_to_its_own_tool(var: Path, tmp_path: Path) -> None:
    """With PostgreSQL the var folder alone would be half a backup."""
    elsewhere = replace(settings_of(var), database_url="postgresql://somewhere/touchdesk")
    with pytest.raises(BackupRefused, match="pg_dump"):
        back_up(elsewhere, tmp_path / "half.tar.gz")


def test_what_cannot_be_written_is_told_in_words(var: Path, tmp_path: Path) -> None:
    """A folder that is not there, and one that holds a file's name."""
    for target in (tmp_path / "nowhere" / "backup.tar.gz", var / "secrets.json" / "backup.tar.gz"):
        with pytest.raises(BackupRefused, match="no folder"):
            back_up(settings_of(var), target)


def test_a_running_kit_is_not_restored_under_its_feet(var: Path, backup: Path) -> None:
    """The folder's lock is held, so the command says so and changes nothing."""
    kit = RunningKit(settings_of(var))
    kit.lock()
    try:
        ended = command("restore", str(backup), "--force", var=var)
    finally:
        kit.stop()
    assert ended.returncode == 1
    assert "already runs" in ended.stderr


def test_a_backup_under_load_has_all_that_was_acknowledged_before_and_lives_on_elsewhere(tmp_path: Path) -> None:
    """Twenty chats write on meanwhile: backup by command, restore by command, and the customers go on at the other place with their tokens."""
    there, elsewhere, file = tmp_path / "there", tmp_path / "elsewhere", tmp_path / "backup.tar.gz"
    there.mkdir()
    with SlowNeighbours(0.05) as neighbours:
        web = WebProcess(there, neighbours)
        try:
            stopping = threading.Event()
            people = [web.chat(stopping) for _ in range(20)]
            writers = [threading.Thread(target=chat.write, daemon=True) for chat in people]
            for writer in writers:
                writer.start()
            time.sleep(UNDER_LOAD_S)
            before = {(chat.id, seq, client_id) for chat in people for client_id, seq in list(chat.acknowledged.items())}
            saved = command("backup", str(file), var=there)
            assert saved.returncode == 0, saved.stderr
            written_meanwhile = sum(len(chat.acknowledged) for chat in people) - len(before)
            stopping.set()
        finally:
            web.end()
        for writer in writers:
            writer.join(30)
        assert len(before) > 20
        assert written_meanwhile > 0
        put_back = command("restore", str(file), var=elsewhere)
        assert put_back.returncode == 0, put_back.stderr
        stored = rows("SELECT conversation_id, seq, client_id FROM events WHERE client_id IS NOT NULL", elsewhere / "touchdesk.sqlite")
        assert before <= set(stored)
        assert rows("PRAGMA integrity_check", elsewhere / "touchdesk.sqlite") == [("ok",)]
        assert rows("SELECT conversation_id FROM events GROUP BY conversation_id HAVING count(*) != max(seq)", elsewhere / "touchdesk.sqlite") == []
        again = WebProcess(elsewhere, neighbours)
        try:
            goes_on(again, people[0])
        finally:
            again.end()


def goes_on(web: WebProcess, chat: Chat) -> None:
    """A customer of before writes at the other place."""
    sender = {"Authorization": f"Bearer {chat.token}"}
    status, answer = web.ask("POST", f"{chat.path}/messages", {"client_id": "after", "text": "still there?"}, sender)
    assert status == 202, answer
