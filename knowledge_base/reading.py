"""Reading a folder of articles: ``<folder>/<category>/<slug>.md``, at any depth.

Names that begin with ``.`` or ``_`` and folders named ``media`` are left alone. The slug is the file's name in small
letters; two files with one slug, by case or by folder, are both refused, since nobody can say which was meant.
A file that cannot be read as an article is reported and is not live: it goes, rather than a version that its editor has
replaced already; all other articles stay. So are a folder that cannot be read, and links that lead out of the folder or to folders.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .front_matter import SLUG, read_article
from .model import Article, Problem

MAX_BYTES = 262_144
# How many of the other files with its slug are named at each.
NAMED_OTHERS = 5

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class ReadFile:
    """One file as read: its article or None, its problems, and the ``sha256`` of what was read."""

    path: str
    slug: str
    sha256: str
    article: Article | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Reading:
    """A whole folder as read: articles by slug, problems by file and line."""

    articles: tuple[Article, ...]
    problems: tuple[Problem, ...]


class FolderReader:
    """Reads a folder again and again, and each file again only when its size, time or inode has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[Stamp, ReadFile]] = {}

    def read(self) -> Reading:
        """The folder as it is now. A folder that does not exist is an empty one with a problem."""
        if reason := folder_problem(self._folder):
            return Reading((), (Problem(".", 1, reason),))
        files = {}
        unread: list[Problem] = []
        for path, stamp in article_files(self._folder, lambda path, reason: unread.append(Problem(path, 1, reason))):
            known = self._files.get(path)
            fresh = known is not None and known[0] == stamp
            files[path] = known if fresh and known else (stamp, read_file(self._folder, path, stamp))
        self._files = files
        return joined([read for _, read in files.values()], unread)

    def stamps(self) -> dict[str, Stamp]:
        """What the folder looks like from outside; it differs whenever `read` may give another result."""
        return dict(article_files(self._folder))


def folder_problem(folder: Path) -> str:
    """Why nothing can be read from a folder of articles; empty when it can."""
    try:
        os.listdir(folder)
    except FileNotFoundError:
        return "there is no such folder"
    except OSError as cause:
        return f"cannot be read: {cause.strerror}"
    return "" if any(article_files(folder)) else "there are no articles in it, not one .md file"


def read_folder(folder: Path) -> Reading:
    """Every article of ``folder``, once."""
    return FolderReader(folder).read()


def article_files(folder: Path, complain: Callable[[str, str], None] = lambda path, reason: None) -> Iterator[tuple[str, Stamp]]:
    """The path of each article file, relative to ``folder`` and by name, with its size, time (ns) and inode.

    ``complain`` is told path and reason of folders that are not gone into.
    """

    def unreadable(cause: OSError) -> None:
        complain(printable(os.path.relpath(cause.filename, folder)), f"the folder cannot be read: {cause.strerror}")

    for place, names, files in os.walk(folder, onerror=unreadable):
        names[:] = sorted(name for name in names if not name.startswith((".", "_")) and name != "media")
        for name in names:
            if os.path.islink(os.path.join(place, name)):
                complain(printable(os.path.relpath(os.path.join(place, name), folder)), "a link to a folder is not followed")
        for file in sorted(files):
            if file.lower().endswith(".md") and not file.startswith((".", "_")):
                path = Path(place, file)
                try:
                    status = path.stat()
                except OSError:
                    continue  # gone since it was listed, or a link to nowhere
                yield path.relative_to(folder).as_posix(), (status.st_size, status.st_mtime_ns, status.st_ino)


def read_file(folder: Path, path: str, stamp: Stamp) -> ReadFile:
    """One file; whatever is wrong with it becomes a problem."""
    slug = Path(path).stem.lower()
    category = Path(path).parent.as_posix().split("/")[0].lower()
    modified = datetime.fromtimestamp(stamp[1] // 1_000_000_000, timezone.utc)
    if printable(path) != path:
        return _refused(printable(path), slug, b"", 1, "the path holds bytes that are not UTF-8")
    try:
        if reason := _odd_file(folder, path):
            return _refused(path, slug, b"", 1, reason)
        with open(folder / path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as cause:
        return _refused(path, slug, b"", 1, f"cannot be read: {cause.strerror}")
    if not SLUG.fullmatch(slug):
        return _refused(path, slug, data, 1, "the file's name may hold only letters, digits, - and _, at most 100")
    if len(data) > MAX_BYTES:
        return _refused(path, slug, data, 1, f"the file is larger than {MAX_BYTES // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        return _refused(path, slug, data, data[: cause.start].count(b"\n") + 1, f"not UTF-8 (byte {cause.start})")
    if "\0" in text:
        return _refused(path, slug, data, text[: text.index("\0")].count("\n") + 1, "a NUL character")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    article, problems = read_article(text, path=path, slug=slug, category="general" if category == "." else category, modified=modified)
    return ReadFile(path, slug, hashlib.sha256(data).hexdigest(), article, tuple(problems))


def printable(path: str) -> str:
    """A path as it can be shown and stored: bytes that are not UTF-8 stand there as ``\\udc..``."""
    return path.encode("utf-8", "backslashreplace").decode("utf-8")


def _odd_file(folder: Path, path: str) -> str:
    """Why a file must not be opened: a pipe would wait for ever, a link out of the folder would show what is not an article. Raises OSError."""
    if not stat.S_ISREG((folder / path).stat().st_mode):
        return "not a plain file"
    if (folder / path).is_symlink() and not (folder / path).resolve().is_relative_to(folder.resolve()):
        return "a link that leads out of the folder of articles"
    return ""


def joined(files: list[ReadFile], unread: Iterable[Problem] = ()) -> Reading:
    """Articles and problems of all files, with every slug that stands twice refused in each of its files."""
    by_slug: dict[str, list[ReadFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        by_slug.setdefault(file.slug, []).append(file)
    articles = [group[0].article for _, group in sorted(by_slug.items()) if len(group) == 1 and group[0].article]
    problems = [*unread, *(problem for file in files for problem in file.problems)]
    for slug, group in by_slug.items():
        for file in group if len(group) > 1 else []:
            named = [other.path for other in group[: NAMED_OTHERS + 1] if other is not file][:NAMED_OTHERS]
            others = ", ".join(named) + (f" and {len(group) - 1 - len(named)} more" if len(group) - 1 > len(named) else "")
            problems.append(Problem(file.path, 1, f"the slug {slug!r} is also that of {others}; none of them is live"))
    return Reading(tuple(articles), tuple(sorted(problems, key=lambda problem: (problem.path, problem.line, problem.reason))))


def _refused(path: str, slug: str, data: bytes, line: int, reason: str) -> ReadFile:
    return ReadFile(path, slug, hashlib.sha256(data).hexdigest(), None, (Problem(path, line, reason),))
