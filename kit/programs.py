"""The programs of the kit as data: what is started, with which environment, and which port it opens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kit.leftovers import MARK
from kit.settings import PREFIX, ROOT, Settings, as_environment

WEB_PYTHON = ROOT / ".venv" / "bin" / "python"
BOT_PYTHON = ROOT / ".venv-bot" / "bin" / "python"

# Nothing reaches for a network or reports home, and logs appear as they are written.
EVERYWHERE = {
    "PYTHONUNBUFFERED": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "RASA_TELEMETRY_ENABLED": "false",
    # glibc keeps up to eight heaps a core for threads that no longer need them; two are enough at our load
    "MALLOC_ARENA_MAX": "2",
}
BOT_HALF = {
    "SANIC_HOST": "127.0.0.1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True)
class Program:
    """One process that is kept running. ``stop_s`` is how long it may take to stop before it is killed."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    stop_s: int = 5


def program_table(settings: Settings) -> tuple[Program, ...]:
    """The four processes. ``settings`` have their secrets."""
    web, bot, half = str(WEB_PYTHON), str(BOT_PYTHON), bot_half(settings)
    rasa = (bot, "-m", "bot.rasa_cli", "run", "-i", "127.0.0.1", "-p", str(settings.rasa_port), "-m", str(settings.var / "rasa" / "models"))
    rasa_reads = ("--credentials", "bot/credentials.yml", "--endpoints", "bot/endpoints.yml")
    actions = {**half, PREFIX + "ACTIONS_PORT": str(settings.actions_port)}
    return (
        Program("search", (web, "-m", "knowledge_base", "serve"), web_half(settings), settings.search_port),
        Program("actions", (bot, "-m", "actions.server"), actions, settings.actions_port, stop_s=4),
        Program("rasa", (*rasa, *rasa_reads), half, settings.rasa_port, stop_s=4),
        Program("web", (web, "-m", "widget"), web_half(settings), settings.port, stop_s=18),
    )


def web_half(settings: Settings) -> dict[str, str]:
    """Environment of what runs on Python 3.11: every setting but the first staff account, which only `desk init` needs."""
    told = replace(settings, admin_email="", admin_password="")
    return {**as_environment(told), PREFIX + "VAR": str(settings.var), **EVERYWHERE}


def bot_half(settings: Settings) -> dict[str, str]:
    """Environment of what runs on Python 3.10: where things are, and the inner secret; not the key that signs customers' tokens."""
    return {
        PREFIX + "VAR": str(settings.var),
        PREFIX + "SEARCH_URL": settings.search_url,
        PREFIX + "ACTIONS_URL": settings.actions_url,
        PREFIX + "INNER_SECRET": settings.inner_secret,
        **EVERYWHERE,
        **BOT_HALF,
    }


def inherited(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program of ours takes over from this process: everything but settings, which it is told one by one, and our mark."""
    environ = os.environ if environ is None else environ
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX) and name != MARK}
