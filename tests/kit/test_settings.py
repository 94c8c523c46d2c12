"""The settings table: what is read, what is refused, and what the processes are told of it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from kit.errors import SettingError
from kit.settings import ROOT, Settings, as_environment, read_settings, with_secrets


def test_nothing_set_gives_the_defaults() -> None:
    """An empty environment is a whole configuration."""
    settings = read_settings({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.web_url == "http://127.0.0.1:8000"
    assert settings.database == f"sqlite:///{ROOT}/var/touchdesk.sqlite"


def test_every_setting_is_read_from_its_variable() -> None:
    """What `as_environment` writes is what `read_settings` reads, for a value of each kind."""
    sites = ("https://shop.example", "http://a.example:8080")
    settings = Settings(var=Path("/srv/desk"), host="0.0.0.0", port=81, sites=sites, no_answer_share=0.4)
    environment = as_environment(settings)
    assert read_settings(environment) == settings
    assert environment["TOUCHDESK_SITES"] == "https://shop.example,http://a.example:8080"
    assert "TOUCHDESK_RASA_PORT" not in environment


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PORT", "0", "a port"),
        ("PORT", "eighty", "a port"),
        ("RASA_PORT", "65536", "a port"),
        ("TURN_BUDGET_S", "0", "seconds above 0"),
        ("TURN_BUDGET_S", "nan", "seconds above 0"),
        ("TOKEN_DAYS", "inf", "days above 0"),
        ("NO_ANSWER_SHARE", "1", "from 0 up to 1"),
        ("SITES", "shop.example", "origins"),
        ("SITES", "https://shop.example/path", "origins"),
        ("SITES", "https://user@shop.example", "origins"),
        ("SITES", "*", "origins"),
    ],
)
def test_a_bad_value_is_refused_with_name_value_and_wish(name: str, value: str, wanted: str) -> None:
    """The message holds all that is needed to put it right."""
    with pytest.raises(SettingError) as refusal:
        read_settings({f"TOUCHDESK_{name}": value})
    assert all(text in str(refusal.value) for text in (f"TOUCHDESK_{name}", repr(value), wanted))


def test_an_unknown_name_is_refused() -> None:
    """A misspelt setting does not pass as if it were set."""
    with pytest.raises(SettingError, match="TOUCHDESK_PROT is not a setting"):
        read_settings({"TOUCHDESK_PROT": "8001"})


def test_relative_folders_are_below_the_repository() -> None:
    """Wherever the command is run, `var` is the same folder."""
    assert read_settings({"TOUCHDESK_VAR": "elsewhere"}).var == ROOT / "elsewhere"


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")])
def test_the_address_of_web_can_be_opened_on_this_machine(host: str, url: str) -> None:
    """An address to listen on is not always one to call."""
    assert Settings(host=host).web_url == url


def test_secrets_are_made_once_and_kept_for_the_owner_alone(tmp_path: Path) -> None:
    """Two processes that need them get the same ones, and nobody else can read them."""
    settings = Settings(var=tmp_path / "var")
    first, second = with_secrets(settings), with_secrets(settings)
    assert first == second
    assert len(first.inner_secret) >= 32
    assert first.inner_secret != first.signing_key
    kept = tmp_path / "var" / "secrets.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text()) == {"inner_secret": first.inner_secret, "signing_key": first.signing_key}
    assert list((tmp_path / "var").iterdir()) == [kept]


def test_a_secret_that_is_set_wins_over_the_kept_one(tmp_path: Path) -> None:
    """Several machines can share secrets by setting them."""
    settings = with_secrets(Settings(var=tmp_path, signing_key="from outside"))
    assert settings.signing_key == "from outside"
    assert settings.inner_secret


def test_every_row_says_what_it_is_and_what_is_wanted() -> None:
    """The table is its own documentation."""
    for row in fields(Settings):
        assert row.metadata["help"], row.name
        assert row.metadata["wanted"], row.name
