"""The rules of bot/data/rules and the words of domain.yml, followed without Rasa: fast enough to walk the dialogue at random.

As in Rasa's rule policy, of the rules that fit a turn the one with the most conditions decides. `tests/dialogues` holds the same rules
against Rasa itself.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from actions.search_client import ArticleGone, SearchClient
from actions.server import ACTIONS
from actions.state import gone, read_state, write_state
from actions.turn import Said, TurnAction
from bot.turns import Json, Turn, response_of, slots_of
from tests.bot.fake_search import CONTRACT

ROOT = CONTRACT.parents[1]
Trigger = tuple[str, "str | None"]  # an intent, or an action and its result


@dataclass(frozen=True)
class Rule:
    """What must hold, what is heard or was just done with which result, and what follows."""

    name: str
    conditions: tuple[tuple[str, Any], ...]
    trigger: Trigger
    then: tuple[str, ...]


@dataclass(frozen=True)
class Dialogue:
    """The rules and the words."""

    rules: tuple[Rule, ...]
    responses: Mapping[str, Any]


def read_dialogue() -> Dialogue:
    """Those of this bot."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "bot" / "data" / "rules").glob("*.yml"))]
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    return Dialogue(tuple(rule for text in texts for rule in _rules(text)), domain["responses"])


class RuleBook:
    """Takes turns as Rasa would."""

    def __init__(self, dialogue: Dialogue, search: SearchClient, chance: random.Random) -> None:
        self._dialogue = dialogue
        self._actions: dict[str, TurnAction] = {action.name(): action for action in (make(search) for make in ACTIONS)}
        self._chance = chance

    async def take(self, turn: Turn, intent: str, said: Said) -> Json:
        """The answer to one turn, in the form that web gets."""
        slots: Json = {**slots_of(turn), "result": None, "card": None}
        messages: list[Json] = []
        trigger: Trigger | None = (f"intent {intent}", None)
        while trigger:
            rule, trigger = self._deciding(trigger, slots), None
            steps, result = rule.then, rule.trigger[1]
            for step in steps:
                # Rasa goes on in a rule only while the slots are those that the rule names.
                assert result in (None, slots["result"]), f"Rasa would not go on in the rule {rule.name!r}"
                if step.startswith("utter_"):
                    messages.append(self._said(step, slots))
                else:
                    slots = await self._done(self._actions[step], slots, said)
                    # An action that ends a rule leaves the next word to the rule for its result.
                    trigger = (step, slots["result"]) if step == steps[-1] else None
        return response_of({"name": intent, "confidence": 1.0}, messages, slots)

    def _deciding(self, trigger: Trigger, slots: Mapping[str, Any]) -> Rule:
        fitting = [rule for rule in self._dialogue.rules if rule.trigger == trigger and all(slots[name] == value for name, value in rule.conditions)]
        assert fitting, f"no rule for {trigger} with {dict(slots)}"
        most = max(len(rule.conditions) for rule in fitting)
        (rule,) = [rule for rule in fitting if len(rule.conditions) == most]
        return rule

    async def _done(self, action: TurnAction, slots: Json, said: Said) -> Json:
        state = read_state(slots)
        try:
            result = await action.take(state, said)
        except ArticleGone as error:
            result = gone(state, error.slug)
        return {**slots, **write_state(result.state), "result": result.name, "card": result.card}

    def _said(self, name: str, slots: Mapping[str, Any]) -> Json:
        variations = self._dialogue.responses[name]
        held = [one for one in variations if "condition" in one and all(slots[row["name"]] == row["value"] for row in one["condition"])]
        message = self._chance.choice(held or [one for one in variations if "condition" not in one])
        return _filled({key: message[key] for key in ("text", "buttons", "custom") if key in message}, slots)


def _rules(text: str) -> list[Rule]:
    found = []
    for row in yaml.safe_load(text)["rules"]:
        conditions = tuple(pair for one in row.get("condition", []) for held in one["slot_was_set"] for pair in held.items())
        first, *steps = row["steps"]
        result = None
        if "action" in first and steps and "slot_was_set" in steps[0]:
            result = steps.pop(0)["slot_was_set"][0]["result"]
        trigger = (f"intent {first['intent']}" if "intent" in first else first["action"], result)
        found.append(Rule(row["rule"], conditions, trigger, tuple(step["action"] for step in steps)))
    return found


def _filled(value: object, slots: Mapping[str, Any]) -> object:
    """As Rasa fills wordings: ``{name}`` from the slots, ``{{`` a brace; texts without a brace as they are."""
    if isinstance(value, str):
        return value.format(**slots) if "{" in value else value
    if isinstance(value, dict):
        return {key: _filled(one, slots) for key, one in value.items()}
    return [_filled(one, slots) for one in value] if isinstance(value, list) else value
