"""What is taught beside a model, merged into it, and what the shipped adapter was taught from."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from knowledge_base import export
from knowledge_base.low_rank import Course, Subject, matrices, merge, read_adapter, teach, write_adapter
from knowledge_base.support_training import read_subjects

WORDS = ["router", "lamp", "red", "parcel", "late", "where", "invoice", "tax"]


class Encoder(torch.nn.Module):
    """One layer over a bag of words, named as an encoder's layers are."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.ModuleDict({"layer": torch.nn.ModuleList([torch.nn.Linear(len(WORDS), 6, bias=False)])})

    def forward(self, bags):
        return self.encoder["layer"][0](bags)


class Sentence:
    """As much of a SentenceTransformer as teaching uses."""

    def __init__(self):
        torch.manual_seed(3)
        self.modules = [SimpleNamespace(auto_model=Encoder())]

    def __getitem__(self, number):
        return self.modules[number]

    def tokenizer(self, texts, **_options):
        return {"bags": torch.tensor([[float(text.split().count(word)) for word in WORDS] for text in texts])}

    def __call__(self, features):
        return {"sentence_embedding": self[0].auto_model(features["bags"])}


SUBJECTS = [
    Subject("shop", ("router lamp", "red lamp", "router red")),
    Subject("shop", ("parcel late", "where parcel")),
    Subject("shop", ("invoice tax", "tax")),
]


def nearness(sentence, one, other):
    """The cosine of two texts."""
    first, second = sentence(sentence.tokenizer([one, other]))["sentence_embedding"].detach()
    return float(torch.nn.functional.cosine_similarity(first, second, dim=0))


def test_texts_of_one_subject_come_nearer_and_those_of_others_go_away():
    """And the model itself is as it was until the adapter is merged."""
    sentence = Sentence()
    alike = nearness(sentence, "parcel late", "where parcel")
    adapter = teach(sentence, SUBJECTS, Course(steps=60, rate=0.05))
    assert nearness(sentence, "parcel late", "where parcel") == alike
    merge(sentence[0].auto_model, adapter)
    assert nearness(sentence, "parcel late", "where parcel") > max(alike, 0.8)
    assert nearness(sentence, "router red", "invoice tax") < 0.3
    assert all(parameter.requires_grad for parameter in sentence[0].auto_model.parameters())


def test_the_same_seed_teaches_the_same():
    """Whoever makes the adapter anew gets the one that was measured."""
    first, again = (teach(Sentence(), SUBJECTS, Course(steps=5)) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_an_adapter_is_kept_in_sixteen_bits_and_refused_by_another_model(tmp_path):
    """Nothing is merged half."""
    adapter = teach(Sentence(), SUBJECTS, Course(steps=5))
    write_adapter(tmp_path / "adapter.npz", adapter)
    kept = read_adapter(tmp_path / "adapter.npz")
    assert all(np.allclose(kept[name], adapter[name], atol=1e-2) for name in adapter)
    with pytest.raises(ValueError, match="another model"):
        merge(torch.nn.ModuleDict({"encoder": torch.nn.ModuleDict({"layer": torch.nn.ModuleList([torch.nn.Linear(2, 2)] * 2)})}), kept)


def test_the_shipped_adapter_fits_the_shipped_model():
    """Each matrix of the six layers has its addition, and none is empty."""
    adapter = read_adapter(export.ADAPTER)
    sentence = export.load(export.model_folder(export.DEFAULT_MODEL))
    assert len(matrices(sentence[0].auto_model)) * 2 == len(adapter) == 72
    assert all(np.abs(values).max() > 0 for values in adapter.values())
    before = sentence[0].auto_model.encoder.layer[0].attention.self.query.weight.detach().clone()
    merge(sentence[0].auto_model, adapter)
    assert not torch.equal(before, sentence[0].auto_model.encoder.layer[0].attention.self.query.weight)


def test_only_the_default_model_is_taught():
    """The adapter of one model would be noise in another."""
    assert export.adapter_of(export.DEFAULT_MODEL) == export.ADAPTER
    assert export.adapter_of("/models/ours") is None


def test_the_questions_that_it_was_taught_from_are_whole():
    """92 businesses, 24 articles each, ten questions each; and as many messages without an answer."""
    subjects = read_subjects()
    assert len({subject.base for subject in subjects}) == 92
    assert [len(subject.texts) for subject in subjects].count(12) == 92 * 24
    assert [len(subject.texts) for subject in subjects].count(1) == 92 * 24
    assert len(subjects) == 2 * 92 * 24
