"""Find the address of an HTTP request, as for a WebSocket's handshake."""

from collections.abc import Iterable

from django.http import HttpRequest

from .. import conf
from ..core.counting.client_address import FORWARDED_FOR, ClientAddress, client_address

__all__ = ["address_text", "request_address"]


def request_address(request: HttpRequest) -> ClientAddress | None:
    """Return the client's address, found by `TRUSTED_PROXIES`; None if there is none."""
    peer = request.META.get("REMOTE_ADDR")
    proxies = conf.configuration().trusted_proxies
    return client_address((peer,) if peer else None, _headers(request), proxies)


def address_text(request: HttpRequest) -> str | None:
    """Return the client's address as text, in the form of the audit records."""
    address = request_address(request)
    return address.text if address else None


def _headers(request: HttpRequest) -> Iterable[tuple[bytes, bytes]]:
    scope = getattr(request, "scope", None)
    if scope is not None:
        # Not from `META`: Django joins "X-Forwarded-For" with "X_Forwarded_For", which a client can
        # send through most proxies.
        return [(name.lower(), value) for name, value in scope.get("headers") or ()]
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    return [] if forwarded is None else [(FORWARDED_FOR, forwarded.encode("latin-1", "replace"))]
