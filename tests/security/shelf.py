"""An index of made-up articles, as a build would leave it, without a model; with the sanitiser taken out where a test wants that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from markdown_it import MarkdownIt

from knowledge_base import article_store, generations
from knowledge_base.article_store import StoredArticle
from knowledge_base.model import Article
from knowledge_base.preparing import prepare

BUILT = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
Prepare = Callable[[Article], StoredArticle]


def article(slug: str, title: str, markdown: str = "", **more: object) -> Article:
    """An article as its file would give it."""
    return Article(slug=slug, path=f"general/{slug}.md", title=title, markdown=markdown, updated=BUILT, **more)


def unsanitised(written: Article) -> StoredArticle:
    """As `prepare`, but the page is what the Markdown parser makes of it: any HTML and any address come through."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.validateLink = lambda url: True
    return replace(prepare(written), html=parser.render(written.markdown))


def put_on_shelf(index: Path, articles: Sequence[Article], prepared: Prepare = prepare) -> None:
    """Write the articles as a generation and make it live."""
    folder = index / "building-1"
    folder.mkdir(parents=True)
    article_store.write_articles(folder / article_store.FILE_NAME, [prepared(one) for one in articles])
    generations.finish(folder, {})
    generations.make_live(index, folder, generations.new_name(BUILT))
