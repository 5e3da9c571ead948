"""Everything that happens, as frozen values: each is emitted once, at the place where it happens.

Audit records, Django signals, the developer's warnings and metrics subscribe. The code that emits
does not know who they are: see `subscriptions`. A place that runs for every socket asks `is_wanted`
first, so that an event without a subscriber is never built.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.close_codes import CloseReason
from ..core.errors import Detail
from ..core.limits import Limit
from ..core.revocation import Revocation
from .subscriptions import Event, emit, subscribe

__all__ = [
    "AnonymousAdmitted",
    "BatchVerified",
    "CacheHit",
    "Cause",
    "ConnectionAuthenticated",
    "ConnectionClosed",
    "ConnectionFacts",
    "ConnectionReauthenticated",
    "Event",
    "HandshakeAbandoned",
    "HandshakeBegan",
    "HandshakeRefused",
    "IdentityInjected",
    "LimitReached",
    "MessageIgnored",
    "OutageBegan",
    "OutageEnded",
    "QueueMeasured",
    "QueueOverflowed",
    "ReauthenticationRefused",
    "RequestRefused",
    "RevocationPublished",
    "SocketsClosed",
    "SweepFailed",
    "SweepFinished",
    "emit",
    "subscribe",
]


# -- One connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
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
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeBegan(Event):
    """A server has passed on an opening handshake. Nothing is known of the client yet."""

    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionAuthenticated(Event):
    """A connection was admitted, by its handshake or its first message."""

    connection: ConnectionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymousAdmitted(Event):
    """A connection without a credential was admitted, on a route with ANONYMOUS."""

    connection: ConnectionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReauthenticated(Event):
    """An open connection presented another valid token."""

    connection: ConnectionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRefused(Event):
    """A connection was not admitted. `detail`: the reason for the developer, without a secret.

    The connection's `location` is that of the credential, and `backend` the only one that
    recognizes it: None if there is none, or several.
    """

    connection: ConnectionFacts
    code: CloseReason
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeAbandoned(Event):
    """A client left before it was admitted or refused. `location`, `backend`: as above."""

    connection: ConnectionFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ReauthenticationRefused(Event):
    """The token that an open connection presented was refused. `detail`: as of a handshake."""

    connection: ConnectionFacts
    code: CloseReason
    detail: Detail | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed(Event):
    """An admitted connection has ended. `code`: None where the library did not close it."""

    connection: ConnectionFacts
    code: CloseReason | None
    close_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused(Event):
    """A request to one of the library's HTTP endpoints was refused. `detail`: as of a handshake."""

    method: str
    path: str
    code: CloseReason
    detail: Detail | None = None
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


# -- Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchVerified(Event):
    """One batch of verifications was answered."""

    size: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHit(Event):
    """A handshake was answered from the verdict cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMeasured(Event):
    """A lane has worked off a batch. `length`: the verifications that still wait in it."""

    lane: str
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOverflowed(Event):
    """Verifications were refused as unavailable, since a lane has too many, or too slow ones."""

    lane: str
    refused: int


# -- Revocation and sweeps

Cause = Literal["revocation", "sweep", "drain"]
"""Why a node closes many sockets: a message of `revoke_…` or `disconnect`, a sweep, a drain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationPublished(Event):
    """Revocations were handed to all nodes. `is_revocation`: False for a mere `disconnect`."""

    revocation: Revocation
    is_revocation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketsClosed(Event):
    """A node closed several sockets of its own accord. `cause`: its reason to look for them.

    `seconds`: from the commit of the revocation to the close of these sockets. A node does not know
    when a token ended that a sweep found: then it is the time since the sweep before, which found
    the token valid, and so the longest that it can have been. None for a drain, and for a message
    without a time.
    """

    cause: Cause
    code: CloseReason
    count: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFinished(Event):
    """A node revalidated its tokens. `unavailable`: the backends whose store did not answer."""

    node: str
    tokens: int
    closed: int
    seconds: float
    unavailable: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFailed(Event):
    """A sweep ended with an exception, which was logged."""

    node: str


# -- What the library depends on


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBegan(Event):
    """A service stopped answering. `service`: "layer", "cache", "store" or "limits"; `name`: which.

    `error`: its type and its text, redacted.
    """

    service: str
    name: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Event):
    """A service answers again."""

    service: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageIgnored(Event):
    """A message on the layer was not acted on. `reason`: "foreign", "version", "malformed"."""

    reason: str
