"""Messages that a person must read at once: self-harm, legal threats, injury, fire, a data breach, fraud."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message


def compile_words(words: dict[str, list[str]]) -> dict[str, re.Pattern[str]]:
    """One pattern a subject. A wrong expression raises `re.error`."""
    return {subject: re.compile(r"\b(?:" + "|".join(expressions) + r")\b", re.IGNORECASE) for subject, expressions in words.items()}


def subject_of(text: str, patterns: dict[str, re.Pattern[str]]) -> str | None:
    """The first sensitive subject the text touches, or None. Curly apostrophes and line breaks are read as plain ones."""
    plain = " ".join(text.replace("\u2019", "'").split())
    return next((subject for subject, pattern in patterns.items() if pattern.search(plain)), None)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SensitiveWords(GraphComponent, IntentClassifier):
    """Gives such a message the intent named in the configuration, whatever else it says."""

    @classmethod
    def required_components(cls) -> list[type]:
        """It comes last, so that no classifier speaks after it."""
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The defaults; ``words`` stands in config.yml."""
        return {"intent": "sensitive", "words": {}}

    def __init__(self, config: dict[str, Any]) -> None:
        """Compile the words."""
        self.intent = config["intent"]
        self.patterns = compile_words(config["words"])

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Refuse an expression that is none."""
        compile_words(config.get("words", {}))

    @classmethod
    def create(cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext) -> SensitiveWords:
        """Make the component, for training and for serving alike."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Mark each message that touches a sensitive subject."""
        for message in messages:
            if subject_of(message.get(TEXT) or "", self.patterns):
                message.set(INTENT, {"name": self.intent, "confidence": 1.0}, add_to_output=True)
        return messages
