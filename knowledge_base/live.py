"""The live index of the service: follows the articles' folder and the live generation, and answers meanwhile.

`LiveIndex.follow` is called a few times a second. An edit makes a generation at once with what was settled before; once the
folder has been quiet for a while, held-out phrasings are asked anew behind, and a generation with the outcome is swapped in.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import generations, index_files
from .aim import Aim
from .article_store import StoredArticle
from .building import build, fingerprint
from .embedding import Embedder, Vectors
from .exceptions import IndexDisagrees, IndexUnusable, KnowledgeBaseError
from .model import Article
from .preparing import prepare
from .reading import FolderReader, Reading, Stamp
from .searching import Searcher
from .training import Settled

log = logging.getLogger(__name__)

# What can go wrong with a build that the next try may put right: a full disk, a file of another process half way.
PASSING = (OSError, sqlite3.Error, KnowledgeBaseError)
RETRY_S = 5.0
QUIET_S = 3.0


@dataclass(frozen=True)
class Place:
    """Where articles and index lie, and the share of messages that no article answers."""

    articles: Path
    index: Path
    aim: Aim


class LiveIndex:
    """Holds the `Searcher` of the live generation. `follow` belongs to one thread; `searcher` may be read from any."""

    def __init__(self, place: Place, embedder: Embedder, clock: Callable[[], datetime], settle_behind: Callable[[], None] = lambda: None) -> None:
        self._place = place
        self._embedder = embedder
        self._clock = clock
        self._settle_behind = settle_behind
        self._reader = FolderReader(place.articles)
        self._prepared: dict[str, tuple[Article, StoredArticle]] = {}
        self._stamps: dict[str, Stamp] | None = None
        self._reading = Reading((), ())
        self._public: frozenset[str] = frozenset()
        # Vectors of the searcher's generation by text, so that a damaged one is made anew in a second rather than ten: 2 MB a thousand rows.
        self._vectors: dict[str, Vectors] = {}
        self._wanted = ""
        self._retry_at: datetime | None = None
        self._changed_at = clock()
        self._asked_to_settle = ""
        self.searcher: Searcher | None = None

    @property
    def problems(self) -> int:
        """How many problems the articles have as they stand."""
        return len(self._reading.problems)

    def follow(self) -> None:
        """Bring the index up to the folder and to the live generation. A failure is logged and tried again after a while."""
        now = self._clock()
        if self._retry_at and now < self._retry_at:
            return
        try:
            self._follow()
            self._retry_at = None
        except PASSING:
            log.exception("the index could not be brought up to the articles; what was live stays")
            self._retry_at = datetime.fromtimestamp(now.timestamp() + RETRY_S, now.tzinfo)

    def take_over(self, settled: Settled) -> None:
        """Make a generation with what was settled behind. Belongs to the thread of `follow`."""
        self._build(settled, settled_here=True)

    def _follow(self) -> None:
        stamps = self._reader.stamps()
        if stamps != self._stamps:
            self._reading = self._reader.read()
            self._stamps = stamps
            self._wanted = fingerprint(self._reading)
            self._public = frozenset(article.slug for article in self._reading.articles if article.is_public)
            self._changed_at = self._clock()
            self._withdraw()
        usable = self._load_live()
        if self.searcher is None or not usable or not self._is_wanted(self.searcher):
            self._build(self.searcher.loaded.settled if self.searcher else None)
        self._settle_when_quiet()

    def _load_live(self) -> bool:
        """Load the live generation unless it is loaded and untouched. False for one that cannot be used: it has to be built anew.

        Meanwhile the one in memory answers on; it looks by itself that the file it reads is the one that was checked. It also stays when
        the live one is older than the articles and it is not.
        """
        try:
            folder = self._place.index / generations.current_name(self._place.index)
            if self.searcher is None or self.searcher.loaded.folder != folder or not self.searcher.loaded.untouched():
                found = self._loaded(folder)
                if self.searcher is not None and self._is_wanted(self.searcher) and not self._is_wanted(found):
                    log.warning("%s is older than the articles; building anew", folder)
                    return False
                self._vectors = dict(zip(*index_files.read_texts(folder), strict=True))
                self.searcher = found
                self._withdraw()
        except IndexDisagrees as cause:
            # Its checksums are right, so the build would take over its vectors.
            log.warning("no usable index (%s); building one from nothing", cause)
            generations.forget_live(self._place.index)
            return False
        except IndexUnusable as cause:
            log.warning("no usable index (%s); building one", cause)
            generations.regain(self._place.index)
            return False
        return True

    def _loaded(self, folder: Path) -> Searcher:
        loaded = index_files.load_index(folder, self._embedder.checksum)
        index_files.prove(loaded, self._embedder)
        searcher = Searcher(loaded, self._embedder)
        if self._is_wanted(searcher):
            index_files.prove_articles(loaded, self._reading.articles)
        return searcher

    def _is_wanted(self, searcher: Searcher) -> bool:
        """Whether it was made of the articles as they stand."""
        return bool(searcher.loaded.manifest.get("fingerprint") == self._wanted)

    def _withdraw(self) -> None:
        """What is no longer public is no longer answered with, however long the next generation takes or fails to be made."""
        if self.searcher is not None:
            self.searcher.still_public = self._public

    def _build(self, settled: Settled | None, *, settled_here: bool = False) -> None:
        built = build(
            self._reading,
            self._place.index,
            self._embedder,
            aim=self._place.aim,
            now=self._clock(),
            settled=settled,
            settled_here=settled_here,
            preparing=self._prepare,
            also_known=self._vectors,
        )
        log.info("generation %s: %d articles, %d rows, %d texts embedded", built.generation, built.articles, built.rows, built.embedded)
        self._load_live()

    def _prepare(self, article: Article) -> StoredArticle:
        known = self._prepared.get(article.slug)
        if known is None or known[0] != article:
            known = self._prepared[article.slug] = (article, prepare(article))
        return known[1]

    def _settle_when_quiet(self) -> None:
        """Ask once for each state of the articles whose generation took over what an earlier one had settled."""
        quiet = (self._clock() - self._changed_at).total_seconds() >= QUIET_S
        if quiet and self.searcher and not self.searcher.loaded.manifest["settled_here"] and self._asked_to_settle != self._wanted:
            self._asked_to_settle = self._wanted
            self._settle_behind()
