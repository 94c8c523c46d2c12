"""The articles of the live generation, read without a model; what is not public never comes out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from knowledge_base import generations
from knowledge_base.exceptions import LibraryUnavailable
from knowledge_base.library import Library
from knowledge_base.media import media_file, media_url

PUBLIC = ["refund-times", "return-a-product", "router-orange-light", "router-red-light", "where-is-my-order"]


@pytest.fixture
def library(shop, built, index) -> Library:
    built()
    return Library(index)


def test_an_article_is_there_with_all_that_a_page_shows(library):
    """Title, answer, HTML, headings, steps, and only related articles that are public."""
    article = library.article("router-red-light")
    assert (article.title, article.kind, article.category, article.url) == ("Router shows a red light", "guide", "network", "/help/router-red-light")
    assert '<h2 id="step-1-restart-the-router">' in article.html
    assert article.headings[0].anchor == "step-1-restart-the-router"
    assert len(article.steps) == 3
    assert article.related == ("router-orange-light",)
    assert article.updated.tzinfo is not None


def test_only_public_articles_come_out(library):
    """Neither by slug, list, category, nor by any of their words."""
    assert sorted(article.slug for article in library.articles()) == PUBLIC
    assert [(category.name, category.articles) for category in library.categories()] == [("network", 2), ("orders", 1), ("returns", 2)]
    for slug in ("staff-notes", "new-tracking", "nothing", "", "router-red-light' --"):
        assert library.article(slug) is None
    for text in ("secret staff refund limit", "tracking draft page", "Up to 50", "staff notes"):
        assert not {"staff-notes", "new-tracking"} & {hit.slug for hit in library.keyword_search(text, 20)}


def test_keywords_find_stems_beginnings_and_questions(library):
    """Best first; the last word may be unfinished; titles weigh most."""
    assert library.keyword_search("returning products")[0].slug == "return-a-product"
    assert library.keyword_search("parc")[0].slug == "where-is-my-order"
    assert library.keyword_search("internet lamp")[0].slug == "router-red-light"
    assert len(library.keyword_search("the router refund", 2)) == 2
    assert all(len(hit.excerpt) <= 300 and hit.excerpt for hit in library.keyword_search("router"))


@pytest.mark.parametrize("text", ["", "  ", "???", '"', "a OR", "NEAR(", "*", "title:router", "router AND", "\0", "^router", "(" * 1000, "-", "🙂"])
def test_no_text_breaks_the_keyword_search(library, text):
    """Words are words, never operators."""
    assert isinstance(library.keyword_search(text), tuple)


def test_limits_below_one_find_nothing(library):
    """And none is an error."""
    assert library.keyword_search("router", 0) == library.keyword_search("router", -1) == ()


def test_it_follows_the_live_generation(library, articles, built):
    """Without being told; many threads at once while generations change."""
    first = library.generation()
    articles.add("new", "A new article")
    with ThreadPoolExecutor(4) as threads:
        reads = [threads.submit(lambda: library.article("router-red-light").slug) for _ in range(100)]
        built()
        assert {read.result() for read in reads} == {"router-red-light"}
    assert library.article("new").title == "A new article"
    assert library.generation() != first


def test_without_an_index_it_says_so(index, shop, built):
    """Until one is built."""
    library = Library(index)
    with pytest.raises(LibraryUnavailable):
        library.articles()
    built()
    assert len(library.articles()) == 5


def test_a_damaged_file_is_never_read(library, index):
    """Also when the damage comes after the first look."""
    library.articles()
    file = index / generations.current_name(index) / "articles.sqlite"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(LibraryUnavailable):
        library.articles()


def test_media_have_addresses_and_files(articles):
    """Shared ones and those of a category; nothing outside a media folder."""
    shared = articles.write("media/a b.png", b"1")
    own = articles.write("network/media/x.png", b"2")
    assert media_url("media/a b.png") == "/help/media/a%20b.png"
    assert media_url("network/../network/media/x.png") == "/help/media/network/x.png"
    assert media_file(articles.folder, "a b.png") == shared
    assert media_file(articles.folder, "network/x.png") == own
    articles.write("secret.txt", b"3")
    (articles.folder / "media" / "link.png").symlink_to("../secret.txt")
    for name in ("../secret.txt", "secret.txt", "link.png", "", "/etc/passwd", "a/../../secret.txt", ".hidden", "a\0b", "..\\secret.txt"):
        assert media_file(articles.folder, name) is None
    for path in ("secret.txt", "../media/x.png", "media", "/etc/passwd"):
        assert media_url(path) == ""
