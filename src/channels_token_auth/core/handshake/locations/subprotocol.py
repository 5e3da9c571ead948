"""Read a credential in the offered subprotocols, the one header that a page can set.

The WebSocket constructor of browsers has no argument for headers but this one: its entries become
the header `Sec-WebSocket-Protocol` (RFC 6455 §4.1).
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...close_codes import CloseReason
from ...credentials import Location
from ...redaction.bare_token import is_bare_token
from ..policy import Policy
from .found import Found, Header, Headers, Problem, read_value, spoil

__all__ = ["MAX_OFFERED", "OFFER", "Entries", "take_subprotocol"]

OFFER = b"sec-websocket-protocol"
"""The header that lists the subprotocols a client offers."""

MAX_OFFERED = 64
"""Most entries that are read. Clients offer a few, but granian passes on a header of 400 KB, and
reading its 100,000 entries stopped the event loop, and all other sockets, for seconds."""

_PLAIN = b"bearer."
# The prefixes of Kubernetes and Phoenix come first, because our own is a prefix of them.
_ENCODED = (
    b"base64url.bearer.authorization.k8s.io.",
    b"base64url.bearer.phx.",
    b"base64url.bearer.",
)
_CREDENTIAL = (_PLAIN, *_ENCODED)
# RFC 4648 §5. Python's decoder ignores all other characters (and warns about them from 3.15 on), so
# that one token would have many spellings.
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The offered subprotocols without the tokens among them.

    `selectable`: those that the application may select. `has_credential`: an entry carried a
    credential. `has_bare_token`: an entry was a token by itself, without a prefix.
    """

    selectable: list[str]
    has_credential: bool = False
    has_bare_token: bool = False


def take_subprotocol(
    headers: list[Header], listed: Sequence[str], policy: Policy
) -> tuple[Found | None, list[Header], Entries]:
    """Take every entry that carries a credential, even if the location is off.

    Return the credential, the headers without it, and the other entries. The header's lines are
    what the client offered. `listed` is the server's version of them: some servers do not split a
    line, keep the last line only, or list nothing. It is used only if the header is missing. An
    offer of over `MAX_OFFERED` entries is malformed, and dropped unread.
    """
    lines = [value for name, value in headers if name == OFFER]
    if _is_flood(lines, listed):
        flood = Problem(code=CloseReason.MALFORMED, is_hostile=True)
        return flood, _reoffer(headers, ()), Entries(selectable=[])
    known = _split(map(_bytes, listed))
    offered = _split(lines) or known
    credentials = [entry for entry in offered if entry.startswith(_CREDENTIAL)]
    others = [entry for entry in offered if not entry.startswith(_CREDENTIAL)]
    bare = {entry for entry in (*others, *known) if _is_bare(entry)}
    others = [entry for entry in others if entry not in bare]
    # Hypercorn keeps some entries only, and raises if the application selects another one.
    selectable = [
        entry.decode(errors="surrogateescape") for entry in others if not known or entry in known
    ]
    entries = Entries(
        selectable=selectable,
        has_credential=any(entry.startswith(_CREDENTIAL) for entry in (*credentials, *known)),
        has_bare_token=bool(bare),
    )
    left = _reoffer(headers, others) if lines and (credentials or bare) else headers
    if Location.SUBPROTOCOL not in policy.locations:
        return None, left, entries
    values = [_token_of(entry, policy.max_token_bytes) for entry in credentials]
    found = read_value(Location.SUBPROTOCOL, values, policy.max_token_bytes)
    return found, left, entries


def _is_flood(lines: Sequence[bytes], listed: Sequence[str]) -> bool:
    in_lines = len(lines) + sum(line.count(b",") for line in lines)
    return in_lines > MAX_OFFERED or len(listed) + sum(e.count(",") for e in listed) > MAX_OFFERED


def _is_bare(entry: bytes) -> bool:
    return not entry.startswith(_CREDENTIAL) and is_bare_token(entry.decode("latin-1"))


def _split(lines: Iterable[bytes]) -> list[bytes]:
    entries = (entry.strip(b" \t") for line in lines for entry in line.split(b","))
    return [entry for entry in entries if entry]


def _bytes(text: str) -> bytes:
    # Servers decode bytes that are not UTF-8 to surrogates (PEP 383); tests may pass any surrogate.
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
    # No base64 text has a length of 4n + 1 (RFC 4648 §4).
    if not _BASE64URL.fullmatch(value) or len(value) % 4 == 1:
        return spoil(value, max_bytes)
    token = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    # The unused bits of the last character must be zero: otherwise one token has several spellings.
    is_canonical = urlsafe_b64encode(token).rstrip(b"=") == value
    return token if is_canonical else spoil(value, max_bytes)
