"""Verified tokens as values: an identity, the grant that a socket holds, and a verdict."""

from dataclasses import dataclass, field
from typing import Any

from .authentication import Authentication
from .close_codes import CloseReason
from .errors import TokenAuthError

__all__ = ["Grant", "Identity", "UserInactiveError", "Verdict", "unavailable"]

RETRY_AFTER = 5
"""Seconds a client is told to wait while a token store is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified token: whose it is, and how. `user` is concrete; each socket gets a copy.

    `handle`: what the backend wants back when it is asked about this one again, where an id finds
    nothing; often a `Secret`. Nobody else looks into it: it stays in the socket's memory, and is
    never logged, shown to a consumer, or put into a ticket.
    """

    user: Any
    authentication: Authentication
    handle: Any = field(default=None, repr=False)


class UserInactiveError(TokenAuthError):
    """A good token of an inactive user. `identity`: which one, for who is to end it."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(CloseReason.USER_INACTIVE)
        self.identity = identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a socket or a ticket was given: this authentication of the user with this key.

    `handle`: the identity's, at a socket; None where it came by a ticket, which has none.
    `user_pk` is None where only the `token_id` is known: see `end`. `needs_user`: whoever asks
    makes a socket of the answer. A sweep doesn't: anything that has the `pk` is user enough for it.
    """

    user_pk: Any
    authentication: Authentication
    handle: Any = field(default=None, repr=False)
    needs_user: bool = True


Verdict = Identity | TokenAuthError | None
"""Accepted; refused, and no other backend is asked; or unknown here, so that the next one is."""


def unavailable() -> TokenAuthError:
    """What is answered while a token store is away: never "invalid"."""
    return TokenAuthError(CloseReason.UNAVAILABLE, retry_after=RETRY_AFTER)
