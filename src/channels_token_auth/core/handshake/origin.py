"""Whether a page of another site may open a socket here (RFC 6454 §7, RFC 6455 §10.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["OriginRule"]

# scheme "://" host [":" port], as RFC 6454 §6.2 serialises it: no path, no user, no list.
_ORIGIN = re.compile(
    rb"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    rb"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)"
    rb"(?::(?P<port>[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {b"http": b"80", b"ws": b"80", b"https": b"443", b"wss": b"443"}

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRule:
    """Which origins pass.

    `exact`: None, or origins compared by scheme, host and port; `"null"` stands for pages opened
    from a file or a sandbox, `"self"` for the Host that was asked for, if `hosts` has it.
    `hosts`: patterns as in Django's ALLOWED_HOSTS; with `"*"` the Origin must equal the Host.
    """

    hosts: tuple[str, ...]
    exact: frozenset[str] | None = None

    def allows(self, headers: Headers) -> bool:
        """Whether the handshake's Origin passes. None at all does: no browser sent it."""
        origins = [value for name, value in headers if name == b"origin"]
        if not origins:
            return True
        if origins == [b"null"]:
            return self.exact is not None and "null" in self.exact
        origin = _parse(origins[0])
        if origin is None or len(origins) > 1:
            return False
        if self.exact is None:
            return self._knows(origin) and ("*" not in self.hosts or _is_host(origin, headers))
        if "self" in self.exact and self._knows(origin) and _is_host(origin, headers):
            return True
        return any(origin == _parse(entry.encode()) for entry in self.exact)

    @staticmethod
    def is_entry(entry: object) -> bool:
        """Whether `exact` may hold it."""
        return entry in ("null", "self") or (
            isinstance(entry, str) and entry.isascii() and _parse(entry.encode()) is not None
        )

    def _knows(self, origin: tuple[bytes, bytes, bytes]) -> bool:
        host = origin[1].decode()
        return any(_host_matches(host, pattern.lower()) for pattern in self.hosts)


def _parse(value: bytes) -> tuple[bytes, bytes, bytes] | None:
    match = _ORIGIN.fullmatch(value.lower())
    if match is None:
        return None
    scheme, host, port = match["scheme"], match["host"], match["port"]
    if port is None:
        return scheme, host, _DEFAULT_PORTS.get(scheme, b"")
    return scheme, host, port.lstrip(b"0") or b"0"


def _is_host(origin: tuple[bytes, bytes, bytes], headers: Headers) -> bool:
    hosts = [value for name, value in headers if name == b"host"]
    return len(hosts) == 1 and _parse(origin[0] + b"://" + hosts[0]) == origin


def _host_matches(host: str, pattern: str) -> bool:
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return pattern in ("*", host)
