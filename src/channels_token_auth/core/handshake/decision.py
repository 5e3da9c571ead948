"""Decide once what becomes of an opening handshake, before any backend is asked.

Every caller acts on this one value: the middleware's sockets, the HTTP endpoints and the commands.
"""

from dataclasses import dataclass

from ..close_codes import CloseReason
from ..credentials import Credential, Location
from .extraction import PROTOCOL, Handshake
from .policy import Policy

__all__ = ["Anonymous", "AwaitMessage", "Decision", "Refuse", "Verify", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """Admit the client as an anonymous user: it has no credential, and needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitMessage:
    """Accept the client and wait for its token in the first message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Ask the backends about this credential."""

    credential: Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Refuse the client with this code; no backend is asked."""

    code: CloseReason


Decision = Anonymous | AwaitMessage | Verify | Refuse


def decide(handshake: Handshake, policy: Policy) -> Decision:
    """Return what to do with a handshake that `policy` has read."""
    if handshake.problem:
        return Refuse(code=handshake.problem)
    if handshake.credential:
        return Verify(credential=handshake.credential)
    if policy.anonymous:
        return Anonymous()
    if _may_send_message(handshake, policy):
        return AwaitMessage()
    return Refuse(code=CloseReason.TOKEN_MISSING)


def _may_send_message(handshake: Handshake, policy: Policy) -> bool:
    """Return True if the client may send its token after the accept.

    A client that offered other subprotocols only speaks another language: it would never answer
    `auth.required`. One that offered none may be any client.
    """
    return Location.FIRST_MESSAGE in policy.locations and (
        PROTOCOL in handshake.subprotocols or not handshake.subprotocols
    )
