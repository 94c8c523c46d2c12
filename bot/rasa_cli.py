"""Rasa's own command line without TensorFlow: ``python -m bot.rasa_cli run …``, ``train …``, ``test …``, ``data validate …``.

Rasa imports TensorFlow for DIET, TED and other components that this bot has none of; that costs about 350 MB and several seconds in
every process. Two of its base classes are named in modules that Rasa loads in any case (`rasa.utils.tensorflow.callback` and
`data_generator`), so a stand-in gives just these, and the list of built-in components is cut to the two that config.yml names. Anything
else that asked for TensorFlow would stop with an ImportError at the start, not at a customer's message.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType


def spare_tensorflow() -> None:
    """Put the stand-ins in place; to be called before Rasa is imported."""
    tensorflow, keras, callbacks, utils = (ModuleType(name) for name in _NAMES)
    callbacks.Callback = type("Callback", (), {})  # type: ignore[attr-defined]
    utils.Sequence = type("Sequence", (), {})  # type: ignore[attr-defined]
    tensorflow.keras, keras.callbacks, keras.utils = keras, callbacks, utils  # type: ignore[attr-defined]
    tensorflow.__path__ = keras.__path__ = []
    sys.modules.update(zip(_NAMES, (tensorflow, keras, callbacks, utils), strict=True))


def spare_components() -> None:
    """Give Rasa's recipe only the built-in components in use; the others import TensorFlow, spaCy and transformers."""
    stand_in = ModuleType("rasa.engine.recipes.default_components")
    stand_in.DEFAULT_COMPONENTS = []  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    from rasa.core.policies.rule_policy import RulePolicy
    from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier

    stand_in.DEFAULT_COMPONENTS = [LogisticRegressionClassifier, RulePolicy]  # type: ignore[attr-defined]


_NAMES = ("tensorflow", "tensorflow.keras", "tensorflow.keras.callbacks", "tensorflow.keras.utils")


def main() -> None:
    """Run Rasa. Telemetry is off: no process of this kit calls out."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    spare_tensorflow()
    spare_components()
    from rasa.__main__ import main as rasa_main

    rasa_main()


if __name__ == "__main__":
    main()
