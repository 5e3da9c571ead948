"""Recognize requests of the site's operators: of programs on this machine, or with a token.

A proxy on this machine sends the requests of all clients from this machine. Most proxies add a
header that shows it; others only pass on the Host that the client asked for. So a request is local
if it has no such header and asks for this machine itself. The Host alone proves nothing,
since a client may send "localhost": the proxy of a site has to add a header.
"""

import ipaddress

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from .. import conf
from ..core.counting.client_address import read_address
from ..django_internals import is_test_environment

__all__ = ["is_operator"]

FORWARDED = frozenset(
    {
        "cf-connecting-ip",
        "client-ip",
        "forwarded",  # RFC 7239
        "true-client-ip",
        "via",  # RFC 9110 §7.6.3
        "x-client-ip",
        "x-cluster-client-ip",
        "x-original-forwarded-for",
        "x-real-ip",
    }
)
"""Headers with which a proxy on this machine shows that the client is on another one."""

FORWARDED_PREFIX = "x-forwarded-"
"""The beginning of further such headers: many proxies set the scheme, and not the address."""

TEST_HOSTS = ("", "testserver")
"""Hosts of Django's test clients."""


def is_operator(request: HttpRequest) -> bool:
    """Return True for a request from this machine, or with `METRICS_TOKEN`."""
    return _is_local(request) or _has_token(request)


def _is_local(request: HttpRequest) -> bool:
    """Return True for a request that a program on this machine sent, and no proxy forwarded."""
    names = {name.lower() for name in request.headers}
    if names & FORWARDED or any(name.startswith(FORWARDED_PREFIX) for name in names):
        return False
    peer = request.META.get("REMOTE_ADDR") or ""  # a Unix socket has none
    return _is_loopback(peer) and _names_this_machine(request.META.get("HTTP_HOST") or "")


def _names_this_machine(host: str) -> bool:
    """Return True for the Host of a request to this machine itself, with or without a port."""
    if host in TEST_HOSTS:
        # A request without a Host (HTTP/1.0) may have passed a proxy that adds none.
        return is_test_environment()
    name = host.partition(":")[0].lower().rstrip(".")
    # RFC 6761 §6.3: all names below "localhost" are this machine.
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(host)


def _is_loopback(text: str) -> bool:
    # A server that listens on IPv4 and IPv6 at once reports "::ffff:127.0.0.1".
    address = read_address(text)
    return address is not None and ipaddress.ip_address(address.text).is_loopback


def _has_token(request: HttpRequest) -> bool:
    """Return True if METRICS_TOKEN is set, and sent as a bearer token (RFC 6750 §2.1)."""
    # The name of a scheme is case-insensitive (RFC 9110 §11.1).
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    try:
        wanted = conf.configuration().metrics_token
    except ImproperlyConfigured:
        return False  # `ready/` then answers 503, and logs what is wrong
    if wanted is None:
        return False
    # The time of a plain comparison would show how many characters of a guess are right.
    return constant_time_compare(presented.strip(), wanted.reveal())
