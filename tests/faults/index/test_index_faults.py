"""A damaged index is noticed, never served and built anew; a killed build leaves the old one; and the trial itself can tell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from knowledge_base import index_files
from knowledge_base.live import LiveIndex
from knowledge_base.searching import Searcher
from tests.faults.index.damage import damages
from tests.faults.index.killed import kill_builds
from tests.faults.index.trial import temporary_world, try_all, try_one
from tests.faults.index.world import WordEmbedder, World, sign


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with temporary_world() as world:
        yield world


def test_there_are_five_hundred_ways_and_the_same_ones_each_time():
    """Every kind among them."""
    names = [(damage.kind, damage.name) for damage in damages()]
    assert len(names) == 500
    assert names == [(damage.kind, damage.name) for damage in damages()]
    assert len({kind for kind, _ in names}) >= 25


def test_damage_is_noticed_never_shown_and_mended(world):
    """Forty of the five hundred, at least one of most kinds; the others run with the faults."""
    assert [str(verdict) for verdict in try_all(world, damages(40)) if verdict.faults] == []


def test_builds_killed_half_way_leave_the_old_index(world):
    """At steps on disk and at random moments."""
    kills = kill_builds(world, 10)
    assert sum(kill.died for kill in kills) >= 7
    assert [kill for kill in kills if kill.fault] == []


class TrustingIndex(LiveIndex):
    """Believes whatever lies there: the checksums are made right before it looks, and nothing is proved."""

    def _loaded(self, folder):
        sign(folder)
        return Searcher(index_files.load_index(folder, self._embedder.checksum), self._embedder)


def trusting(place, embedder: WordEmbedder) -> LiveIndex:
    return TrustingIndex(place, embedder, lambda: datetime.now(timezone.utc))


@pytest.mark.parametrize(
    ("kind", "name", "fault"),
    [
        ("file of an older generation", "articles.sqlite", "showed something wrong"),
        ("mixed generations, signed", "vectors.npy, texts.json, ranking.npz, articles.sqlite of old", "showed something wrong"),
        ("contents changed, signed", "texts: turned round", "not noticed"),
        ("a file too many", "notes.txt", "not noticed"),
    ],
)
def test_a_loader_that_trusts_is_found_out(world, kind, name, fault):
    """The trial fails where verification is left out."""
    (damage,) = [one for one in damages() if (one.kind, one.name) == (kind, name)]
    assert try_one(world, damage, serving=False).faults == []
    assert any(fault in one for one in try_one(world, damage, serving=False, make=trusting).faults)
