"""Ports: which are taken and by whom, and free ones for a trial."""

from __future__ import annotations

import errno
import random
import socket
from collections import Counter
from collections.abc import Iterable

from kit.errors import PortsTaken, SettingError
from kit.process_table import port_holder
from kit.settings import Settings

# Below the range from which the system takes ports for outgoing calls (32768 and up), so that none is snatched between choice and use.
TRIAL_PORTS = range(20000, 32000)


def wanted_addresses(settings: Settings) -> list[tuple[str, int]]:
    """Host and port of every listener. Raises `SettingError` when two of them are the same port."""
    inner = (settings.rasa_port, settings.actions_port, settings.search_port)
    twice = [port for port, times in Counter((settings.port, *inner)).items() if times > 1]
    if twice:
        raise SettingError(f"TOUCHDESK_PORT, _RASA_PORT, _ACTIONS_PORT and _SEARCH_PORT must differ; {twice[0]} is there twice")
    return [(settings.host, settings.port), *(("127.0.0.1", port) for port in inner)]


def refuse_taken(addresses: Iterable[tuple[str, int]]) -> None:
    """Raise `PortsTaken`, which names every holder, unless all addresses can be listened on."""
    taken = {port: port_holder(port) for host, port in addresses if not can_listen(host, port)}
    if taken:
        raise PortsTaken(taken)


def can_listen(host: str, port: int) -> bool:
    """True if a server could be started here now. Raises `SettingError` for a host that is no address of this machine."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a connection just closed is no obstacle
            trial.bind(address)
            trial.listen(1)  # on Linux two may bind with SO_REUSEADDR while neither listens
    except OSError as cause:
        if cause.errno == errno.EADDRINUSE:
            return False
        raise SettingError(f"Cannot listen on {host} port {port}: {cause.strerror or cause}") from cause
    return True


def is_listening(port: int, timeout_s: float = 0.5) -> bool:
    """True if somebody accepts connections on this port of the loopback address."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """So many different ports on which nobody listens."""
    candidates = random.sample(TRIAL_PORTS, 50 * count)
    free = (port for port in candidates if can_listen("127.0.0.1", port))
    return [next(free) for _ in range(count)]
