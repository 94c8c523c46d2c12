"""Five hundred ways to damage an index folder, drawn from a seed."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base import generations

from .world import World, remove, sign

FILES = ("vectors.npy", "texts.json", "ranking.npz", "articles.sqlite")
ALL_FILES = (*FILES, "manifest.json")

# Files whose checksums somebody made right again: the help centre, which compares nothing else, may show them until search has looked.
SIGNED = "signed"
# An older generation that is whole: likewise.
OLDER = "older"
# What may not be read; the trial gives up its rights for these.
FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Damage:
    """``apply`` damages the copy of a restored world. ``kind`` groups them in the report; ``sort`` is one of the words above or empty."""

    kind: str
    name: str
    apply: Callable[[World], None]
    sort: str = ""


def damages(count: int = 500, seed: int = 20261121) -> list[Damage]:
    """``count`` of them: every kind there is, and bit flips for the rest."""
    draw = random.Random(seed)
    kinds = [*_files(draw), *_mixed(), *_manifests(), *_contents(), *_extras(), *_pointers(draw), *_folders()]
    flips = [_flip(ALL_FILES[number % len(ALL_FILES)], draw.random(), draw.randrange(8)) for number in range(max(0, count - len(kinds)))]
    return [*kinds, *flips][:count] if count >= len(kinds) else draw.sample(kinds + flips, count)


def _flip(name: str, place: float, bit: int) -> Damage:
    def apply(world: World) -> None:
        data = bytearray((world.folder / name).read_bytes())
        data[int(place * len(data))] ^= 1 << bit
        (world.folder / name).write_bytes(data)

    return Damage("bit flip", f"bit {bit} at {place:.4f} of {name}", apply)


def _quiet_flip(name: str, place: float) -> Damage:
    """A flip that leaves size, inode and time of the file as they were."""

    def apply(world: World) -> None:
        file = world.folder / name
        before = file.stat()
        with open(file, "r+b") as handle:
            handle.seek(int(place * before.st_size))
            byte = handle.read(1)[0]
            handle.seek(int(place * before.st_size))
            handle.write(bytes([byte ^ 1]))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    return Damage("bit flip, time kept", f"at {place:.4f} of {name}", apply)


def _files(draw: random.Random) -> Iterator[Damage]:
    for name in ALL_FILES:
        yield from (_file("truncated", name, _cut(draw.random())) for _ in range(8))
        yield from (_file("overwritten", name, _overwritten(draw.random(), draw.randbytes(64))) for _ in range(6))
        yield from (_quiet_flip(name, draw.random()) for _ in range(4))
        yield _file("empty", name, lambda file, _: file.write_bytes(b""))
        yield _file("missing", name, lambda file, _: file.unlink())
        yield _file("longer", name, lambda file, _: file.write_bytes(file.read_bytes() + b"\0"))
        yield _file("grown to 1 TB", name, lambda file, _: os.truncate(file, 1 << 40))
        yield _file("a folder", name, lambda file, _: _replaced(file, lambda: file.mkdir()))
        yield _file("a pipe", name, lambda file, _: _replaced(file, lambda: os.mkfifo(file)))
        yield _file("a link to its copy", name, lambda file, world: _replaced(file, lambda: file.symlink_to(world.stash / world.live / file.name)))
        yield _file("a link to endless zeros", name, lambda file, _: _replaced(file, lambda: file.symlink_to("/dev/zero")))
        yield _file("a link to itself", name, lambda file, _: _replaced(file, lambda: file.symlink_to(file.name)))
        yield _file("may not be read", name, lambda file, _: file.chmod(0), FORBIDDEN)
        if name not in ("texts.json", "articles.sqlite"):  # these are the same whatever the model
            yield _file("of another model", name, lambda file, world: shutil.copy(world.stash / world.other / file.name, file))
        if name != "manifest.json":
            yield _file("of an older generation", name, lambda file, world: shutil.copy(world.stash / world.old / file.name, file))
    for one, two in combinations(ALL_FILES, 2):
        yield Damage("two files exchanged", f"{one}, {two}", lambda world, one=one, two=two: _exchange(world.folder / one, world.folder / two))


def _file(kind: str, name: str, harm: Callable[[Path, World], Any], sort: str = "") -> Damage:
    return Damage(f"file {kind}", name, lambda world: harm(world.folder / name, world) and None, sort)


def _cut(place: float) -> Callable[[Path, World], Any]:
    return lambda file, _: os.truncate(file, int(place * file.stat().st_size))


def _overwritten(place: float, data: bytes) -> Callable[[Path, World], Any]:
    def harm(file: Path, _: World) -> None:
        whole = file.read_bytes()
        start = int(place * max(1, len(whole) - len(data)))
        file.write_bytes(whole[:start] + data + whole[start + len(data) :])

    return harm


def _replaced(file: Path, make: Callable[[], Any]) -> None:
    remove(file)
    make()


def _exchange(one: Path, two: Path) -> None:
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def _mixed() -> Iterator[Damage]:
    """Every mixture of two generations under a manifest that was made right for it."""
    for donor in ("old", "other"):
        for size in range(1, len(FILES) + 1):
            for names in combinations(FILES, size):
                same = donor == "other" and not {"vectors.npy", "ranking.npz"} & set(names)
                if not same:  # articles and texts of the other model are the same articles
                    yield Damage("mixed generations, signed", f"{', '.join(names)} of {donor}", _mixture(donor, names), SIGNED)


def _mixture(donor: str, names: tuple[str, ...]) -> Callable[[World], None]:
    def apply(world: World) -> None:
        for name in names:
            shutil.copy(world.stash / getattr(world, donor) / name, world.folder / name)
        sign(world.folder)

    return apply


def _manifests() -> Iterator[Damage]:
    """Manifests edited by hand, with their own checksum made right where that can be."""
    edits: dict[str, Callable[[dict[str, Any]], Any]] = {
        "another model": lambda manifest: manifest.update(embedding="another"),
        "another format": lambda manifest: manifest.update(format=99),
        "no files": lambda manifest: manifest.update(files={}),
        "files a list": lambda manifest: manifest.update(files=[]),
        "a file of elsewhere": lambda manifest: manifest["files"].update({"../../../etc/passwd": "0"}),
        "a checksum a number": lambda manifest: manifest["files"].update({"vectors.npy": 5}),
        "wrong size": lambda manifest: manifest["sizes"].update({"vectors.npy": 5}),
        "other articles": lambda manifest: manifest.update(fingerprint="0" * 64),
        "nothing settled": lambda manifest: manifest.pop("settled"),
        "settled a list": lambda manifest: manifest.update(settled=[]),
        "calibration a text": lambda manifest: manifest["settled"].update(calibration="x"),
        "a weight no number": lambda manifest: manifest["settled"]["calibration"].update(weights=[float("nan")] * 5),
        "a cut-off no number": lambda manifest: manifest["settled"]["calibration"]["cutoffs"].update(answer=float("nan")),
        "an unknown cut-off": lambda manifest: manifest["settled"]["calibration"]["cutoffs"].update(third=1),
    }
    for name in FILES:
        edits[f"without {name}"] = lambda manifest, name=name: manifest["files"].pop(name)
    for name, edit in edits.items():
        yield Damage("manifest edited, signed", name, lambda world, edit=edit: _edited(world.folder / "manifest.json", edit), SIGNED)
    raw = {
        "null": b"null",
        "a list": b"[]",
        "nested": b"[" * 100_000,
        "a long number": b'{"format": ' + b"9" * 10_000 + b"}",
        "utf-16": json.dumps({}).encode("utf-16"),
        "zeros": bytes(4096),
        "huge": b'{"a": "' + b"a" * (33 * 1024 * 1024) + b'"}',
    }
    for name, data in raw.items():
        yield Damage("manifest replaced", name, lambda world, data=data: (world.folder / "manifest.json").write_bytes(data) and None)


def _edited(file: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    manifest = json.loads(file.read_text(encoding="utf-8"))
    edit(manifest)
    manifest["manifest_sha256"] = generations._own_checksum(manifest)
    file.write_text(json.dumps(manifest), encoding="utf-8")


def _contents() -> Iterator[Damage]:
    """Files that can be read and say something else, under a manifest made right."""
    vectors: dict[str, Callable[[Any], Any]] = {
        "zeros": np.zeros_like,
        "no numbers": lambda found: np.full_like(found, np.nan),
        "turned round": lambda found: found[::-1].copy(),
        "negative": lambda found: -found,
        "float64": lambda found: found.astype(np.float64),
        "too few": lambda found: found[:-3],
        "too narrow": lambda found: found[:, :-1].copy(),
        "a flat line": lambda found: found.ravel(),
        "nothing": lambda found: found[:0],
    }
    for name, change in vectors.items():
        harm = _signed("vectors.npy", lambda file, change=change: np.save(file, change(np.load(file))))
        yield Damage("contents changed, signed", f"vectors: {name}", harm, SIGNED)
    yield Damage("contents changed, signed", "vectors: pickled", _signed("vectors.npy", _pickled), SIGNED)
    arrays: dict[str, Callable[[dict[str, Any]], Any]] = {
        "articles turned round": lambda found: found.update(article=found["article"][::-1]),
        "articles shifted": lambda found: found.update(article=np.roll(found["article"], 1)),
        "passages shifted": lambda found: found.update(passage=np.where(found["passage"] >= 0, found["passage"] + 1, -1)),
        "passages out of range": lambda found: found.update(passage=found["passage"] + 10_000),
        "landmarks out of range": lambda found: found.update(landmarks=found["landmarks"] + 10_000),
        "rows missing": lambda found: found.update({name: found[name][:-2] for name in ("article", "kind", "passage")}),
        "head of no numbers": lambda found: found.update(head=found["head"] * np.nan),
        "head too small": lambda found: found.update(head=found["head"][:, :-1]),
        "no head": lambda found: found.pop("head"),
        "postings out of range": lambda found: found.update(lexical_rows=found["lexical_rows"] + 10_000),
    }
    for name, edit in arrays.items():
        yield Damage("contents changed, signed", f"ranking: {name}", _signed("ranking.npz", lambda file, edit=edit: _rearranged(file, edit)), SIGNED)
    texts: dict[str, Callable[[list[str]], Any]] = {
        "turned round": lambda found: found[::-1],
        "shortened": lambda found: found[:-5],
        "nothing": lambda found: [],
        "an object": lambda found: {"a": 1},
        "numbers": lambda found: [1] * len(found),
        "nested": lambda found: None,
    }
    for name, change in texts.items():
        yield Damage("contents changed, signed", f"texts: {name}", _signed("texts.json", lambda file, change=change: _retold(file, change)), SIGNED)
    statements = (
        "DROP TABLE passages",
        "DROP VIEW public_articles",
        "DELETE FROM articles WHERE id = 3",
        "DELETE FROM passages WHERE id = 3",
        "UPDATE articles SET title = 'Nonsense' WHERE id = 2",
        "UPDATE articles SET id = 100 - id",
        "UPDATE passages SET article = 9 - article",
        "UPDATE articles SET questions = 'x'",
        "UPDATE articles SET audience = 'public'",
        "UPDATE articles SET audience = 'internal' WHERE id = 1",
    )
    for statement in statements:
        yield Damage("contents changed, signed", statement, _signed("articles.sqlite", lambda file, text=statement: _execute(file, text)), SIGNED)
    for name in FILES:
        yield Damage("contents changed, signed", f"{name}: noise", _signed(name, lambda file: file.write_bytes(bytes(range(256)) * 8)), SIGNED)
        yield Damage("contents changed, signed", f"{name}: empty", _signed(name, lambda file: file.write_bytes(b"")), SIGNED)


def _signed(name: str, harm: Callable[[Path], Any]) -> Callable[[World], None]:
    def apply(world: World) -> None:
        harm(world.folder / name)
        sign(world.folder)

    return apply


def _pickled(file: Path) -> None:
    np.save(file, np.array([{"a": print}], dtype=object), allow_pickle=True)


def _rearranged(file: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    with np.load(file) as found:
        arrays = dict(found)
    edit(arrays)
    np.savez(file, **arrays)


def _retold(file: Path, change: Callable[[list[str]], Any]) -> None:
    told = change(json.loads(file.read_text(encoding="utf-8")))
    file.write_text("[" * 100_000 if told is None else json.dumps(told), encoding="utf-8")


def _execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def _extras() -> Iterator[Damage]:
    for name in ("notes.txt", "articles.sqlite-wal", "articles.sqlite-journal", ".hidden", "vectors.npy~", "manifest.json.1"):
        yield Damage("a file too many", name, lambda world, name=name: (world.folder / name).write_bytes(b"x") and None)
        yield Damage("an empty file too many", name, lambda world, name=name: (world.folder / name).write_bytes(b"") and None)
    yield Damage("a folder too many", "more", lambda world: (world.folder / "more").mkdir())


def _pointers(draw: random.Random) -> Iterator[Damage]:
    texts: dict[str, Callable[[World], bytes]] = {
        "empty": lambda world: b"",
        "blank": lambda world: b"\n",
        "nonsense": lambda world: b"nonsense\n",
        "outside": lambda world: b"../stash\n",
        "a way through": lambda world: f"{world.old}/../{world.live}\n".encode(),
        "nowhere": lambda world: b"20261121T190000Z-ffffff\n",
        "two lines": lambda world: f"{world.live}\n{world.old}\n".encode(),
        "no ASCII": lambda world: b"\xff\xfe" + world.live.encode(),
        "capitals": lambda world: world.live.upper().encode() + b"X",
        "a NUL": lambda world: world.live.encode() + b"\0",
        "blanks": lambda world: b"   " + world.live.encode(),
        "long": lambda world: b"2" * 2_000_000,
        "another model's": lambda world: world.other.encode() + b"\n",
    }
    for name, text in texts.items():
        yield Damage("current", name, lambda world, text=text: (world.index / "current").write_bytes(text(world)) and None)
    yield Damage("current", "an older generation", lambda world: (world.index / "current").write_text(world.old + "\n") and None, OLDER)
    makes: dict[str, Callable[[Path, World], Any]] = {
        "missing": lambda file, world: None,
        "a folder": lambda file, world: file.mkdir(),
        "a folder with something in it": lambda file, world: (file / "a" / "b").mkdir(parents=True),
        "a pipe": lambda file, world: os.mkfifo(file),
        "a loop": lambda file, world: file.symlink_to("current"),
        "a link outside": lambda file, world: file.symlink_to(world.stash / "current"),
        "a link to nowhere": lambda file, world: file.symlink_to("away"),
        "a link to a generation": lambda file, world: file.symlink_to(world.live),
    }
    for name, make in makes.items():
        yield Damage("current", name, lambda world, make=make: _replaced(world.index / "current", lambda: make(world.index / "current", world)))
    yield Damage("current", "may not be read", lambda world: (world.index / "current").chmod(0), FORBIDDEN)
    for _ in range(16):
        place, bit = draw.random(), draw.randrange(8)
        yield Damage("current", f"bit {bit} at {place:.3f}", lambda world, place=place, bit=bit: _flip_current(world, place, bit))


def _flip_current(world: World, place: float, bit: int) -> None:
    data = bytearray((world.index / "current").read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    (world.index / "current").write_bytes(data)


def _folders() -> Iterator[Damage]:
    harms: dict[str, Callable[[World], Any]] = {
        "missing": lambda world: remove(world.folder),
        "empty": lambda world: (remove(world.folder), world.folder.mkdir()),
        "a file": lambda world: (remove(world.folder), world.folder.write_bytes(b"x")),
        "a pipe": lambda world: (remove(world.folder), os.mkfifo(world.folder)),
        "a link to a copy outside": lambda world: (remove(world.folder), world.folder.symlink_to(world.stash / world.live)),
        "a loop": lambda world: (remove(world.folder), world.folder.symlink_to(world.live)),
        "renamed": lambda world: world.folder.rename(world.index / "20261121T190000Z-abcdef"),
        "of another model": lambda world: (remove(world.folder), shutil.copytree(world.stash / world.other, world.folder)),
        "without anything but its manifest": lambda world: [(world.folder / name).unlink() for name in FILES],
        "all gone, index and all": lambda world: remove(world.index),
        "all gone but the pointer": lambda world: [remove(path) for path in world.index.iterdir() if path.name != "current"],
    }
    for name, harm in harms.items():
        yield Damage("generation folder", name, lambda world, harm=harm: harm(world) and None)
    yield Damage("generation folder", "an older generation's", _older_inside, OLDER)
    # Where only writing or listing is forbidden, what is live is still whole and may go on.
    for name, mode in (*product(("generation", "index"), (0o000, 0o400)), ("generation", 0o100)):
        yield Damage("folder may not be used", f"{name} {mode:o}", lambda world, name=name, mode=mode: _forbid(world, name, mode), FORBIDDEN)


def _older_inside(world: World) -> None:
    remove(world.folder)
    shutil.copytree(world.stash / world.old, world.folder)


def _forbid(world: World, name: str, mode: int) -> None:
    (world.folder if name == "generation" else world.index).chmod(mode)
