"""Events as frozen values, each emitted once, at the place where it happens.

Audit records, Django signals, the developer's warnings and metrics subscribe to them. The code that
emits does not depend on its subscribers: see `subscriptions`. A place that runs for every socket
asks `is_wanted` first, so that an event without a subscriber is never built.
"""

from ..subscriptions import Event, emit, subscribe
from .connections import (
    AnonymousAdmitted,
    ConnectionAuthenticated,
    ConnectionClosed,
    ConnectionFacts,
    ConnectionLimited,
    ConnectionReauthenticated,
    HandshakeAbandoned,
    HandshakeBegan,
    HandshakeRefused,
    IdentityInjected,
    LimitReached,
    ReauthenticationRefused,
    Reported,
    RequestRefused,
)
from .operations import (
    BatchVerified,
    CacheHit,
    Cause,
    MessageIgnored,
    OutageBegan,
    OutageEnded,
    QueueMeasured,
    QueueOverflowed,
    RevocationPublished,
    SocketsClosed,
    SweepFailed,
    SweepFinished,
)

__all__ = [
    "AnonymousAdmitted",
    "BatchVerified",
    "CacheHit",
    "Cause",
    "ConnectionAuthenticated",
    "ConnectionClosed",
    "ConnectionFacts",
    "ConnectionLimited",
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
    "Reported",
    "RequestRefused",
    "RevocationPublished",
    "SocketsClosed",
    "SweepFailed",
    "SweepFinished",
    "emit",
    "subscribe",
]
