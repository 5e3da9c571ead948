"""Events of a process: verifications, revocations, sweeps, and the services it depends on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.close_codes import CloseReason
from ...core.revocation import Revocation
from ..subscriptions import Event

__all__ = [
    "BatchVerified",
    "CacheHit",
    "Cause",
    "IgnoredBecause",
    "MessageIgnored",
    "OutageBegan",
    "OutageEnded",
    "QueueMeasured",
    "QueueOverflowed",
    "RevocationPublished",
    "Service",
    "SocketsClosed",
    "SweepFailed",
    "SweepFinished",
    "VerificationTimedOut",
]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationTimedOut(Event):
    """Verifications took longer than VERIFY_TIMEOUT, and were answered "unavailable"."""

    count: int


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

Service = Literal["layer", "cache", "store", "limits", "keys", "introspection"]
"""A kind of service. "store": of tokens; "limits": `LIMITS["STORAGE"]`; "keys": a key server."""

IgnoredBecause = Literal["foreign", "version", "late", "repeated", "malformed"]
"""Why a node did not act on a message: see `cluster.envelope`, and `malformed` in `node.node`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBegan(Event):
    """A service stopped answering. `name`: which of its kind.

    `error`: its type and its text, redacted.
    """

    service: Service
    name: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Event):
    """A service answers again."""

    service: Service
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageIgnored(Event):
    """A message on the layer was not acted on."""

    reason: IgnoredBecause
