"""What is started, and what each program is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kit.programs import Program, bot_half, inherited, program_table, web_half
from kit.settings import Settings, read_settings

SETTINGS = Settings(
    var=Path("/srv/desk"), port=81, rasa_port=82, actions_port=83, search_port=84, admin_email="ada@example.com", admin_password="word of ada",
    inner_secret="inner one", signing_key="signing one",
)  # fmt: skip


def named(name: str) -> Program:
    return next(program for program in program_table(SETTINGS) if program.name == name)


def test_the_web_half_reads_back_the_settings_in_force() -> None:
    """Its own reader accepts every name it is given; only the first account's password, which it has no use for, is kept from it."""
    assert read_settings(web_half(SETTINGS)) == replace(SETTINGS, admin_email="", admin_password="")


def test_the_dialogue_half_gets_addresses_and_one_secret() -> None:
    """It neither knows the key that signs customers' tokens nor the database."""
    told = bot_half(SETTINGS)
    assert (told["TOUCHDESK_VAR"], told["TOUCHDESK_INNER_SECRET"]) == ("/srv/desk", "inner one")
    assert told["TOUCHDESK_SEARCH_URL"] == "http://127.0.0.1:84"
    assert told["TOUCHDESK_ACTIONS_URL"] == "http://127.0.0.1:83"
    assert "signing one" not in told.values()


def test_no_program_has_a_secret_on_its_command_line() -> None:
    """A command line can be read by every user of the machine."""
    for program in program_table(SETTINGS):
        assert not {"inner one", "signing one", "word of ada"} & set(program.command)


def test_every_program_has_the_port_of_its_setting() -> None:
    """And Rasa and its actions are told to listen on loopback only."""
    assert {program.name: program.port for program in program_table(SETTINGS)} == {"search": 84, "actions": 83, "rasa": 82, "web": 81}
    assert "82" in named("rasa").command
    assert "127.0.0.1" in named("rasa").command
    assert named("actions").environment["TOUCHDESK_ACTIONS_PORT"] == "83"
    assert not {"--cors", "--enable-api"} & set(named("rasa").command)


def test_nothing_calls_home() -> None:
    """Telemetry and model hubs are off in both halves."""
    for told in (web_half(SETTINGS), bot_half(SETTINGS)):
        assert told["RASA_TELEMETRY_ENABLED"] == "false"
        assert told["HF_HUB_OFFLINE"] == "1"


def test_settings_of_the_shell_are_not_inherited() -> None:
    """What a program needs of them it is told; the rest of the environment goes with it."""
    assert inherited({"PATH": "/bin", "TOUCHDESK_PORT": "1", "KIT_PROGRAM": "web"}) == {"PATH": "/bin"}
