"""The host that the demo listens on: who can reach it, and by which names."""

import ipaddress
import socket

__all__ = ["is_loopback", "names", "url"]

# For documentation only (RFC 5737, RFC 3849): connecting a UDP socket there sends nothing, and
# shows which address of this machine others see.
ELSEWHERE = {socket.AF_INET: ("192.0.2.1", 9), socket.AF_INET6: ("2001:db8::1", 9)}


def is_loopback(host):
    """Return whether this machine alone can reach what listens on the host."""
    return bool(host) and all(address.is_loopback for address in _addresses(host))


def names(host):
    """Return the host names that browsers may use, the best one first."""
    if not any(address.is_unspecified for address in _addresses(host or "::")):
        return [_in_url(host)]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE[family])
        except OSError:  # no network
            return ["localhost"]
        return [_in_url(probe.getsockname()[0]), socket.gethostname().lower()]


def url(host, port):
    """Return the page's address."""
    return f"http://{names(host)[0]}:{port}/"


def _addresses(host):
    found = socket.getaddrinfo(host, None)
    return {ipaddress.ip_address(address[0].partition("%")[0]) for *_, address in found}


def _in_url(host):
    return f"[{host}]" if ":" in host else host
