"""Events of one connection or one request."""

from dataclasses import dataclass
from typing import Protocol, TypedDict

from ...core.close_codes import CloseReason
from ...core.errors import Detail
from ...core.limits import Limit
from ..subscriptions import Event

__all__ = [
    "AnonymousAdmitted",
    "ConnectionAuthenticated",
    "ConnectionClosed",
    "ConnectionFacts",
    "ConnectionLimited",
    "ConnectionReauthenticated",
    "HandshakeAbandoned",
    "HandshakeBegan",
    "HandshakeRefused",
    "IdentityInjected",
    "LimitReached",
    "ReauthenticationRefused",
    "Reported",
    "RequestRefused",
]


# A dictionary, which becomes the attributes of an audit record: a frozen dataclass would take five
# times as long to build, twice for each socket, and would be copied into one.
class ConnectionFacts(TypedDict):
    """A connection as plain values. What belongs to a user or a token is None where it has none.

    `address`, `origin`, `path`, `request_id` and `traceparent` are what the client and its server
    sent: not to be trusted.
    """

    connection_id: str
    node: str
    user_id: str | None
    user_kind: str | None
    token_id: str | None
    backend: str | None
    location: str | None
    address: str | None
    origin: str | None
    path: str
    request_id: str | None
    # The header of W3C Trace Context, section 3.2: it joins log records to the spans of a trace.
    traceparent: str | None


# Two classes implement it: an open socket, and a handshake that was refused.
class Reported(Protocol):
    """The connection of an event. Subscribers read it before they return, and so in the same turn
    of the event loop, or after it and before anything else: its facts are those of the event.

    Metrics need two of its facts. All of them take longer to read than the rest of the event, so
    `facts` is left to the subscribers that need more.
    """

    @property
    def backend(self) -> str | None:
        """The name of the backend that verified, or would verify, its token."""
        ...

    @property
    def location(self) -> str | None:
        """The location of its credential."""
        ...

    def facts(self) -> ConnectionFacts:
        """Return all its facts, as they are now, in a dictionary of the caller's own."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeBegan(Event):
    """A server has passed on an opening handshake. Nothing is known of the client yet."""

    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAuthenticated(Event):
    """A connection was admitted, by its handshake or its first message."""

    connection: Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymousAdmitted(Event):
    """A connection without a credential was admitted, on a route with ANONYMOUS."""

    connection: Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReauthenticated(Event):
    """An open connection presented another valid token."""

    connection: Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRefused(Event):
    """A connection was not admitted. `detail`: the reason for the developer, without a secret.

    The connection's `location` is that of the credential, and `backend` the only one that
    recognizes it: None if there is none, or several.
    """

    connection: Reported
    code: CloseReason
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeAbandoned(Event):
    """A client left before it was admitted or refused. `location`, `backend`: as above. `detail`:
    why its token was not found, if the handshake shows it.
    """

    connection: Reported
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReauthenticationRefused(Event):
    """The token that an open connection presented was refused. `detail`: as of a handshake."""

    connection: Reported
    code: CloseReason
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed(Event):
    """An admitted connection has ended. `code`: None where the library did not close it."""

    connection: Reported
    code: CloseReason | None
    close_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimited(Event):
    """An admitted connection was closed because of a limit. `detail`: which one, and its value."""

    connection: Reported
    code: CloseReason
    detail: Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(Event):
    """A request to one of the library's HTTP endpoints was refused. `detail`: as of a handshake."""

    method: str
    path: str
    code: CloseReason
    detail: Detail | None = None
    address: str | None = None
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityInjected(Event):
    """A person with a shell connects as a user without a token. `operator`: their login name."""

    operator: str
    user_id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached(Event):
    """A client was refused or closed because of a limit. `limit`: its name, as in `Limit`."""

    limit: Limit
