"""Generations: built beside, checked before use, swapped whole; only what is new goes through the model."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import numpy as np
import pytest

from knowledge_base import generations
from knowledge_base.aim import Aim
from knowledge_base.building import build, fingerprint, read_far_messages, settle_again
from knowledge_base.exceptions import IndexUnusable
from knowledge_base.index_files import known_vectors, load_index
from knowledge_base.reading import read_folder
from knowledge_base.searching import Searcher


def live_folder(index):
    return index / generations.current_name(index)


def test_a_question_finds_its_article(searcher):
    """With section, address, answer, excerpt and nodes."""
    answer = searcher.search("unplug the router and wait 30 seconds", 3)
    hit = answer.hits[0]
    assert (hit.slug, hit.section, hit.anchor) == ("router-red-light", "Step 1: Restart the router", "step-1-restart-the-router")
    assert hit.url == "/help/router-red-light#step-1-restart-the-router"
    assert hit.answer.startswith("Restart the router")
    assert hit.excerpt == "Unplug the router, wait 30 seconds and plug it in again."
    assert hit.body[0]["children"][0]["text"] == hit.answer
    assert answer.generation == searcher.loaded.name


def test_a_guide_is_shown_by_its_short_answer_alone(searcher):
    """Its steps are walked one by one, so no step's text or choices stand in a hit; an FAQ keeps answer and passage."""
    guide = searcher.search("look at the light on the front", 3).hits[0]
    assert (guide.kind, guide.section) == ("guide", "Step 2: What colour is the light?")
    assert [node["children"][0]["text"] for node in guide.body] == [guide.answer]
    faq = searcher.search("how long does the refund take", 3).hits[0]
    assert (faq.slug, faq.kind) == ("refund-times", "faq")
    assert "It takes five days." in str(faq.body)


@pytest.mark.parametrize(
    ("text", "slug"),
    [("my router has a red light", "router-red-light"), ("track my parcel", "where-is-my-order"), ("send the lamp back", "return-a-product")],
)
def test_an_articles_own_questions_find_it_surely(searcher, text, slug):
    """Word for word they are as sure as it gets."""
    answer = searcher.search(text, 3)
    assert answer.hits[0].slug == slug
    assert answer.verdict == "answer"


def test_what_nothing_answers_is_not_answered(searcher):
    """Hits are given with the confidence they have, which is little."""
    answer = searcher.search("xylophone quartz vendetta", 3)
    assert answer.verdict == "none"
    assert answer.hits[0].confidence < answer.cutoffs.offer


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_a_blank_question_has_no_hits(searcher, text):
    """And is no error."""
    answer = searcher.search(text, 3)
    assert (answer.hits, answer.verdict) == ((), "none")


def test_a_very_long_question_is_cut_and_answered(searcher):
    """Ten thousand characters and more."""
    assert searcher.search("track my parcel " * 1_000, 3).hits[0].slug == "where-is-my-order"


def test_staff_and_draft_articles_are_never_hits(searcher):
    """Not even for their very words."""
    for text in ("secret staff refund limit", "Staff notes about refunds", "tracking draft page", "New tracking page", "Up to 50."):
        assert {hit.slug for hit in searcher.search(text, 20).hits} == {
            "refund-times",
            "return-a-product",
            "router-orange-light",
            "router-red-light",
            "where-is-my-order",
        }
    assert searcher.article("staff-notes") is searcher.article("new-tracking") is None


def test_titles_alone_are_enough(articles, built, index, embedder):
    """No text, no phrasings: the prior calibrates, the title finds."""
    articles.add("late-fee", "Late fee on my bill")
    articles.add("close-account", "Close my account")
    searcher = Searcher(load_index(index / built().generation, embedder.checksum), embedder)
    answer = searcher.search("why is there a late fee on the bill", 3)
    assert (answer.hits[0].slug, answer.hits[0].body[0]["children"][0]["text"]) == ("late-fee", "Late fee on my bill")
    assert searcher.loaded.settled.calibration.questions == 0


def test_no_articles_at_all_is_an_index_too(articles, built, index, embedder):
    """It finds nothing and says so."""
    searcher = Searcher(load_index(index / built().generation, embedder.checksum), embedder)
    assert searcher.search("anything", 3).hits == ()


def test_only_new_texts_are_embedded(shop, built, embedder):
    """An edit costs its own texts; an unchanged folder none."""
    built()
    embedder.embedded.clear()
    shop.add("network/guest-wifi", "Guest network", "visitors on my wifi", body="Switch it on in the app.")
    assert built().embedded == 3
    assert embedder.embedded == ["Guest network", "visitors on my wifi", "Guest network\nSwitch it on in the app."]
    embedder.embedded.clear()
    assert built().embedded == 0
    assert embedder.embedded == []


def test_the_manifest_says_what_was_decided(shop, built, index):
    """Cut-offs and the table behind them, for editors to see."""
    built()
    manifest = generations.read_manifest(live_folder(index))
    calibration = manifest["settled"]["calibration"]
    assert calibration["questions"] == 8
    assert 0 < calibration["cutoffs"]["offer"] <= calibration["cutoffs"]["answer"] < 1
    assert len(calibration["table"]) == 19
    assert manifest["settled_here"] is True


def test_settling_again_decides_the_same(shop, built, index, embedder):
    """From the generation's own texts and vectors, without reading articles."""
    built()
    before = load_index(live_folder(index), embedder.checksum).settled
    assert settle_again(index, embedder.checksum, Aim()) == before
    assert settle_again(index, embedder.checksum, Aim(0.9)) != before


def test_equal_articles_have_equal_fingerprints(shop):
    """Whatever the order and time of reading; an edit changes it."""
    first = fingerprint(read_folder(shop.folder))
    assert fingerprint(read_folder(shop.folder)) == first
    shop.add("returns/refund-times", "When the refund arrives", body="It takes six days.")
    assert fingerprint(read_folder(shop.folder)) != first


def test_any_damage_is_noticed(shop, built, index, embedder):
    """One bit anywhere in any file, a file cut short, taken away or swapped with that of another generation."""
    old = index / built().generation
    shop.add("network/guest-wifi", "Guest network")
    folder = index / built().generation
    random = np.random.default_rng(7)
    load_index(folder, embedder.checksum)
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        damaged = [whole[: len(whole) // 2], b""]
        damaged += [(old / file.name).read_bytes()] if file.name != "manifest.json" else []
        for place in random.integers(0, len(whole), 20):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << int(random.integers(8))
            damaged.append(bytes(flipped))
        for data in damaged:
            file.write_bytes(data)
            with pytest.raises(IndexUnusable):
                load_index(folder, embedder.checksum)
        file.unlink()
        with pytest.raises(IndexUnusable):
            load_index(folder, embedder.checksum)
        file.write_bytes(whole)
    load_index(folder, embedder.checksum)


def test_vectors_of_another_model_are_never_used(shop, built, index, embedder):
    """Neither to answer nor to save work."""
    folder = index / built().generation
    with pytest.raises(IndexUnusable, match="another embedding model"):
        load_index(folder, "another")
    assert known_vectors(index, "another") == {}
    assert len(known_vectors(index, embedder.checksum)) > len(read_far_messages())


@pytest.mark.parametrize("name", ["", "../..", "20261121T190000Z-3f9c2a/..", "nonsense", "20261121T190000Z-ffffff", "\u00e4"])
def test_a_pointer_to_nothing_is_no_index(index, name, embedder):
    """It never leads out of the index."""
    index.mkdir()
    (index / "current").write_text(name, encoding="utf-8")
    with pytest.raises(IndexUnusable):
        load_index(index / generations.current_name(index), embedder.checksum)


def test_old_generations_go_after_their_grace(shop, built, index):
    """The live one stays; so do young ones, which a reader may just have learnt of, and what is not ours."""
    old = index / built().generation
    os.utime(old, (1, 1))
    live = index / built().generation
    (index / "notes").mkdir()
    half_built = index / "building-1-20261121T190000Z-3f9c2a"
    half_built.mkdir()
    generations.prune(index)
    assert old.exists()
    for folder in (old, live, half_built, index / "notes"):
        os.utime(folder, (1, 1))
    generations.prune(index)
    assert sorted(path.name for path in index.iterdir()) == sorted([live.name, "current", "notes"])


def _build_for_ever(folder, index, embedder) -> None:
    while True:
        build(read_folder(folder), index, embedder, aim=Aim(), now=datetime.now(timezone.utc))


def test_a_build_killed_half_way_leaves_the_old_index(shop, built, index, embedder):
    """Twenty times at random moments: what is live is always whole."""
    built()
    random = np.random.default_rng(11)
    context = multiprocessing.get_context("fork")
    for _ in range(20):
        process = context.Process(target=_build_for_ever, args=(shop.folder, index, embedder))
        process.start()
        time.sleep(float(random.uniform(0.02, 0.25)))
        os.kill(process.pid, signal.SIGKILL)
        process.join(10)
        process.close()
        searcher = Searcher(load_index(live_folder(index), embedder.checksum), embedder)
        assert searcher.search("track my parcel", 1).hits[0].slug == "where-is-my-order"


def test_many_threads_may_ask_at_once(searcher):
    """They all get the same answer."""
    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(lambda _: json.dumps(searcher.search("orange lamp", 3).hits[0].slug), range(64)))
    assert answers == {'"router-orange-light"'}


def test_a_build_tells_how_far_it_is(shop, index, embedder):
    """All characters of what is new, and nothing the second time."""
    told = []
    build(read_folder(shop.folder), index, embedder, aim=Aim(), now=datetime.now(timezone.utc), told=lambda *one: told.append(one))
    assert sum(done for done, _ in told) == sum(more for _, more in told) == sum(map(len, embedder.embedded)) > 0
    told.clear()
    build(read_folder(shop.folder), index, embedder, aim=Aim(), now=datetime.now(timezone.utc), told=lambda *one: told.append(one))
    assert told == [(0, 0)]
