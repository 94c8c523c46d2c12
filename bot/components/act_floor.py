"""An act needs confidence; everything else is a question for search, and what may be either is asked of search before it counts as an act."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_TYPE,
    ENTITY_ATTRIBUTE_VALUE,
    INTENT,
    INTENT_RANKING_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message


def floor_of(text: str, config: dict[str, Any]) -> float:
    """What an act needs: ``floor``, and in a message of ``long_words`` words or more ``long_floor``, since acts are brief and stories are not."""
    return float(config["long_floor"] if len(text.split()) >= config["long_words"] else config["floor"])


def settle(intent: dict[str, Any], ranking: list[dict[str, Any]], floor: float, config: dict[str, Any]) -> dict[str, Any]:
    """The intent to go by: the classifier's if it is a typed act at or above the floor, else ``otherwise`` with its own confidence."""
    if intent["name"] in config["acts"] and intent["confidence"] >= floor:
        return intent
    return _otherwise(ranking, config)


def is_doubted(intent: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether a settled act may be a question all the same: search is asked first, and the act counts unless that is sure of an answer."""
    return intent["name"] in config["doubted"] and intent["confidence"] < config["doubted_below"]


def _otherwise(ranking: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, Any]:
    own = [entry for entry in ranking if entry["name"] == config["otherwise"]]
    return own[0] if own else {"name": config["otherwise"], "confidence": 0.0}


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ActFloor(GraphComponent, IntentClassifier):
    """Turns an unsure act, or one that nobody can type, into ``otherwise``; a doubted one, too, with the act as the entity ``perhaps``.

    Rasa's FallbackClassifier would name its own intent and report the threshold as the confidence.
    """

    @classmethod
    def required_components(cls) -> list[type]:
        """A classifier must come before."""
        return [IntentClassifier]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The defaults; ``acts`` and ``doubted`` are named in config.yml."""
        return {"floor": 0.5, "long_floor": 0.7, "long_words": 8, "otherwise": "question", "acts": [], "doubted": [], "doubted_below": 0.9}

    def __init__(self, config: dict[str, Any]) -> None:
        """Keep the configuration."""
        self.config = config

    @classmethod
    def create(cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext) -> ActFloor:
        """Make the component, for training and for serving alike."""
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        """Settle the intent of each message."""
        for message in messages:
            floor = floor_of(message.get(TEXT) or "", self.config)
            ranking = message.get(INTENT_RANKING_KEY, [])
            intent = settle(message.get(INTENT), ranking, floor, self.config)
            if is_doubted(intent, self.config):
                perhaps = {ENTITY_ATTRIBUTE_TYPE: "perhaps", ENTITY_ATTRIBUTE_VALUE: intent["name"], "confidence": intent["confidence"]}
                message.set(ENTITIES, [*message.get(ENTITIES, []), perhaps], add_to_output=True)
                intent = _otherwise(ranking, self.config)
            message.set(INTENT, intent, add_to_output=True)
        return messages
