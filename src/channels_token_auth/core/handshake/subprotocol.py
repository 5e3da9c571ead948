"""A credential among the offered subprotocols, where a browser can put one (RFC 6455 §4.1)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence

from ..credentials import Location
from .found import Found, Header, Headers, judge, spoil
from .policy import Policy

__all__ = ["OFFER", "take_subprotocol"]

OFFER = b"sec-websocket-protocol"
"""The header that lists the subprotocols a client offers."""

_PLAIN = b"bearer."
# Kubernetes' and Phoenix' dialects first: the shortest prefix is a prefix of theirs.
_ENCODED = (
    b"base64url.bearer.authorization.k8s.io.",
    b"base64url.bearer.phx.",
    b"base64url.bearer.",
)
_CREDENTIAL = (_PLAIN, *_ENCODED)
# RFC 4648 §5. Python would drop every other character, and warn of it from 3.15 on.
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")


def take_subprotocol(
    headers: list[Header], listed: Sequence[str], policy: Policy
) -> tuple[Found | None, list[Header], list[str], bool]:
    """Take every entry that carries a credential, even if the location is off.

    Return what was found, the headers without it, the subprotocols that an application may select,
    and whether there was such an entry. The header's lines are what the client offered. `listed` is
    what the server made of them: some servers give a line unsplit, know the last line only, or give
    nothing. It stands in for the header only where there is none.
    """
    lines = [value for name, value in headers if name == OFFER]
    known = _split(map(_bytes, listed))
    offered = _split(lines) or known
    credentials = [entry for entry in offered if entry.startswith(_CREDENTIAL)]
    others = [entry for entry in offered if not entry.startswith(_CREDENTIAL)]
    # A server that knows some entries only (hypercorn) raises if an application selects another.
    selectable = [
        entry.decode(errors="surrogateescape") for entry in others if not known or entry in known
    ]
    has_credential = any(entry.startswith(_CREDENTIAL) for entry in (*credentials, *known))
    left = _reoffer(headers, others) if lines and credentials else headers
    if Location.SUBPROTOCOL not in policy.locations:
        return None, left, selectable, has_credential
    values = [_token_of(entry, policy.max_token_bytes) for entry in credentials]
    found = judge(Location.SUBPROTOCOL, values, policy.max_token_bytes)
    return found, left, selectable, has_credential


def _split(lines: Iterable[bytes]) -> list[bytes]:
    entries = (entry.strip(b" \t") for line in lines for entry in line.split(b","))
    return [entry for entry in entries if entry]


def _bytes(text: str) -> bytes:
    # Servers show bytes that are no text as surrogates; a test may write any of these.
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")


def _reoffer(headers: Headers, entries: Sequence[bytes]) -> list[Header]:
    """Return the headers with these entries in one line, instead of those that were there."""
    left = [header for header in headers if header[0] != OFFER]
    return [*left, (OFFER, b", ".join(entries))] if entries else left


def _token_of(entry: bytes, max_bytes: int) -> bytes:
    """Return the raw token of an entry, whose base64url must be canonical (RFC 4648 §3.5)."""
    prefix = next((prefix for prefix in _ENCODED if entry.startswith(prefix)), None)
    value = entry.removeprefix(prefix or _PLAIN)
    if prefix is None or len(value) > max_bytes * 2:
        return value
    # A length of 4n + 1 is no base64 at all.
    if not _BASE64URL.fullmatch(value) or len(value) % 4 == 1:
        return spoil(value, max_bytes)
    token = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    is_canonical = urlsafe_b64encode(token).rstrip(b"=") == value
    return token if is_canonical else spoil(value, max_bytes)
