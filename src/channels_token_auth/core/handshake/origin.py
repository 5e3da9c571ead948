"""Decide which pages may open a socket, by their Origin (RFC 6454 §7, RFC 6455 §10.2)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["OriginRule", "mistake_in"]

# scheme "://" host [":" port], as RFC 6454 §6.2 serialises it: no path, no user, no list.
_ORIGIN = re.compile(
    rb"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    rb"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
    rb"(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {b"http": b"80", b"ws": b"80", b"https": b"443", b"wss": b"443"}
_WILDCARD = b"://*."

# Origins without scheme, host and port: "null" of sandboxed frames and local files (RFC 6454 §6.1),
# and "file://" of some native shells.
_OPAQUE = (b"null", b"file://")

Headers = Sequence[tuple[bytes, bytes]]
Parts = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRule:
    """The origins that are allowed.

    `exact`: None, or the allowed origins by scheme, host and port. One may have a leading wildcard:
    `https://*.example.com` allows every host below `example.com`. `"null"` and `"file://"` allow
    these very values, and `"self"` allows the Host of the handshake, if `hosts` matches it.
    `hosts`: patterns as in Django's ALLOWED_HOSTS; with `"*"` the Origin must equal the Host.
    """

    hosts: tuple[str, ...]
    exact: frozenset[str] | None = None

    def allows(self, headers: Headers) -> bool:
        """Return whether the Origin is allowed; True without one, which browsers always send."""
        origins = [value for name, value in headers if name == b"origin"]
        # RFC 6455 §4.1 (8) requires it of browsers. Any other client could forge it anyway (§10.2).
        if not origins:
            return True
        if origins[0] in _OPAQUE and len(origins) == 1:
            return self.exact is not None and origins[0].decode() in self.exact
        origin = _parse(origins[0])
        if origin is None or len(origins) > 1:
            return False
        if self.exact is None:
            return self._knows(origin) and ("*" not in self.hosts or _is_host(origin, headers))
        if "self" in self.exact and self._knows(origin) and _is_host(origin, headers):
            return True
        return _is_listed(origin, self.exact)

    def _knows(self, origin: Parts) -> bool:
        host = origin[1].decode()
        return any(_host_matches(host, pattern.lower()) for pattern in self.hosts)


def mistake_in(entry: object) -> str | None:
    """Return how to correct an entry that `exact` cannot contain; None if it can."""
    if not isinstance(entry, str):
        return 'write it as text, such as "https://example.com"'
    if entry in ("self", *(each.decode() for each in _OPAQUE)):
        return None
    if not entry.isascii():
        return "write the host as browsers send it, in Punycode (xn--…)"
    if _parse_entry(entry) is not None:
        return None
    return next(_advice(entry), "write scheme, host and port only")


def _advice(entry: str) -> Iterator[str]:
    """Yield the possible corrections, the likeliest first."""
    if entry.strip() != entry:
        yield "remove the white space"
    if "://" not in entry:
        yield f'begin with the scheme: "https://{entry}"'
    if _parse_entry(entry.rstrip("/")) is not None:
        yield f'remove the trailing slash: "{entry.rstrip("/")}"'
    if "*" in entry:
        yield 'use one wildcard, in front of the host: "https://*.example.com"'


def _parse(value: bytes) -> Parts | None:
    match = _ORIGIN.fullmatch(value.lower())
    if match is None:
        return None
    scheme, host, port = match["scheme"], match["host"], match["port"]
    # Browsers leave the default port out (RFC 6454 §6.2), but a setting may name it.
    if port is None:
        return scheme, host, _DEFAULT_PORTS.get(scheme, b"")
    return scheme, host, port.lstrip(b"0") or b"0"


def _parse_entry(entry: str) -> tuple[Parts, bool] | None:
    """Return an entry's parts, and whether it has a wildcard for the hosts below its host."""
    text = entry.encode(errors="replace")
    has_wildcard = _WILDCARD in text
    parts = _parse(text.replace(_WILDCARD, b"://", 1) if has_wildcard else text)
    if parts is None or (has_wildcard and parts[1].startswith(b"[")):
        return None
    return parts, has_wildcard


@lru_cache(maxsize=64)  # one for each route
def _parse_all(exact: frozenset[str]) -> tuple[frozenset[Parts], tuple[Parts, ...]]:
    parsed = [each for each in map(_parse_entry, exact) if each]
    hosts = frozenset(parts for parts, has_wildcard in parsed if not has_wildcard)
    return hosts, tuple(parts for parts, has_wildcard in parsed if has_wildcard)


def _is_listed(origin: Parts, exact: frozenset[str]) -> bool:
    hosts, parents = _parse_all(exact)
    return origin in hosts or any(_is_below(origin, parent) for parent in parents)


def _is_below(origin: Parts, parent: Parts) -> bool:
    (scheme, host, port), (wanted_scheme, wanted_host, wanted_port) = origin, parent
    is_same = scheme == wanted_scheme and port == wanted_port
    return is_same and host.endswith(b"." + wanted_host)


def _is_host(origin: Parts, headers: Headers) -> bool:
    hosts = [value for name, value in headers if name == b"host"]
    return len(hosts) == 1 and _parse(origin[0] + b"://" + hosts[0]) == origin


def _host_matches(host: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return pattern in ("*", host)
