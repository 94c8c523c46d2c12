"""Who really calls: what proxies say of a client counts only where the connection comes from a proxy of the settings.

A header that anybody can write decides nothing: from all others these headers are taken away before the app sees the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Network = IPv4Network | IPv6Network
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_SAID = ("FORWARDED", "X_REAL_IP", *(f"X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX", "SSL", "SERVER", "SCHEME")))
SITE_BITS = 64
"""Of an IPv6 address: the rest is the customer's own to choose."""


def networks(written: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as the settings have them."""
    return tuple(ip_network(text) for text in written)


def plain_address(text: str) -> str | None:
    """An address without port, brackets, zone and IPv4-in-IPv6 writing; None for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def is_trusted(address: str | None, trusted: Sequence[Network]) -> bool:
    """Whether an address is one of the proxies."""
    return address is not None and any(ip_address(address) in network for network in trusted)


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The nearest address that is no proxy of ours, read from the connection backwards; what lies behind it may be made up."""
    found = plain_address(peer) or peer
    for hop in reversed(forwarded_for.split(",") if forwarded_for else []):
        if not is_trusted(plain_address(found), trusted):
            return found
        address = plain_address(hop)
        if address is None:
            return found
        found = address
    return found


def address_key(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the 64 bits of an IPv6 one that its network gave out."""
    if ":" not in address:
        return address
    try:
        return str(ip_network((address, SITE_BITS), strict=False))
    except ValueError:
        return address


class BehindProxies:
    """WSGI middleware: puts the client's address and scheme into ``environ``, and takes away what only a proxy may say."""

    def __init__(self, application: Application, trusted: Sequence[Network]) -> None:
        self._application = application
        self._trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = {name: environ.pop(f"HTTP_{name}", "") for name in _SAID}
        peer = plain_address(environ.get("REMOTE_ADDR", ""))
        if is_trusted(peer, self._trusted):
            scheme = said["X_FORWARDED_PROTO"].rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            environ["REMOTE_ADDR"] = client_address(peer or "", said["X_FORWARDED_FOR"], self._trusted)
        elif peer is not None:
            environ["REMOTE_ADDR"] = peer
        return self._application(environ, start_response)
