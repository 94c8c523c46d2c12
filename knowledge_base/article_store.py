"""``articles.sqlite`` of a generation: every statement about it stands here.

Rows in, frozen dataclasses out. Customers are served from the view ``public_articles`` alone, so an internal or
unpublished article cannot come out by a forgotten condition. ``passages.id`` is the passage's number in the vectors.
The full-text index is FTS5 with Porter stemming; columns weigh title 8, questions 6, headings 3, text 1.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from .exceptions import IndexUnusable
from .model import Article, ArticleAnswer, ArticleSummary, Choice, Heading, KeywordHit, Node, Passage, PublicArticle, Step

FILE_NAME = "articles.sqlite"

SCHEMA = """
CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    category TEXT NOT NULL,
    stage TEXT NOT NULL,
    audience TEXT NOT NULL,
    status TEXT NOT NULL,
    answer TEXT NOT NULL,
    owner TEXT NOT NULL,
    lang TEXT NOT NULL,
    updated TEXT NOT NULL,
    checked TEXT,
    review_by TEXT,
    questions TEXT NOT NULL,
    related TEXT NOT NULL,
    markdown TEXT NOT NULL,
    html TEXT NOT NULL,
    headings TEXT NOT NULL,
    steps TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles (id),
    section TEXT NOT NULL,
    anchor TEXT NOT NULL,
    text TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX passages_of_article ON passages (article);
CREATE VIEW public_articles AS SELECT * FROM articles WHERE audience = 'public' AND status = 'published';
CREATE VIRTUAL TABLE words USING fts5 (title, questions, headings, text, tokenize = "porter unicode61 remove_diacritics 2");
"""


@dataclass(frozen=True)
class StoredPassage:
    """A passage with what the chat shows of it: ``excerpt`` in plain text and ``body`` in nodes, short answer first."""

    passage: Passage
    excerpt: str
    body: tuple[Node, ...]


@dataclass(frozen=True)
class StoredArticle:
    """Everything written about one article: what its editor wrote and what was made of it."""

    article: Article
    answer: str
    html: str
    headings: tuple[Heading, ...]
    steps: tuple[Step, ...]
    excerpt: str
    body: tuple[Node, ...]
    passages: tuple[StoredPassage, ...]


@dataclass(frozen=True)
class RowSources:
    """What rows may stand for: title, answer and questions of each public article, and (article, text) of each passage."""

    articles: dict[int, tuple[str, str, frozenset[str]]]
    passages: dict[int, tuple[int, str]]


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a finished file. Raises `IndexUnusable` when it is not there or not readable."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as cause:
        raise IndexUnusable(f"{path} cannot be opened") from cause
    try:
        connection.row_factory = sqlite3.Row
        yield connection
    except sqlite3.Error as cause:
        raise IndexUnusable(f"{path} cannot be read") from cause
    finally:
        connection.close()


def write_articles(path: Path, articles: Iterable[StoredArticle]) -> None:
    """Write a new file; passages are numbered from 0 in the order given. Nothing is committed unless all of it is."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + SCHEMA)
        connection.execute("BEGIN")
        passage_id = 0
        for number, stored in enumerate(articles):
            _write_article(connection, number, stored)
            for passage in stored.passages:
                _write_passage(connection, passage_id, number, passage)
                passage_id += 1
        connection.execute("COMMIT")
        connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    finally:
        connection.close()


def _write_article(connection: sqlite3.Connection, number: int, stored: StoredArticle) -> None:
    article = stored.article
    row = {
        "id": number,
        "slug": article.slug,
        "path": article.path,
        "title": article.title,
        "kind": article.kind,
        "category": article.category,
        "stage": article.stage,
        "audience": article.audience,
        "status": article.status,
        "answer": stored.answer,
        "owner": article.owner,
        "lang": article.lang,
        "updated": article.updated.isoformat(),
        "checked": article.checked and article.checked.isoformat(),
        "review_by": article.review_by and article.review_by.isoformat(),
        "questions": _json(article.questions),
        "related": _json(article.related),
        "markdown": article.markdown,
        "html": stored.html,
        "headings": _json([vars(heading) for heading in stored.headings]),
        "steps": _json([{**vars(step), "choices": [vars(choice) for choice in step.choices]} for step in stored.steps]),
        "excerpt": stored.excerpt,
        "body": _json(stored.body),
    }
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO articles ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - names are the literals above
    words = (
        number,
        article.title,
        "\n".join(article.questions),
        "\n".join(heading.text for heading in stored.headings),
        "\n".join([stored.answer, *(passage.passage.text for passage in stored.passages)]),
    )
    connection.execute("INSERT INTO words (rowid, title, questions, headings, text) VALUES (?, ?, ?, ?, ?)", words)


def _write_passage(connection: sqlite3.Connection, number: int, article: int, stored: StoredPassage) -> None:
    passage = stored.passage
    row = (number, article, passage.section, passage.anchor, passage.text, stored.excerpt, _json(stored.body))
    connection.execute("INSERT INTO passages (id, article, section, anchor, text, excerpt, body) VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def public_article(connection: sqlite3.Connection, slug: str) -> PublicArticle | None:
    """The public article of that slug, or None."""
    row = connection.execute("SELECT * FROM public_articles WHERE slug = ?", (slug,)).fetchone()
    if row is None:
        return None
    return PublicArticle(
        slug=row["slug"],
        title=row["title"],
        kind=row["kind"],
        category=row["category"],
        stage=row["stage"],
        answer=row["answer"],
        html=row["html"],
        headings=tuple(Heading(**heading) for heading in json.loads(row["headings"])),
        steps=_steps(row["steps"]),
        related=_public_slugs(connection, json.loads(row["related"])),
        lang=row["lang"],
        updated=datetime.fromisoformat(row["updated"]),
        checked=_date(row["checked"]),
        review_by=_date(row["review_by"]),
    )


def article_answer(connection: sqlite3.Connection, slug: str) -> ArticleAnswer | None:
    """The public article of that slug as the chat shows it, or None."""
    return _article_answer(connection.execute("SELECT * FROM public_articles WHERE slug = ?", (slug,)).fetchone())


def article_by_number(connection: sqlite3.Connection, number: int) -> ArticleAnswer | None:
    """The public article of that number as the chat shows it, or None."""
    return _article_answer(connection.execute("SELECT * FROM public_articles WHERE id = ?", (number,)).fetchone())


def _article_answer(row: sqlite3.Row | None) -> ArticleAnswer | None:
    if row is None:
        return None
    return ArticleAnswer(
        slug=row["slug"],
        title=row["title"],
        kind=row["kind"],
        category=row["category"],
        stage=row["stage"],
        section="",
        anchor="",
        url=f"/help/{row['slug']}",
        answer=row["answer"],
        excerpt=row["excerpt"],
        body=tuple(json.loads(row["body"])),
        steps=_steps(row["steps"]),
    )


def stored_passage(connection: sqlite3.Connection, number: int) -> StoredPassage:
    """The passage of that number. Raises `IndexUnusable` when there is none: vectors and articles disagree."""
    row = connection.execute("SELECT * FROM passages WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise IndexUnusable(f"there is no passage {number}")
    return StoredPassage(Passage(row["section"], row["anchor"], row["text"], ()), row["excerpt"], tuple(json.loads(row["body"])))


def public_paths(connection: sqlite3.Connection) -> dict[str, str]:
    """The file of each public article, relative to the articles' folder, by slug."""
    return {row["slug"]: row["path"] for row in connection.execute("SELECT slug, path FROM public_articles")}


def written(connection: sqlite3.Connection) -> set[tuple[str, str, str, str, str, str]]:
    """Slug, path, title, audience, status and Markdown of every article, public or not."""
    return {tuple(row) for row in connection.execute("SELECT slug, path, title, audience, status, markdown FROM articles")}


def row_sources(connection: sqlite3.Connection) -> RowSources:
    """Everything that rows are made from."""
    articles = connection.execute("SELECT id, title, answer, questions FROM public_articles")
    passages = connection.execute("SELECT id, article, text FROM passages")
    return RowSources(
        {row["id"]: (row["title"], row["answer"], frozenset(json.loads(row["questions"]))) for row in articles},
        {row["id"]: (row["article"], row["text"]) for row in passages},
    )


def summaries(connection: sqlite3.Connection) -> tuple[ArticleSummary, ...]:
    """Every public article, by category and title."""
    rows = connection.execute("SELECT * FROM public_articles ORDER BY category, title COLLATE NOCASE, slug")
    return tuple(
        ArticleSummary(row["slug"], row["title"], row["kind"], row["category"], row["stage"], row["answer"], datetime.fromisoformat(row["updated"]))
        for row in rows
    )


def keyword_search(connection: sqlite3.Connection, text: str, limit: int) -> tuple[KeywordHit, ...]:
    """Public articles that share words with ``text``, best first by BM25. The last word also matches as a beginning."""
    query = match_query(text)
    if not query or limit < 1:
        return ()
    rows = connection.execute(
        "SELECT slug, public_articles.title, kind, category, answer, excerpt, snippet(words, 3, '', '', '…', 40) AS found FROM words"
        " JOIN public_articles ON public_articles.id = words.rowid WHERE words MATCH ? ORDER BY bm25(words, 8, 6, 3, 1), slug LIMIT ?",
        (query, limit),
    )
    return tuple(
        KeywordHit(row["slug"], row["title"], row["kind"], row["category"], f"/help/{row['slug']}", _shortened(row["found"] or row["answer"]))
        for row in rows
    )


def match_query(text: str) -> str:
    """An FTS5 expression that looks for any word of ``text``: quoted, so that no word is read as an operator. At most 32 words."""
    words = re.findall(r"\w+", text)[:32]
    if not words:
        return ""
    quoted = [f'"{word}"' for word in words]
    return " OR ".join([*quoted[:-1], f"{quoted[-1]}*"])


def _public_slugs(connection: sqlite3.Connection, slugs: list[str]) -> tuple[str, ...]:
    return tuple(slug for slug in slugs if connection.execute("SELECT 1 FROM public_articles WHERE slug = ?", (slug,)).fetchone())


def _steps(text: str) -> tuple[Step, ...]:
    return tuple(
        Step(step["id"], step["title"], step["text"], tuple(step["body"]), tuple(Choice(**choice) for choice in step["choices"]))
        for step in json.loads(text)
    )


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shortened(text: str) -> str:
    return " ".join(text.split())[:300]
