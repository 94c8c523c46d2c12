"""Where pictures and videos lie, and what address they have.

``media/x.png`` in the articles' folder is ``/help/media/x.png``; ``network/media/x.png`` is ``/help/media/network/x.png``.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import quote

ADDRESS = "/help/media/"


def media_url(path: str) -> str:
    """The address of a file by its path below the articles' folder; ``""`` when it does not lie in a folder ``media``."""
    parts = posixpath.normpath(path).split("/")
    if "media" not in parts[:-1] or ".." in parts:
        return ""
    parts.remove("media")
    return ADDRESS + quote("/".join(parts))


def media_file(articles: Path, name: str) -> Path | None:
    """The file behind ``/help/media/<name>``, or None. Never one outside a ``media`` folder, also not through a link."""
    parts = name.split("/")
    if not all(parts) or any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    for depth in range(len(parts)):
        folder = articles.joinpath(*parts[:depth], "media")
        file = folder.joinpath(*parts[depth:])
        if file.is_file() and file.resolve().is_relative_to(folder.resolve()):
            return file
    return None
