"""What an editor has taken away is not shown, however far the index is behind."""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from knowledge_base.aim import Aim
from knowledge_base.library import Library
from knowledge_base.live import LiveIndex, Place
from knowledge_base.withdrawal import Withdrawal
from tests.knowledge_base.conftest import NOW

REFUND = "returns/refund-times"


def gone(articles):
    (articles.folder / f"{REFUND}.md").unlink()


def internal(articles):
    articles.add(REFUND, "When the refund arrives", "where is my refund money", audience="internal")


def draft(articles):
    articles.add(REFUND, "When the refund arrives", "where is my refund money", status="draft")


def broken(articles):
    articles.write(f"{REFUND}.md", "---\nkind: faq\n---\n")


WAYS = [gone, internal, draft, broken]


@pytest.mark.parametrize("withdraw", WAYS)
def test_the_help_centre_withdraws_by_itself(shop, built, index, withdraw):
    """Without the service that builds: not as a page, in a list, as a hit, or beside another article."""
    shop.add("returns/return-a-product", "Return a product", "send the lamp back", related="[refund-times]", body="Print the return label.")
    built()
    library = Library(index, shop.folder)
    assert library.article("refund-times") is not None
    assert library.article("return-a-product").related == ("refund-times",)
    before = {category.name: category.articles for category in library.categories()}
    withdraw(shop)
    assert library.article("refund-times") is None
    assert "refund-times" not in [article.slug for article in library.articles()]
    assert "refund-times" not in [hit.slug for hit in library.keyword_search("refund money five days")]
    assert library.article("return-a-product").related == ()
    assert {category.name: category.articles for category in library.categories()} == {**before, "returns": before["returns"] - 1}
    assert len(library.articles()) == 4


def test_an_edited_text_may_wait(shop, built, index):
    """Only whether an article may be shown is looked at; it comes back when it is public again."""
    built()
    library = Library(index, shop.folder)
    shop.add(REFUND, "When the money arrives")
    assert library.article("refund-times").title == "When the refund arrives"
    internal(shop)
    assert library.article("refund-times") is None
    shop.add(REFUND, "When the money arrives")
    assert library.article("refund-times") is not None


def test_articles_that_are_not_on_this_machine_stay(shop, built, index):
    """The folder as a whole is away, which says nothing of any article."""
    built()
    library = Library(index, shop.folder)
    shop.folder.rename(shop.folder.with_name("away"))
    assert len(library.articles()) == 5


def test_an_unchanged_file_is_not_read(tmp_path):
    """Made long after the file: its words do not matter."""
    (tmp_path / "a.md").write_text("not an article")
    assert not Withdrawal(tmp_path).is_withdrawn("a.md", NOW + timedelta(days=36_500))
    assert Withdrawal(tmp_path).is_withdrawn("a.md", NOW - timedelta(days=36_500))


@contextmanager
def no_room() -> Iterator[None]:
    """Nothing can be written to any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def found(live: LiveIndex) -> set[str]:
    return {hit.slug for hit in live.searcher.search("router refund parcel lamp network", 20).hits}


@pytest.mark.parametrize("withdraw", WAYS)
def test_search_withdraws_although_it_cannot_build(shop, index, embedder, clock, caplog, withdraw):
    """With a full disk the other articles are found on, this one is not, neither by words nor by name, also after a restart."""
    caplog.set_level(logging.CRITICAL)
    live = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    live.follow()
    first = live.searcher.loaded.name
    assert "refund-times" in found(live)
    withdraw(shop)
    again = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    for one in (live, again):
        with no_room():
            one.follow()
        assert one.searcher.loaded.name == first
        assert one.searcher.article("refund-times") is None
        assert found(one) == {"router-red-light", "router-orange-light", "where-is-my-order", "return-a-product"}
