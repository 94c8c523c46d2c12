"""Going over to an adapted model and back, with models that are made of words: no torch, no ONNX."""

from __future__ import annotations

import json
import zlib
from datetime import timedelta

import numpy as np
import pytest

from knowledge_base import generations
from knowledge_base.adaptation import marks
from knowledge_base.adapted_models import Decision, ModelFolders, choose, known_vectors, read_decision, write_decision
from knowledge_base.adapting_behind import AdaptingBehind, Pace
from knowledge_base.aim import Aim
from knowledge_base.building import build, read_far_messages
from knowledge_base.exceptions import EmbeddingUnusable, IndexUnusable
from knowledge_base.index_files import PROVED
from knowledge_base.live import QUIET_S, LiveIndex, Place
from knowledge_base.reading import read_folder
from knowledge_base.training import Settled
from knowledge_base.trial_index import comparable

from .conftest import NOW, WordEmbedder


class SaltedEmbedder(WordEmbedder):
    """Another model: what is in its file turns the vectors."""

    def __init__(self, checksum: str, salt: str) -> None:
        super().__init__(checksum)
        self.turn = np.roll(np.arange(self.dimensions), zlib.crc32(salt.encode()) % 31)

    def embed(self, texts):
        return np.ascontiguousarray(super().embed(texts)[:, self.turn])


def write_model(folder, salt: str) -> dict[str, object]:
    """The files of an exported model; gives back what its manifest says beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentence.onnx").write_text(salt)
    (folder / "tokenizer.json").write_text("{}")
    exported = {"dimensions": 64, "max_tokens": 256}
    files = {name: generations.checksum(folder / name) for name in ("sentence.onnx", "tokenizer.json")}
    (folder / "manifest.json").write_text(json.dumps({**exported, "files": files}))
    return exported


def load(folder) -> SaltedEmbedder:
    path = folder / "sentence.onnx"
    return SaltedEmbedder(generations.checksum(path), path.read_text())


@pytest.fixture
def models(tmp_path) -> ModelFolders:
    write_model(tmp_path / "embedding", "base")
    (tmp_path / "adapted").mkdir()
    return ModelFolders(tmp_path / "embedding", tmp_path / "adapted", load)


@pytest.fixture
def live(shop, index, models, clock) -> LiveIndex:
    live = LiveIndex(Place(shop.folder, index, Aim()), models, clock)
    live.follow()
    return live


def decide(models, live, *, salt: str | None, key: str = "a" * 32, at=NOW) -> Decision:
    """What the process behind would have written; ``salt`` None for "not adapted"."""
    folder = models.folder / "building-1-x"
    folder.mkdir()
    settled = live.searcher.loaded.settled
    texts = [question for article in live.articles for question in article.questions] + read_far_messages()
    exported = {} if salt is None else write_model(folder, salt)
    embedding = models.base if salt is None else generations.checksum(folder / "sentence.onnx")
    own = Settled(0.2, settled.calibration) if salt else settled
    decision = Decision(key, at.isoformat(), models.base, embedding, own, settled, marks(live.articles), Aim(), {"questions": 1})
    vectors = {"base": models.of(models.base).embed(texts)}
    if salt is not None:
        vectors["adapted"] = load(folder).embed(texts)
    write_decision(models.folder, folder, decision, exported, texts, **vectors)
    return decision


def embedding_of(index) -> str:
    return str(generations.read_manifest(index / generations.current_name(index))["embedding"])


def test_a_decision_is_read_as_it_was_written(models, live):
    """With its model, which is found by its checksum, and the vectors of both models."""
    decision = decide(models, live, salt="adapted")
    assert read_decision(models.folder / decision.key) == decision == models.latest() == models.decision(decision.key)
    assert models.of(decision.embedding).checksum == decision.embedding
    text = "track my parcel"
    assert known_vectors(models.folder, decision.embedding)[text] == pytest.approx(models.of(decision.embedding).embed([text])[0])
    assert known_vectors(models.folder, models.base)[text] == pytest.approx(models.of(models.base).embed([text])[0])
    assert known_vectors(models.folder, "another") == {}
    with pytest.raises(EmbeddingUnusable):
        models.of("another")


def test_only_the_model_in_use_is_held(models, live):
    """The one before is given up."""
    decision = decide(models, live, salt="adapted")
    base = models.of(models.base)
    assert models.of(models.base) is base
    adapted = models.of(decision.embedding)
    assert models.of(decision.embedding) is adapted
    assert models.of(models.base) is not base


@pytest.mark.parametrize("name", ["sentence.onnx", "tokenizer.json", "manifest.json", "adapted.npy", "texts.json"])
def test_a_damaged_decision_is_never_used(models, live, name):
    """Whichever file it is."""
    decision = decide(models, live, salt="adapted")
    path = models.folder / decision.key / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert models.decision(decision.key) is None
    with pytest.raises(EmbeddingUnusable):
        models.of(decision.embedding)


def test_a_decision_for_another_base_model_is_none(models, live, tmp_path):
    """After an upgrade of the base."""
    decision = decide(models, live, salt="adapted")
    write_model(tmp_path / "embedding", "newer base")
    again = ModelFolders(tmp_path / "embedding", models.folder, load)
    assert again.latest() is None
    with pytest.raises(EmbeddingUnusable):
        again.of(decision.embedding)


def test_going_over_to_an_adapted_model(models, live, shop, index, clock):
    """The generation names it and has what was settled for it; nothing that is known is embedded; edits go on with it, at the next look."""
    decision = decide(models, live, salt="adapted")
    live.adopt(decision.embedding)
    assert embedding_of(index) == decision.embedding == live.model
    assert live.searcher.loaded.settled.lexical_share == 0.2
    known = known_vectors(models.folder, decision.embedding)
    assert len([text for text in models.of(decision.embedding).embedded if text in known]) <= PROVED
    shop.add("network/guest-wifi", "Guest network")
    live.follow()
    assert live.searcher.search("guest network", 1).hits[0].slug == "guest-wifi"
    assert embedding_of(index) == decision.embedding
    assert live.searcher.loaded.settled.lexical_share == 0.2


def test_nothing_is_held_out_of_an_adapted_model(models, shop, index, clock):
    """It has seen the phrasings: neither is settling asked for, nor is the outcome of one that was under way taken over."""
    asked = []
    live = LiveIndex(Place(shop.folder, index, Aim()), models, clock, lambda: asked.append(1))
    live.follow()
    before = live.searcher.loaded.settled
    live.adopt(decide(models, live, salt="adapted").embedding)
    shop.add("network/guest-wifi", "Guest network")
    live.follow()
    clock.move(QUIET_S)
    live.follow()
    assert asked == []
    live.take_over(before)
    assert live.searcher.loaded.settled.lexical_share == 0.2


def test_a_restart_goes_on_with_the_adapted_model(models, live, shop, index, clock, tmp_path):
    """And with the base model once adapting is switched off, or the model is damaged."""
    decision = decide(models, live, salt="adapted")
    live.adopt(decision.embedding)
    again = LiveIndex(Place(shop.folder, index, Aim()), ModelFolders(tmp_path / "embedding", models.folder, load), clock)
    again.follow()
    assert again.searcher.loaded.name == live.searcher.loaded.name
    assert again.model == decision.embedding
    switched_off = LiveIndex(Place(shop.folder, index, Aim()), ModelFolders(tmp_path / "embedding", models.folder, load, adapt=False), clock)
    switched_off.follow()
    assert embedding_of(index) == models.base == switched_off.model


def test_a_damaged_model_is_fallen_back_from(models, live, shop, index, clock, tmp_path, caplog):
    """Its generation is not served; the base model's vectors are known, and its calibration is taken up again."""
    settled = live.searcher.loaded.settled
    decision = decide(models, live, salt="adapted")
    live.adopt(decision.embedding)
    (models.folder / decision.key / "sentence.onnx").write_text("damaged")
    fresh = ModelFolders(tmp_path / "embedding", models.folder, load)
    again = LiveIndex(Place(shop.folder, index, Aim()), fresh, clock)
    again.follow()
    assert "base model" in caplog.text
    assert embedding_of(index) == models.base == again.model
    assert again.searcher.loaded.settled == settled
    assert again.searcher.search("track my parcel", 1).hits[0].slug == "where-is-my-order"
    known = known_vectors(models.folder, models.base)
    assert len([text for text in fresh.of(models.base).embedded if text in known]) <= PROVED


def test_a_failure_to_go_over_leaves_all_as_it_was(models, live, index, caplog):
    """Such as a disk that is full."""
    decision = decide(models, live, salt="adapted")
    before = live.searcher
    moved = index.with_name("moved")
    index.rename(moved)
    index.write_text("a file where the folder was")
    live.adopt(decision.embedding)
    assert live.searcher is before
    assert live.model == models.base
    assert "could not go over" in caplog.text
    index.unlink()
    moved.rename(index)


def test_old_decisions_go_once_no_generation_names_them(models, live, index, clock):
    """The latest stays, and the one that is served."""
    first = decide(models, live, salt="first", key="1" * 32)
    live.adopt(first.embedding)
    decide(models, live, salt="second", key="2" * 32, at=NOW + timedelta(days=1))
    third = decide(models, live, salt="third", key="3" * 32, at=NOW + timedelta(days=2))
    (models.folder / "building-7-x").mkdir()
    models.prune(index)
    assert {path.name for path in models.folder.iterdir()} == {first.key, third.key, "building-7-x"}


def test_a_build_by_hand_goes_on_with_the_model_in_use(models, live, index):
    """And with what was settled for it; with the base model, and settling anew, where it cannot be used."""
    assert choose(models, index)[0].checksum == models.base
    decision = decide(models, live, salt="adapted")
    assert choose(models, index) == (models.of(models.base), None)
    live.adopt(decision.embedding)
    assert choose(models, index) == (models.of(decision.embedding), decision.settled)
    (models.folder / decision.key / "sentence.onnx").write_text("damaged")
    models.of(models.base)
    assert choose(models, index) == (models.of(models.base), None)


def test_the_live_index_can_be_asked_with_the_base_model(models, live, shop, index):
    """For what holds phrasings out; a generation of the base model is asked itself."""
    base = models.of(models.base)
    with comparable(index, models.folder, base) as same:
        assert same == index / generations.current_name(index)
    expected = live.searcher.loaded.settled
    decision = decide(models, live, salt="adapted")
    live.adopt(decision.embedding)
    base = load(models.folder.parent / "embedding")
    with comparable(index, models.folder, base) as twin:
        assert twin is not None
        assert twin.parent != index
        assert twin.name == generations.current_name(index)
        manifest = generations.verify(twin)
        assert manifest["embedding"] == base.checksum
        assert manifest["settled"]["lexical_share"] == expected.lexical_share
    assert not twin.exists()
    assert "track my parcel" not in base.embedded
    with comparable(index, models.folder, WordEmbedder("another")) as nothing:
        assert nothing is None


def test_nothing_live_cannot_be_asked(index, models):
    """As before anything was built."""
    with comparable(index, models.folder, models.of(models.base)) as nothing:
        assert nothing is None
    with pytest.raises(IndexUnusable):
        generations.current_name(index)


class Behind:
    """The process behind replaced by a command that is at hand."""

    def __init__(self, models, index, clock, live) -> None:
        self.clock = clock
        self.live = live
        self.looking = AdaptingBehind(models, index, clock, Pace(quiet_s=30, retries_s=(100, 200)))

    def look(self, after_s: float = 0) -> None:
        self.clock.move(after_s)
        self.looking.look(self.live)


def test_what_was_decided_is_taken_up_when_the_folder_is_quiet(models, live, index, clock, shop):
    """Not before; and it is not tried at all where there are few phrasings."""
    behind = Behind(models, index, clock, live)
    behind.look(31)
    assert live.model == models.base
    decision = decide(models, live, salt="adapted")
    shop.add("orders/where-is-my-order", "Where is my order", "track my parcel", "when does my parcel arrive", body="Open the tracking.")
    live.follow()
    behind.look(29)
    assert live.model == models.base
    behind.look(2)
    assert live.model == decision.embedding == embedding_of(index)


def test_a_decision_against_brings_the_base_model_back(models, live, index, clock):
    """With what was settled for it."""
    behind = Behind(models, index, clock, live)
    live.adopt(decide(models, live, salt="adapted", key="1" * 32).embedding)
    decide(models, live, salt=None, key="2" * 32, at=NOW + timedelta(days=1))
    behind.look(31)
    assert live.model == models.base == embedding_of(index)


def test_a_damaged_decision_is_made_anew(models, live, index, clock, caplog):
    """It is forgotten, so that adapting is due again."""
    behind = Behind(models, index, clock, live)
    decision = decide(models, live, salt="adapted")
    (models.folder / decision.key / "adapted.npy").write_bytes(b"")
    behind.look(31)
    assert live.model == models.base
    assert models.latest() is None
    assert "damaged" in caplog.text


def test_phrasings_that_have_become_few_are_not_adapted_to(models, live, index, clock, shop):
    """Much has changed, and the rule no longer holds."""
    behind = Behind(models, index, clock, live)
    live.adopt(decide(models, live, salt="adapted").embedding)
    shop.add("network/guest-wifi", "Guest network", "one", "two", "three")
    live.follow()
    behind.look(31)
    assert live.model == models.base == embedding_of(index)


def test_a_build_of_the_base_model_is_gone_over_from(models, live, shop, index, clock):
    """Somebody built by hand with the base model; the decision still stands."""
    behind = Behind(models, index, clock, live)
    decision = decide(models, live, salt="adapted")
    live.adopt(decision.embedding)
    clock.move(1)
    build(read_folder(shop.folder), index, load(models.folder.parent / "embedding"), aim=Aim(), now=clock.now)
    live.follow()
    assert live.model == models.base
    behind.look(31)
    assert live.model == decision.embedding
