"""A client's credential: a secret, and its location in the handshake."""

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NoReturn

__all__ = ["Credential", "Location", "Secret", "is_token", "is_visible"]

# A token is visible: no space, no control character, so no NUL (PostgreSQL refuses it).
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\ud800-\udfff]")


class Location(StrEnum):
    """A place for a credential, in order of precedence.

    HEADER: `Authorization` (RFC 6750, section 2.1). SUBPROTOCOL: an entry of
    `Sec-WebSocket-Protocol`, since a browser's page cannot set other headers. TICKET: the parameter
    `ticket` of the query, for one socket. QUERY: a token in the query, which servers and proxies
    log (RFC 6750, section 5.3). COOKIE: sent by browsers from other sites' pages too.
    FIRST_MESSAGE: the first frame, or a later one that reauthenticates the socket.
    """

    HEADER = "header"
    SUBPROTOCOL = "subprotocol"
    TICKET = "ticket"
    QUERY = "query"
    COOKIE = "cookie"
    FIRST_MESSAGE = "first_message"


class Secret:
    """A raw token that no repr, log, pickle or error report can show: only `reveal()` does.

    Secrets with the same token are equal. They are compared in constant time.
    """

    __slots__ = ("_digest", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._digest: str | None = None

    def reveal(self) -> str:
        """Return the raw token. Pass it on at once: tracebacks show the variables that hold it."""
        return self._value

    @property
    def digest(self) -> str:
        """The first 32 hex digits of SHA-256: fit for logs, caches and `token_id`."""
        if self._digest is None:
            self._digest = sha256(self._value.encode()).hexdigest()[:32]
        return self._digest

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied to another process")


def is_token(value: str, max_bytes: int) -> bool:
    """Return True for text that may be a token: visible characters, at most `max_bytes` bytes."""
    return is_visible(value) and len(value.encode()) <= max_bytes


def is_visible(value: str) -> bool:
    """Return True for text of visible characters that is not empty."""
    if value.isascii():  # nearly all tokens are ASCII, and this check takes a sixth of the time
        return value.isprintable() and " " not in value and value != ""
    return not _INVISIBLE.search(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One token as presented.

    `scheme` is the lower-case scheme of an `Authorization` header, else None. `origin` is the
    Origin of the handshake, or None if it has none. `tenant` is the key of the tenant that the
    token was presented to, if the site has tenants.
    """

    location: Location
    secret: Secret
    scheme: str | None = None
    origin: str | None = None
    tenant: str | None = None
