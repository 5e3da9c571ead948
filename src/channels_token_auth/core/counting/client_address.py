"""Find the address of a client: the server's own peer, or what trusted proxies report.

`X-Forwarded-For` is a list to which each proxy appends the address of its own peer. Only the
entries that the site's own proxies appended can be trusted. They are the last ones, so they are
counted from the right. Everything to their left comes from the client and may be forged.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["FORWARDED_FOR", "ClientAddress", "client_address", "read_address"]

FORWARDED_FOR = b"x-forwarded-for"

MAX_TEXT = 64
"""Characters of an address at most, with its brackets, zone and port: longer text is not read."""

# The translation prefix of RFC 6052 §2.1: behind NAT64, each IPv4 client has an address in it.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Addresses that no client on the internet has. `is_private` of the standard library also covers
# ranges for documentation and benchmarks (RFC 5737, RFC 2544), which prove nothing about proxies.
_INTERNAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",  # RFC 1122 §3.2.1.3
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",  # RFC 3927
        "100.64.0.0/10",  # RFC 6598, which clouds use for their own networks
        "::1/128",
        "fe80::/10",  # RFC 4291 §2.5.6
        "fc00::/7",  # RFC 4193
    )
)


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """One IP address.

    `text`: in its canonical form, without a zone or port. `group`: what limits count, which is the
    /64 of an IPv6 client, since a single subscriber gets at least that much (RFC 6177 §2).
    `is_internal`: a loopback or private address, which usually belongs to a proxy.
    """

    text: str
    group: str
    is_internal: bool

    def __str__(self) -> str:
        return self.text


def client_address(
    client: Any, headers: Iterable[tuple[bytes, bytes]], trusted_proxies: int
) -> ClientAddress | None:
    """Return a client's address, or None where there is none, as on a Unix socket.

    `client`: the pair of host and port in an ASGI scope. `headers`: names in lower case.
    `trusted_proxies`: how many of the site's own proxies append to X-Forwarded-For. If the header
    has fewer entries, the request did not pass all of them, and the header is ignored.
    """
    if trusted_proxies:
        lines = [value for name, value in headers if name == FORWARDED_FOR]
        entries = b",".join(lines).split(b",")
        if len(entries) >= trusted_proxies:
            # The entry is usable unless a proxy hid the address ("unknown", "unix:").
            found = read_address(entries[-trusted_proxies].decode("latin-1"))
            if found:
                return found
    # Check the type: a server, or outer middleware, may have stored any object there.
    has_host = isinstance(client, (list, tuple)) and client
    return read_address(str(client[0])) if has_host else None


@lru_cache(maxsize=4096)  # called for each handshake, and most come from a few addresses
def read_address(text: str) -> ClientAddress | None:
    """Read an IPv4 or IPv6 address, which may have brackets, a zone and a port.

    Return None for anything else. An IPv4 address that is mapped into IPv6 is returned as IPv4.
    """
    try:
        address = ipaddress.ip_address(_host(text.strip()))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    is_internal = any(address in network for network in _INTERNAL)
    return ClientAddress(text=str(address), group=_group(address), is_internal=is_internal)


def _host(text: str) -> str:
    """Return the part of the text that is an address, without its port and zone."""
    if len(text) > MAX_TEXT:
        raise ValueError
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        if not bracket or not _is_port(port):
            raise ValueError
    elif text.count(":") == 1:  # only IPv4: an IPv6 address has at least two
        host, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            raise ValueError
    else:
        host = text
    # A zone names an interface of the machine that saw the address (RFC 4007 §11).
    return host.partition("%")[0] if ":" in host else host


def _is_port(text: str) -> bool:
    return not text or (text[0] == ":" and text[1:].isascii() and text[1:].isdecimal())


def _group(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address in _NAT64:
        # The last 32 bits are the client's IPv4 address; all clients share the /64.
        return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return f"{ipaddress.IPv6Address(int(address) >> 64 << 64)}/64"
