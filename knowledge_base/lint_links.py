"""Links, anchors, pictures and related articles: each leads somewhere, and never to what its reader may not see."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urljoin, urlsplit

from .lint import Finding, Shelf, meant
from .media import ADDRESS, media_file
from .model import Article
from .references import LINK, PICTURE, Reference, references
from .rendering import resolved_link, resolved_source

HELP = "/help/"


def related_findings(article: Article, shelf: Shelf) -> Iterator[Finding]:
    """What is wrong with the list of related articles."""
    for slug in article.related:
        if reason := _wrong_related(article, slug, shelf):
            # Nobody is led astray: what cannot be shown is left out of the list.
            yield Finding(article.path, shelf.lines[article.slug].of("related", slug), reason, is_error=slug not in shelf.articles)


def link_findings(article: Article, shelf: Shelf) -> Iterator[Finding]:
    """What is wrong with the links, pictures and videos of an article whose Markdown could be parsed."""
    for reference in references(article.markdown):
        rule = _wrong_link if reference.kind == LINK else _wrong_source
        for reason in rule(article, reference, shelf):
            yield Finding(article.path, article.body_line + reference.line, reason)


def _wrong_related(article: Article, slug: str, shelf: Shelf) -> str:
    other = shelf.articles.get(slug)
    if other is None:
        return f"the related article {slug!r} does not exist{meant(slug, shelf.articles)}"
    if slug == article.slug:
        return "the article is related to itself"
    if article.is_public and not other.is_public:
        return f"the related article {slug!r} is {_state(other)}, so customers are not shown it"
    return ""


def _wrong_link(article: Article, link: Reference, shelf: Shelf) -> Iterator[str]:
    address = urljoin(HELP + article.slug, link.target) if link.raw else resolved_link(link.target)
    if not address:
        yield f"the link to {link.target!r} leads nowhere: wanted an article's name, #a-heading, or an address that begins with https://"
        return
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return
    if not parts.path and parts.fragment:
        yield from _wrong_anchor(article, unquote(parts.fragment), shelf, "this article")
    elif parts.path.startswith(ADDRESS):
        yield from _wrong_media(unquote(parts.path), link.target, shelf)
    elif parts.path.startswith(HELP) and len(parts.path) > len(HELP):
        yield from _wrong_article(article, unquote(parts.path.removeprefix(HELP)), unquote(parts.fragment), shelf)


def _wrong_article(article: Article, slug: str, anchor: str, shelf: Shelf) -> Iterator[str]:
    other = shelf.articles.get(slug)
    if other is None:
        yield f"the link leads to the article {slug!r}, which does not exist{meant(slug, shelf.articles)}"
    elif article.audience == "public" and other.audience == "internal":
        yield f"the link from a public article leads to {slug!r}, which is internal: customers must not learn of it"
    elif article.status == "published" and other.status != "published":
        yield f"the link leads to {slug!r}, which is {_state(other)}: readers will not find it"
    elif anchor:
        yield from _wrong_anchor(other, anchor, shelf, repr(slug))


def _wrong_anchor(article: Article, anchor: str, shelf: Shelf, name: str) -> Iterator[str]:
    anchors = [heading.anchor for heading in shelf.pages[article.slug].headings]
    if anchor not in anchors:
        yield f"the link leads to '#{anchor}', but {name} has no such heading{meant(anchor, anchors)}"


def _wrong_source(article: Article, reference: Reference, shelf: Shelf) -> Iterator[str]:
    noun = "picture" if reference.kind == PICTURE else "file"
    folder = article.path.rpartition("/")[0]
    address = urljoin(HELP + article.slug, reference.target) if reference.raw else resolved_source(reference.target, folder)
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        yield f"the {noun} {reference.target!r} lies on another site and is not shown: put it into a folder media"
    elif not address.startswith(ADDRESS):
        yield f"the {noun} {reference.target!r} does not lie in a folder media{', as /help/media/…' if reference.raw else ''}, so it is not shown"
    else:
        yield from _wrong_media(unquote(parts.path), reference.target, shelf, noun)
    # In HTML an empty description is how one says that a picture is decoration.
    if reference.kind == PICTURE and (reference.alt is None if reference.raw else not reference.alt):
        yield f"the picture {reference.target!r} has no description: say what it shows, for who cannot see it"


def _wrong_media(address: str, target: str, shelf: Shelf, noun: str = "file") -> Iterator[str]:
    if media_file(shelf.folder, address.removeprefix(ADDRESS)) is None:
        yield f"the {noun} {target!r} does not exist"


def _state(article: Article) -> str:
    if article.status != "published":
        return {"draft": "a draft", "archived": "archived"}[article.status]
    return article.audience
