"""What the waivers in kit/advisories.toml rest on: how the bot half is made and started."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import yaml

from kit.programs import Program, program_table
from kit.settings import ROOT, Settings

IMPORTED = {"aiohttp", "numpy", "onnxruntime", "rasa", "rasa_sdk", "sanic", "tokenizers"}
OURS = {"actions", "bot"}


def program(name: str) -> Program:
    """A program as the kit starts it."""
    return {one.name: one for one in program_table(replace(Settings(), inner_secret="x", signing_key="y"))}[name]


def imports(package: str) -> set[str]:
    """Every module that a package imports, whole."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return found


def test_rasa_is_started_without_its_http_api_other_origins_or_telemetry() -> None:
    """Neither --cors nor --enable-api nor --debug; on loopback; telemetry off. The action server is ours and has no CORS at all."""
    rasa = program("rasa")
    assert not {"--cors", "--enable-api", "--debug", "-vv", "--endpoint-auth"} & set(rasa.command)
    assert rasa.command[rasa.command.index("-i") + 1] == "127.0.0.1"
    assert rasa.environment["RASA_TELEMETRY_ENABLED"] == "false"
    assert program("actions").command[-2:] == ("-m", "actions.server")
    assert not any(name.partition(".")[0] == "sanic_cors" for package in OURS for name in imports(package))


def test_the_bot_half_imports_these_libraries_and_no_server_of_aiohttp() -> None:
    """A closed list: whoever adds to it looks at the waivers."""
    named = {name for package in OURS for name in imports(package)}
    assert {name.partition(".")[0] for name in named} - set(sys.stdlib_module_names) - OURS == IMPORTED
    assert not {name for name in named if name.startswith("aiohttp.")}
    for path in (path for package in OURS for path in (ROOT / package).rglob("*.py")):
        assert "aiohttp.web" not in path.read_text(encoding="utf-8"), path


def test_the_dialogue_model_is_made_of_these_components() -> None:
    """Ours, Rasa's logistic regression and rules; no vectorizer, no network of TensorFlow."""
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    names = [component["name"] for component in config["pipeline"] if not component["name"].startswith("bot.components.")]
    assert names == ["LogisticRegressionClassifier"]
    assert [policy["name"] for policy in config["policies"]] == ["RulePolicy"]


def test_rasa_loads_only_the_model_trained_here() -> None:
    """From the var folder, named on its command line; no store of models elsewhere."""
    rasa = program("rasa")
    assert Path(rasa.command[rasa.command.index("-m", 3) + 1]) == Settings().var / "rasa" / "models"
    assert not {"--remote-storage", "--model-server"} & set(rasa.command)


def test_rasa_speaks_to_nobody_but_the_action_server() -> None:
    """No event broker, no lock store, no tracker store but ours, no channel but ours."""
    endpoints = yaml.safe_load((ROOT / "bot" / "endpoints.yml").read_text(encoding="utf-8"))
    assert set(endpoints) == {"action_endpoint", "tracker_store"}
    assert endpoints["tracker_store"] == {"type": "bot.trackers.TurnTrackers"}
    assert set(yaml.safe_load((ROOT / "bot" / "credentials.yml").read_text(encoding="utf-8"))) == {"bot.channel.TouchdeskInput"}


def test_the_folder_that_programs_run_in_holds_no_test_module() -> None:
    """A file test.py in the checkout would be imported by a library on its own."""
    assert not (ROOT / "test.py").exists()
