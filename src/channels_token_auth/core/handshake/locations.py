"""Take the credential out of each place where an opening handshake may hold one.

Each function gives what it found, None for nothing, and the rest without it.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ..close_codes import CloseReason
from ..credentials import Credential, Location, Secret, is_visible
from .policy import Policy

__all__ = [
    "OFFER",
    "Found",
    "Header",
    "Headers",
    "Problem",
    "take_cookie",
    "take_header",
    "take_query",
    "take_subprotocol",
]

Header = tuple[bytes, bytes]
Headers = Sequence[Header]

OFFER = b"sec-websocket-protocol"
"""The header that lists the subprotocols a client offers (RFC 6455 §4.1)."""
_PLAIN = b"bearer."
# Kubernetes' and Phoenix' dialects first: the shortest prefix is a prefix of theirs.
_ENCODED = (
    b"base64url.bearer.authorization.k8s.io.",
    b"base64url.bearer.phx.",
    b"base64url.bearer.",
)
# scheme [1*SP token], with a scheme as in RFC 9110 §11.1. Whatever follows a scheme without a space
# (`Bearer,x`) was meant as a credential too, and is a wrong one.
_SCHEME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_AUTHORIZATION = re.compile(rb"[ \t]*(%b)(?:[ \t]+(.*)|(.+))?" % _SCHEME, re.DOTALL)
# Two lines of one name, which daphne joins: a proxy's own, and the client's.
_JOINED = re.compile(rb",[ \t]*(?=%b[ \t]+[^ \t])" % _SCHEME)
_BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a credential. `is_hostile`: not even accepted to be told so."""

    code: CloseReason
    is_hostile: bool = False


Found = Credential | Problem
"""What one location holds."""


def take_header(headers: list[Header], policy: Policy) -> tuple[Found | None, list[Header]]:
    """Take `Authorization: <scheme> <token>` where a backend claims the scheme (RFC 6750 §2.1)."""
    if Location.HEADER not in policy.locations:
        return None, headers
    schemes: list[str] = []
    values: list[bytes] = []
    left: list[Header] = []
    for header in headers:
        name, value = header
        if name != b"authorization":
            left.append(header)
            continue
        others = []
        for part in _JOINED.split(value) if b"," in value else (value,):
            match = _AUTHORIZATION.fullmatch(part)
            if match and (scheme := match[1].decode().lower()) in policy.schemes:
                schemes.append(scheme)
                wrong = _undecodable(match[3] or b"", policy.max_token_bytes)
                values.append((match[2] or wrong).rstrip(b" \t"))
            else:
                others.append(part)
        if others:
            left.append((name, b", ".join(others)))
    return _judge(Location.HEADER, values, policy, *schemes[:1]), left


def _judge(
    location: Location, values: Sequence[bytes], policy: Policy, scheme: str | None = None
) -> Found | None:
    """What the raw values found in one location amount to."""
    if not values:
        return None
    if max(map(len, values)) > policy.max_token_bytes:
        return Problem(code=CloseReason.MALFORMED, is_hostile=True)
    token = _decode(values[0])
    if len(values) > 1 or token is None:
        return Problem(code=CloseReason.MALFORMED)
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def _decode(value: bytes) -> str | None:
    try:
        token = value.decode()
    except UnicodeDecodeError:
        return None
    return token if is_visible(token) else None


def take_query(
    location: Location, wanted: str, query_string: bytes, policy: Policy
) -> tuple[Found | None, bytes]:
    """Take the parameter of that name."""
    if location not in policy.locations or not query_string:
        return None, query_string
    values, left = [], []
    for pair in query_string.split(b"&"):
        name, _, value = pair.partition(b"=")
        if unquote_to_bytes(name.replace(b"+", b" ")) == wanted.encode():
            values.append(_unquote(value, policy.max_token_bytes))
        else:
            left.append(pair)
    return _judge(location, values, policy), b"&".join(left)


def _unquote(value: bytes, max_bytes: int) -> bytes:
    """Percent-decode (RFC 3986 §2.1)."""
    if _BAD_PERCENT.search(value):
        return _undecodable(value, max_bytes)
    return unquote_to_bytes(value.replace(b"+", b" "))


def take_subprotocol(
    headers: list[Header], subprotocols: Sequence[str], policy: Policy
) -> tuple[Found | None, list[Header], list[str]]:
    """Take out every entry that carries a token, even where the location is off.

    The header's lines are what the client offered. Servers make their list of them, and lose
    some; it stands in for the header only where there is none.
    """
    lines = [value for name, value in headers if name == OFFER]
    offered = [entry.strip(b" \t") for line in lines for entry in line.split(b",")]
    offered = offered or [entry.encode(errors="surrogatepass") for entry in subprotocols]
    entries = [entry for entry in offered if _carries_token(entry)]
    listed = [s for s in subprotocols if not _carries_token(s.encode(errors="surrogatepass"))]
    headers_left = _reoffer(headers, offered) if lines and entries else headers
    if Location.SUBPROTOCOL not in policy.locations:
        return None, headers_left, listed
    values = [_token_of(entry, policy.max_token_bytes) for entry in entries]
    return _judge(Location.SUBPROTOCOL, values, policy), headers_left, listed


def _carries_token(entry: bytes) -> bool:
    return entry.startswith((_PLAIN, *_ENCODED))


def _token_of(entry: bytes, max_bytes: int) -> bytes:
    """The raw token of an entry, whose base64url must be canonical (RFC 4648 §5)."""
    prefix = next((prefix for prefix in _ENCODED if entry.startswith(prefix)), None)
    value = entry.removeprefix(prefix or _PLAIN)
    if prefix is None or len(value) > max_bytes * 2:
        return value
    try:
        token = urlsafe_b64decode(value + b"=" * (-len(value) % 4))
    except ValueError:
        return _undecodable(value, max_bytes)
    is_canonical = urlsafe_b64encode(token).rstrip(b"=") == value
    return token if is_canonical else _undecodable(value, max_bytes)


def _undecodable(value: bytes, max_bytes: int) -> bytes:
    """Something that is no token, and still too large if it was."""
    return value if len(value) > max_bytes else b""


def _reoffer(headers: Headers, offered: Sequence[bytes]) -> list[Header]:
    """The headers, offering only what carries no token."""
    left = [(name, value) for name, value in headers if name != OFFER]
    offer = b", ".join(entry for entry in offered if not _carries_token(entry))
    return [*left, (OFFER, offer)] if offer else left


def take_cookie(headers: list[Header], policy: Policy) -> tuple[Found | None, list[Header]]:
    if Location.COOKIE not in policy.locations:
        return None, headers
    wanted = policy.cookie_name.encode()
    values: list[bytes] = []
    left: list[Header] = []
    for name, value in headers:
        if name != b"cookie":
            left.append((name, value))
            continue
        others = []
        for pair in value.split(b";"):
            key, _, token = pair.partition(b"=")
            if key.strip() == wanted:
                values.append(token.strip(b' \t"'))
            elif pair.strip():
                others.append(pair.strip())
        if others:
            left.append((name, b"; ".join(others)))
    return _judge(Location.COOKIE, values, policy), left
