"""Rasa's own command line; ``python -m bot.rasa_cli run …`` serves without TensorFlow, every other command is Rasa's as it is.

Rasa imports TensorFlow for DIET, TED and other components that this bot has none of, which costs 370 MB and 5 s at every start. What of it
is named on the way to a server gets a stand-in: two base classes (`rasa.utils.tensorflow.callback` and `data_generator`), the list of
built-in components, cut to the two that config.yml names, and the validator that only training runs but every model file mentions.
Anything else that asked for TensorFlow would keep the model from loading, not break a customer's turn.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from bot.logs import start_logging

STANDING_IN = ("tensorflow", "tensorflow.keras", "tensorflow.keras.callbacks", "tensorflow.keras.utils")


def spare_tensorflow() -> None:
    """Put the stand-in for TensorFlow in place; to be called before Rasa is imported."""
    tensorflow, keras, callbacks, utils = (ModuleType(name) for name in STANDING_IN)
    tensorflow.__dict__.update(keras=keras, __path__=[])
    keras.__dict__.update(callbacks=callbacks, utils=utils, __path__=[])
    callbacks.__dict__.update(Callback=type("Callback", (), {}))
    utils.__dict__.update(Sequence=type("Sequence", (), {}))
    sys.modules.update(zip(STANDING_IN, (tensorflow, keras, callbacks, utils), strict=True))


def spare_components() -> None:
    """Give Rasa's recipe only the built-in components in use; the rest import TensorFlow, transformers and spaCy."""
    stand_in = ModuleType("rasa.engine.recipes.default_components")
    stand_in.__dict__["DEFAULT_COMPONENTS"] = []
    sys.modules[stand_in.__name__] = stand_in
    from rasa.engine.graph import GraphComponent

    validator = ModuleType("rasa.graph_components.validators.default_recipe_validator")
    validator.__dict__["DefaultV1RecipeValidator"] = type("DefaultV1RecipeValidator", (GraphComponent,), {})
    sys.modules[validator.__name__] = validator
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier

    stand_in.__dict__["DEFAULT_COMPONENTS"] += [LogisticRegressionClassifier, RulePolicy]


def spare_colours() -> None:
    """Keep Rasa from giving the log a second, coloured form; `bot.logs` is the one it has."""
    stand_in = ModuleType("coloredlogs")
    stand_in.__dict__.update(DEFAULT_FIELD_STYLES={}, DEFAULT_LEVEL_STYLES={}, install=lambda **_: None)
    sys.modules[stand_in.__name__] = stand_in


def main() -> None:
    """Run Rasa with the arguments given. Telemetry is off: no process of this kit calls out."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    if sys.argv[1:2] == ["run"]:
        start_logging("rasa")
        spare_colours()
        spare_tensorflow()
        spare_components()
    from rasa.__main__ import main as rasa

    rasa()


if __name__ == "__main__":
    main()
