"""The live index follows the folder: an edit is there at the next look, and nothing wrong takes the rest away."""

from __future__ import annotations

import logging

import pytest

from knowledge_base import generations
from knowledge_base.aim import Aim
from knowledge_base.building import settle_again
from knowledge_base.exceptions import IndexUnusable
from knowledge_base.index_files import PROVED, read_texts
from knowledge_base.live import QUIET_S, RETRY_S, LiveIndex, Place

from .conftest import WordEmbedder


def slugs(live) -> set[str]:
    return {hit.slug for hit in live.searcher.search("router refund parcel lamp network", 20).hits}


def test_edits_are_live_at_the_next_look(live, shop):
    """New, changed, gone."""
    live.follow()
    file = shop.add("network/guest-wifi", "Guest network")
    live.follow()
    assert live.searcher.article("guest-wifi").title == "Guest network"
    shop.add("network/guest-wifi", "Network for visitors")
    live.follow()
    assert live.searcher.article("guest-wifi").title == "Network for visitors"
    file.unlink()
    live.follow()
    assert live.searcher.article("guest-wifi") is None
    assert len(slugs(live)) == 5


def test_making_an_article_internal_takes_it_away(live, shop):
    """As soon as the file says so."""
    live.follow()
    shop.add("returns/refund-times", "When the refund arrives", "where is my refund money", audience="internal")
    live.follow()
    assert live.searcher.article("refund-times") is None
    assert "refund-times" not in slugs(live)


def test_a_bad_article_goes_and_the_rest_stay(live, shop):
    """It is counted until it is put right."""
    live.follow()
    shop.write("returns/refund-times.md", "---\nkind: faq\n---\n")
    live.follow()
    assert live.problems == 1
    assert len(slugs(live)) == 4
    shop.add("returns/refund-times", "When the refund arrives")
    live.follow()
    assert live.problems == 0
    assert len(slugs(live)) == 5


def test_nothing_is_built_while_nothing_changes(live):
    """Looking is cheap."""
    live.follow()
    before = live.searcher
    for _ in range(5):
        live.follow()
    assert live.searcher is before


def test_a_restart_takes_up_the_live_generation(live, shop, index, embedder, clock):
    """Nothing is built again, and a few texts are embedded to see that the vectors are this model's; what changed meanwhile is noticed."""
    live.follow()
    embedder.embedded.clear()
    again = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    again.follow()
    assert again.searcher.loaded.name == live.searcher.loaded.name
    assert len(embedder.embedded) == PROVED
    shop.add("network/guest-wifi", "Guest network")
    third = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    third.follow()
    assert third.searcher.article("guest-wifi") is not None


def test_a_generation_built_by_another_process_is_taken_up(live, built):
    """Such as by the command line."""
    live.follow()
    name = built().generation
    live.follow()
    assert live.searcher.loaded.name == name


@pytest.mark.parametrize("name", ["vectors.npy", "ranking.npz", "texts.json", "articles.sqlite", "manifest.json"])
def test_a_damaged_index_is_built_again(live, shop, index, embedder, clock, caplog, name):
    """Noticed while it serves and at the next start; it is never served."""
    live.follow()
    folder = index / generations.current_name(index)
    (folder / name).write_bytes(b"damaged")
    again = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock)
    for one in (live, again):
        one.follow()
        assert one.searcher.loaded.name != folder.name
        assert len(slugs(one)) == 5
    assert again.searcher.loaded.name != folder.name
    assert "building one" in caplog.text


def test_an_index_of_another_model_is_built_anew(live, shop, index, clock, caplog):
    """Such as after an upgrade of the kit: it is not served, and none of its vectors is taken over."""
    live.follow()
    newer = WordEmbedder("newer")
    again = LiveIndex(Place(shop.folder, index, Aim()), newer, clock)
    again.follow()
    assert again.searcher.loaded.manifest["embedding"] == "newer"
    assert "made with another embedding model" in caplog.text
    assert set(read_texts(again.searcher.loaded.folder)[0]) <= set(newer.embedded)


def test_damaged_articles_are_not_served_until_the_next_look_either(live, index):
    """The answer fails rather than be made from a file that nobody checked."""
    live.follow()
    file = index / generations.current_name(index) / "articles.sqlite"
    file.write_bytes(file.read_bytes())
    with pytest.raises(IndexUnusable):
        live.searcher.search("router", 3)
    live.follow()
    assert live.searcher.search("router", 3).hits


def test_a_build_that_fails_is_tried_again_later(live, shop, index, clock, caplog):
    """A full disk, say: what was live stays meanwhile."""
    live.follow()
    before = live.searcher
    moved = index.with_name("moved")
    index.rename(moved)
    index.write_text("a file where the folder was")
    shop.add("network/guest-wifi", "Guest network")
    caplog.set_level(logging.CRITICAL)
    live.follow()
    assert live.searcher is before
    index.unlink()
    moved.rename(index)
    live.follow()
    assert live.searcher.article("guest-wifi") is None
    clock.move(RETRY_S)
    live.follow()
    assert live.searcher.article("guest-wifi") is not None


def test_an_edit_keeps_the_calibration_until_the_folder_is_quiet(shop, index, embedder, clock):
    """Then it is settled anew behind, once, and swapped in."""
    asked = []
    live = LiveIndex(Place(shop.folder, index, Aim()), embedder, clock, lambda: asked.append(clock.now))
    live.follow()
    first = live.searcher.loaded.settled
    shop.add("network/guest-wifi", "Guest network", "visitors on my wifi", "password for guests")
    live.follow()
    assert live.searcher.loaded.settled == first
    assert asked == []
    clock.move(QUIET_S)
    live.follow()
    live.follow()
    assert len(asked) == 1
    live.take_over(settle_again(index, embedder.checksum, Aim()))
    assert live.searcher.loaded.settled.calibration.questions == first.calibration.questions + 2
    clock.move(QUIET_S)
    live.follow()
    assert len(asked) == 1


@pytest.mark.parametrize("count", [3])
def test_an_empty_folder_fills_up(articles, index, embedder, clock, count):
    """From no article to some, without a restart."""
    live = LiveIndex(Place(articles.folder, index, Aim()), embedder, clock)
    live.follow()
    assert live.searcher.loaded.rows.articles == 0
    for number in range(count):
        articles.add(f"a{number}", f"Article number {number}")
    live.follow()
    assert live.searcher.loaded.rows.articles == count


@pytest.mark.parametrize("name", ["vectors.npy", "texts.json", "manifest.json"])
def test_damage_while_serving_costs_no_embedding(live, index, embedder, name):
    """What was checked when it was loaded is still in memory; only what proves the new generation goes through the model."""
    live.follow()
    before = live.searcher.loaded.name
    (index / before / name).write_bytes(b"damaged")
    embedder.embedded.clear()
    live.follow()
    assert live.searcher.loaded.name != before
    assert len(embedder.embedded) == PROVED
