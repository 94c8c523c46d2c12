"""Which articles of a generation may no longer be shown, because their files say so meanwhile.

The search service makes a new generation within a second of an edit. While it is away or cannot build, what an editor has
deleted, unpublished or made internal must not go on being shown; a change of the text can wait.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from .reading import Stamp, read_file

# A file changed just before the generation was made may have been read just before it was changed.
MARGIN_S = 5.0


class Withdrawal:
    """Looks at the files under ``articles``. Threads may share it: at worst two of them read a file at once."""

    def __init__(self, articles: Path) -> None:
        self._articles = articles
        self._seen: dict[str, tuple[Stamp, bool]] = {}

    def is_withdrawn(self, path: str, made: datetime) -> bool:
        """Whether the file at ``path`` is no longer a public article. Costs a ``stat``, and a reading where it changed since ``made``.

        Where the whole folder is away, nothing is: then the files are not on this machine, or not for the moment.
        """
        try:
            status = (self._articles / path).stat()
        except OSError:
            return self._articles.is_dir()
        # The system's own time of the last change: a file that was moved here with an old date counts as new.
        if status.st_ctime < made.timestamp() - MARGIN_S:
            return False
        stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        known = self._seen.get(path)
        if known is None or known[0] != stamp:
            article = read_file(self._articles, path, stamp).article
            known = self._seen[path] = (stamp, article is None or not article.is_public)
        return known[1]
