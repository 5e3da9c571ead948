"""Decide once how to continue an opening handshake, before any backend is called.

All callers act on this one value: the middleware, the HTTP endpoints and the commands.
"""

from dataclasses import dataclass

from ..close_codes import CloseReason
from ..credentials import Credential, Location
from .extraction import PROTOCOL, Handshake
from .policy import Policy

__all__ = ["Anonymous", "AwaitMessage", "Decision", "Refuse", "Verify", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """Admit the client as an anonymous user: it has no credential, and the route requires none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitMessage:
    """Accept the client and wait for its token in the first message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Verify this credential with the backends."""

    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse the client with this code, without calling a backend."""

    code: CloseReason


Decision = Anonymous | AwaitMessage | Verify | Refuse


def decide(handshake: Handshake, policy: Policy) -> Decision:
    """Return how to continue a handshake that was read with `policy`."""
    # First: a bad credential is refused on a route for anonymous users too. Otherwise a client with
    # an expired token would silently be nobody, and a revoked one could still connect.
    if handshake.problem:
        return Refuse(code=handshake.problem)
    if handshake.credential:
        return Verify(credential=handshake.credential)
    # Before the first message: a client that sends no credential would otherwise wait in vain for
    # an `auth.required` that an anonymous route never sends.
    if policy.anonymous:
        return Anonymous()
    if _may_send_message(handshake, policy):
        return AwaitMessage()
    return Refuse(code=CloseReason.TOKEN_MISSING)


def _may_send_message(handshake: Handshake, policy: Policy) -> bool:
    """Return True if the client may send its token after the accept.

    A client that offered only other subprotocols does not implement this one: it would never answer
    `auth.required`. A client that offered none may implement it.
    """
    offered = handshake.subprotocols
    has_none = not offered and not handshake.has_bare_token
    return Location.FIRST_MESSAGE in policy.locations and (PROTOCOL in offered or has_none)
