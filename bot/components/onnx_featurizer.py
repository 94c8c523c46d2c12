"""A dense featurizer: the sentence embedding that search uses too, from the exported ONNX model, in this process.

The model's folder is ``$TOUCHDESK_VAR/embedding`` (``sentence.onnx``, ``tokenizer.json``), read when the component is loaded, never baked
into the trained Rasa model. No network: the graph runs inside Rasa's event loop.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

WIDTH = 384
MAX_TOKENS = 128  # what an act needs; longer messages are questions anyway
BATCH = 64


def embedding_folder() -> Path:
    """Folder of the exported model: ``embedding`` in the var folder that ``TOUCHDESK_VAR`` names."""
    return Path(os.environ.get("TOUCHDESK_VAR", "var")) / "embedding"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class OnnxFeaturizer(DenseFeaturizer, GraphComponent):
    """Gives each message one row, float32 (1, 384), of length ``scale``."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads the text itself and needs no tokenizer before it."""
        return []

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The defaults: rows of unit length."""
        return {**DenseFeaturizer.get_default_config(), "scale": 1.0}

    def __init__(self, config: dict[str, Any], name: str) -> None:
        """Load the tokenizer and the model; a missing file stops the start."""
        super().__init__(name, config)
        folder = embedding_folder()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()
        self.session = onnxruntime.InferenceSession(str(folder / "sentence.onnx"), _lean_options(), providers=["CPUExecutionProvider"])
        self.scale = float(config["scale"])

    @classmethod
    def create(cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext) -> OnnxFeaturizer:
        """Make the component, for training and for serving alike."""
        return cls(config, execution_context.node_name)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse a scale that would hide the features."""
        if not float(config.get("scale", 1.0)) > 0:
            raise ValueError(f"scale: {config['scale']!r} is not above 0")

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The model file's sha256, so that training notices a new model."""
        digest = hashlib.sha256()
        with open(embedding_folder() / "sentence.onnx", "rb") as model:
            while block := model.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the row to each message that has a text."""
        with_text = [message for message in messages if message.get(TEXT)]
        for start in range(0, len(with_text), BATCH):
            batch = with_text[start : start + BATCH]
            for message, row in zip(batch, self.rows([message.get(TEXT) for message in batch]), strict=True):
                message.add_features(Features(row[np.newaxis, :], FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the rows to the training examples."""
        self.process(training_data.training_examples)
        return training_data

    def rows(self, texts: list[str]) -> np.ndarray:
        """Embed texts: float32 (n, 384). A text that the model fails on gives zeros, which classify as a question, and a line in the log."""
        try:
            encodings = self.tokenizer.encode_batch(texts)
            inputs = {
                "ids": np.array([encoding.ids for encoding in encodings], dtype=np.int64),
                "mask": np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
                "types": np.array([encoding.type_ids for encoding in encodings], dtype=np.int64),
            }
            vectors: np.ndarray = self.session.run(None, inputs)[0]
        except (Fail, InvalidArgument, RuntimeException, UnicodeError, TypeError):
            logger.exception("The embedding failed; %d message(s) get zeros", len(texts))
            return np.zeros((len(texts), WIDTH), dtype=np.float32)
        vectors *= np.float32(self.scale)
        return vectors


def _lean_options() -> onnxruntime.SessionOptions:
    """One thread and no arena: one short text at a time gains nothing from more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return options
