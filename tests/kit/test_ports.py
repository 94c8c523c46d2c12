"""Ports and who holds them."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from kit.errors import PortsTaken, SettingError
from kit.ports import can_listen, free_ports, is_listening, refuse_taken, wanted_addresses
from kit.process_table import port_holder, processes, read_process
from kit.settings import Settings


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which this very process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_known_with_its_holder(taken: int) -> None:
    """By number, pid and command."""
    assert not can_listen("127.0.0.1", taken)
    assert is_listening(taken)
    assert port_holder(taken).startswith(f"pid {os.getpid()}: ")


def test_all_taken_ports_are_named_at_once(taken: int) -> None:
    """One start is enough to learn of all of them."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        also = other.getsockname()[1]
        with pytest.raises(PortsTaken) as refusal:
            refuse_taken([("127.0.0.1", taken), ("127.0.0.1", also), ("127.0.0.1", free_ports(1)[0])])
    assert set(refusal.value.taken) == {taken, also}


def test_a_port_taken_on_one_address_is_taken_on_every_address(taken: int) -> None:
    """Listening everywhere would collide with listening on loopback."""
    assert not can_listen("0.0.0.0", taken)


def test_free_ports_are_free_and_different() -> None:
    """A whole kit's worth of them."""
    ports = free_ports(4)
    assert len(set(ports)) == 4
    assert all(can_listen("127.0.0.1", port) and not is_listening(port) for port in ports)


def test_a_port_just_closed_can_be_taken_again() -> None:
    """A connection that still lingers on it is no obstacle, as it is none for the servers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()
        client.close()
    assert can_listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_a_wrong_setting() -> None:
    """The message names it instead of blaming a port."""
    with pytest.raises(SettingError, match=r"Cannot listen on 192\.0\.2\.1"):
        can_listen("192.0.2.1", 8000)


def test_ports_of_the_settings_must_differ() -> None:
    """Two programs on one port are refused by the names of the settings."""
    with pytest.raises(SettingError, match="8000 is there twice"):
        wanted_addresses(Settings(rasa_port=8000))
    assert wanted_addresses(Settings(host="0.0.0.0"))[0] == ("0.0.0.0", 8000)


def test_this_process_is_in_the_table() -> None:
    """With its command and the environment of its start."""
    own = read_process(os.getpid())
    assert own is not None
    assert own in list(processes())
    assert own.environment["PATH"]
    assert read_process(2**22 + 1) is None
