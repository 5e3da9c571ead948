"""Opening handshakes for tests, as a server hands them on."""

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.extraction import Handshake, extract
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy

__all__ = [
    "HOST",
    "HOSTILE",
    "LONGEST",
    "MALFORMED",
    "MAX",
    "OFFER",
    "ORIGIN",
    "found",
    "policy",
    "read",
    "read_again",
]

HOST = (b"host", b"example.com")
ORIGIN = (b"origin", b"https://example.com")
OFFER = b"sec-websocket-protocol"

MAX = 40
"""A small `max_token_bytes`, so that what is too long stays readable."""
LONGEST = "t" * MAX
MALFORMED = CloseReason.MALFORMED
HOSTILE = ("hostile", MALFORMED)


def policy(**changes) -> Policy:
    """Every location is open, unless told otherwise."""
    rules = {
        "locations": frozenset(Location),
        "origins": OriginRule(hosts=("example.com",)),
        "schemes": frozenset({"bearer", "token"}),
    }
    return Policy(**rules | changes)


def read(*headers, query=b"", offer=(), **changes) -> Handshake:
    """Read a handshake with these headers, this query and these offered subprotocols."""
    text = ", ".join(offer)
    errors = "surrogatepass" if "\ud800" in text else "surrogateescape"
    offered = [(OFFER, text.encode(errors=errors))] if offer else []
    return extract([HOST, *headers, *offered], query, list(offer), policy(**changes))


def read_again(handshake: Handshake, **changes) -> Handshake:
    """Read again what a first reading has left."""
    left = handshake.headers, handshake.query_string, handshake.subprotocols
    return extract(*left, policy(**changes))


def found(handshake: Handshake):
    """The raw token, the code of the problem ("hostile" before it where it is), or None."""
    if handshake.problem:
        assert handshake.credential is None
        return ("hostile", handshake.problem) if handshake.is_hostile else handshake.problem
    return handshake.credential and handshake.credential.secret.reveal()
