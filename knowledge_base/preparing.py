"""An article as its editor wrote it into everything that is stored and shown of it. Pure; about 3 ms an article."""

from __future__ import annotations

import posixpath

from .article_store import StoredArticle, StoredPassage
from .cutting import cut_passages, first_sentences, shortened
from .guides import steps_of
from .model import Article, Node, Passage
from .nodes import text_nodes
from .rendering import render


def prepare(article: Article) -> StoredArticle:
    """Render, cut and shorten. The answer is the written one, else the first sentences, else the title."""
    page = render(article.markdown, posixpath.dirname(article.path))
    path = f"/help/{article.slug}"
    passages = cut_passages(page, path)
    answer = article.answer or (first_sentences(passages[0].text) if passages else article.title)
    return StoredArticle(
        article=article,
        answer=answer,
        html=page.html,
        headings=page.headings,
        steps=steps_of(page, path) if article.kind == "guide" else (),
        excerpt=shortened(answer),
        body=text_nodes(answer),
        passages=tuple(_stored(passage, answer, bool(article.answer)) for passage in passages),
    )


def _stored(passage: Passage, answer: str, written: bool) -> StoredPassage:
    """What the chat shows for a passage: the short answer if one was written, then the passage when it adds something."""
    adds = _words(passage.text) not in _words(answer)
    body: tuple[Node, ...] = text_nodes(answer) if written or not adds else ()
    return StoredPassage(passage, shortened(passage.text), body + passage.body if adds else body)


def _words(text: str) -> str:
    return " ".join(text.lower().split())
