"""The three parts of the NLU pipeline, each by itself."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.components.act_floor import ActFloor, floor_of, is_doubted, settle
from bot.components.onnx_featurizer import WIDTH, OnnxFeaturizer
from bot.components.sensitive_words import SensitiveWords, compile_words, subject_of
from tests.bot.conftest import ROOT, VAR

FLOOR = {
    "floor": 0.5,
    "long_floor": 0.7,
    "long_words": 8,
    "otherwise": "question",
    "acts": ["greet", "deny", "help"],
    "doubted": ["help"],
    "doubted_below": 0.9,
}


@pytest.fixture(scope="module")
def featurizer() -> OnnxFeaturizer:
    """The featurizer over the model that the set-up exported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUCHDESK_VAR", str(VAR))
        return OnnxFeaturizer({**OnnxFeaturizer.get_default_config(), "scale": 2.0}, "featurizer")


def words_of_config() -> dict[str, Any]:
    """The sensitive words as configured."""
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    (part,) = (part for part in pipeline if part["name"].endswith("SensitiveWords"))
    assert isinstance(part["words"], dict)
    return part["words"]


def test_rows_have_the_configured_length(featurizer: OnnxFeaturizer) -> None:
    """The model's rows are of unit length; the scale is all that is added."""
    rows = featurizer.rows(["where is my order", "hi"])
    assert rows.shape == (2, WIDTH)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([2.0, 2.0], rel=1e-4)


def test_rows_do_not_depend_on_their_neighbours(featurizer: OnnxFeaturizer) -> None:
    """Padding in a batch changes nothing."""
    together = featurizer.rows(["hi", "a much longer text about a router that shows a red light since this morning"])
    assert together[0] == pytest.approx(featurizer.rows(["hi"])[0], abs=1e-4)


def test_meaning_is_near(featurizer: OnnxFeaturizer) -> None:
    """Other words for the same are nearer than other matters."""
    refund, money, router = featurizer.rows(["i want a refund", "give me my money back", "the router blinks"])
    assert refund @ money > refund @ router + 0.4


def test_each_message_gets_one_sentence_row(featurizer: OnnxFeaturizer) -> None:
    """Also in batches, and none for a message without text."""
    messages = [Message({TEXT: f"message number {number}"}) for number in range(70)] + [Message({TEXT: ""})]
    featurizer.process(messages)
    found = [message.get_dense_features(TEXT)[1] for message in messages]
    assert [row.features.shape for row in found[:70]] == [(1, WIDTH)] * 70
    assert found[70] is None


def test_a_failing_model_gives_zeros_and_a_line_in_the_log(featurizer: OnnxFeaturizer, caplog: pytest.LogCaptureFixture) -> None:
    """A lone surrogate cannot be encoded; the width stays the same."""
    rows = featurizer.rows(["\ud83d"])
    assert rows.shape == (1, WIDTH)
    assert not rows.any()
    assert "The embedding failed" in caplog.text


def test_the_fingerprint_is_the_models_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training notices a new model."""
    (tmp_path / "embedding").mkdir()
    (tmp_path / "embedding" / "sentence.onnx").write_bytes(b"another model")
    monkeypatch.setenv("TOUCHDESK_VAR", str(tmp_path))
    assert OnnxFeaturizer.fingerprint_addon({}) == hashlib.sha256(b"another model").hexdigest()


@pytest.mark.parametrize("scale", [0, -1])
def test_a_scale_that_hides_the_features_is_refused(scale: float) -> None:
    """Zeros would classify everything alike."""
    with pytest.raises(ValueError, match="scale"):
        OnnxFeaturizer.validate_config({"scale": scale})


@pytest.mark.parametrize(("name", "confidence", "settled"), [("greet", 0.5, "greet"), ("greet", 0.49, "question"), ("step_worked", 0.99, "question")])
def test_an_act_needs_confidence_and_must_be_one_that_is_typed(name: str, confidence: float, settled: str) -> None:
    """Exactly at the floor is enough."""
    intent = {"name": name, "confidence": confidence}
    assert settle(intent, [intent, {"name": "question", "confidence": 0.2}], 0.5, FLOOR)["name"] == settled


def test_a_long_message_needs_more_to_pass_for_an_act() -> None:
    """From eight words on."""
    assert [floor_of("one two three four five six " + end, FLOOR) for end in ("seven", "seven eight")] == [0.5, 0.7]


def test_the_questions_confidence_is_its_own() -> None:
    """Not the act's, and not the floor."""
    ranking = [{"name": "greet", "confidence": 0.4}, {"name": "question", "confidence": 0.31}]
    assert settle(ranking[0], ranking, 0.5, FLOOR) == {"name": "question", "confidence": 0.31}
    assert settle(ranking[0], ranking[:1], 0.5, FLOOR) == {"name": "question", "confidence": 0.0}


def test_the_floor_settles_messages() -> None:
    """As a component of the pipeline."""
    message = Message({TEXT: "hm", "intent": {"name": "greet", "confidence": 0.2}, "intent_ranking": []})
    ActFloor(FLOOR).process([message])
    assert message.get("intent") == {"name": "question", "confidence": 0.0}


@pytest.mark.parametrize(("name", "confidence", "doubted"), [("help", 0.89, True), ("help", 0.9, False), ("greet", 0.6, False)])
def test_an_act_that_may_be_a_question_is_doubted(name: str, confidence: float, doubted: bool) -> None:
    """Only those that name what an article may be about, and only until they are surely heard."""
    assert is_doubted({"name": name, "confidence": confidence}, FLOOR) is doubted


def test_a_doubted_act_is_a_question_that_names_the_act() -> None:
    """The action learns by the entity what it was taken for."""
    ranking = [{"name": "help", "confidence": 0.6}, {"name": "question", "confidence": 0.3}]
    message = Message({TEXT: "help with product", "intent": ranking[0], "intent_ranking": ranking})
    ActFloor(FLOOR).process([message])
    assert message.get("intent") == {"name": "question", "confidence": 0.3}
    assert message.get("entities") == [{"entity": "perhaps", "value": "help", "confidence": 0.6}]


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("I want to kill myself", "self_harm"), ("i don\u2019t want to live anymore", "self_harm"), ("thinking about suicide", "self_harm"),
        ("my lawyer will write to you", "legal_threat"), ("I will sue you", "legal_threat"), ("see you in court", "legal_threat"),
        ("I got an electric shock from the toaster", "injury"), ("my son was burned by the kettle", "injury"), ("he was badly injured", "injury"),
        ("the battery caught\nfire", "fire"), ("smoke is coming out of the router", "fire"), ("it exploded in my hand", "fire"),
        ("my data has been leaked", "data_breach"), ("someone hacked into my account", "data_breach"),
        ("I can see the orders of another customer", "data_breach"), ("this is FRAUD", "fraud"), ("I have been scammed", "fraud"),
    ],
)  # fmt: skip
def test_sensitive_matters_are_noticed(text: str, subject: str) -> None:
    """Whatever the case, line breaks and apostrophes."""
    assert subject_of(text, compile_words(words_of_config())) == subject


@pytest.mark.parametrize(
    "text",
    [
        "how do i set up my fire tv stick", "does the tent pass the fire test", "which court is the tennis match on", "the shock absorber is worn",
        "i was shocked by the price", "do you sell fire alarms", "how do i burn a cd", "issue with my order", "i was billed twice",
        "is there a legal notice",
        "how do i kill a process", "my friend is dying to see it", "a leaking dishwasher", "water leaks out of the machine", "can i export my data",
        "pursue a refund", "tissue paper", "i am fired up about it", "hospital discount for nurses", "how do i see my orders",
        "the smoke detector beeps", "your employee was rude to me", "the battery is burned out", "my phone is hot",
    ],
)  # fmt: skip
def test_everyday_words_are_not_sensitive(text: str) -> None:
    """The words are narrow on purpose."""
    assert subject_of(text, compile_words(words_of_config())) is None


def test_a_sensitive_message_gets_the_intent_whatever_else_it_says() -> None:
    """As a component of the pipeline."""
    message = Message({TEXT: "thanks, bye, i will sue you", "intent": {"name": "bye", "confidence": 0.9}})
    SensitiveWords({"intent": "sensitive", "words": words_of_config()}).process([message])
    assert message.get("intent") == {"name": "sensitive", "confidence": 1.0}


def test_a_wrong_expression_is_refused_before_training() -> None:
    """Not at a customer's message."""
    with pytest.raises(re.error, match="unterminated"):
        SensitiveWords.validate_config({"words": {"fire": ["(never closed"]}})
