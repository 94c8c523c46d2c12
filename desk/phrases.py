"""The bot's own words, read from ``domain.yml``, for the moments in which Rasa cannot say them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from desk.model import Reply

NEEDED = (
    "utter_failed",
    "utter_solved_question",
    "utter_solved_question_guide",
    "utter_handed_off",
    "utter_not_solved",
    "utter_not_that_either",
    "utter_noted",
    "utter_back_with_bot",
)
"""Responses that ``domain.yml`` must have for `desk.fallback`."""


class Phrases:
    """Responses of a Rasa domain: variations of one wording, with ``{names}`` to fill and buttons. Conditions are Rasa's alone."""

    def __init__(self, responses: Mapping[str, Sequence[Mapping[str, Any]]], seed: int | None = None) -> None:
        self._responses = {name: [one for one in variations if "condition" not in one] for name, variations in responses.items()}
        missing = [name for name in NEEDED if not self._responses.get(name)]
        if missing:
            raise ValueError(f"the domain has no response {', '.join(missing)}")
        self._random = random.Random(seed)  # noqa: S311 - which of several wordings is said is no secret

    @classmethod
    def read(cls, path: Path) -> Phrases:
        """Read a domain file. Raises ValueError when a response that is needed is not there."""
        domain = yaml.CSafeLoader(path.read_text(encoding="utf-8")).get_single_data()  # web is back 0.3 s sooner than with safe_load
        return cls(domain["responses"])

    def say(self, name: str, outcome: str, **values: str) -> Reply:
        """One of the variations that hold without a condition, filled in as Rasa would (``{{`` is a brace)."""
        variation = self._random.choice(self._responses[name])
        choices = tuple({"title": button["title"], "payload": button["payload"].format(**values)} for button in variation.get("buttons", ()))
        return Reply(text=variation["text"].format(**values), outcome=outcome, choices=choices)
