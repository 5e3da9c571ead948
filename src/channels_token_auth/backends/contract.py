"""Define what a token backend does: the contract that a site's own backend implements too."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, IntEnum
from typing import Any, Protocol

from django.core.checks import CheckMessage
from django.dispatch import Signal

from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import Detail, TokenAuthError
from ..core.identity import Grant, Verdict
from .site import Site

__all__ = [
    "Authority",
    "IssuedToken",
    "RevocationSignal",
    "Revocations",
    "RevokedTokens",
    "TokenBackend",
    "Undecided",
    "Unrecognized",
]


class Revocations(Enum):
    """The place where a backend's revocations are recorded. The denylist records the others."""

    ROWS = "rows"
    """In the backend's own rows, for every token: the denylist is not consulted. `revoke` and
    `revoke_user` write to these rows and return True."""

    STORE = "store"
    """In a store that the backend reads, but cannot always write to: sessions, another server.
    The denylist is consulted as well. Losing its cache does not end these tokens, because the
    store still reports most revocations. Tokens without an issue time are not denied together
    with all of a user's tokens, since later ones cannot be distinguished from earlier ones."""

    NOWHERE = "nowhere"
    """Nowhere but in the denylist, as with a JWT. If the denylist's cache is wiped, all tokens
    issued before are refused."""


class Authority(IntEnum):
    """How much a backend knows about the tokens that it accepts, in ascending order.

    `check` warns where BACKENDS lists a backend before one with more authority: a token that
    both accept is handled by the first, which would detect fewer revocations.
    """

    ANY_TEXT = 0
    """Accepts any text, and asks another server about it."""
    VIEWS = 1
    """Calls code that was written for HTTP requests."""
    ISSUER = 2
    """Trusts the issuer's signature."""
    SESSION = 3
    """Reads a login session."""
    OWNER = 4
    """Reads the rows or the settings of the package that issues the tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedTokens:
    """One revoked token; or, if `token_id` is None, all tokens of the user at this backend.

    `is_denied`: no row records the revocation, so the denylist has to. `is_replaced`: the user has
    a successor of this very token, so that its sockets close with 4419.
    """

    user_pk: Any
    token_id: str | None = None
    is_denied: bool = False
    is_replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token that was issued. If its transaction revokes another one of the same user, it replaces
    that one.
    """

    user_pk: Any
    token_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationSignal:
    """A Django signal that announces revocations, also by other code than this library.

    `sender`: as in `Signal.connect`. `tokens`: called with the signal's keyword arguments, it
    returns the tokens that were revoked; and those that were issued, which distinguishes a rotation
    from a revocation. It runs in the thread and the transaction of the sender: what it raises is
    logged and changes nothing there.
    """

    signal: Signal
    sender: Any
    tokens: Callable[..., Iterable[RevokedTokens | IssuedToken]]


class Undecided(TokenAuthError):  # noqa: N818 - a verdict, named as one
    """The verdict "unavailable" on a token whose key is being fetched.

    `settled` is done when the backend may know more. A caller that can wait does so, and calls the
    backend once more; for other callers the verdict is "unavailable".
    """

    # One second: the fetch of a key usually takes less. The client's second attempt succeeds.
    def __init__(self, settled: "Future[None]", detail: Detail | None = None) -> None:
        super().__init__(CloseReason.UNAVAILABLE, 1, detail)
        self.settled = settled


class Unrecognized(TokenAuthError):  # noqa: N818 - a verdict, named as one
    """The verdict on a text that is probably no token of this backend: the next one is asked.

    Like None, but with a detail for developers, which is logged if no backend accepts the token.
    """

    def __init__(self, detail: Detail) -> None:
        super().__init__(CloseReason.TOKEN_INVALID, detail=detail)


class TokenBackend(Protocol):
    """Verify one kind of token. Built once per process, with `OPTIONS` as keyword arguments.

    Inherit `BaseTokenBackend`, which has a default for everything that is not abstract here.

    Methods run in a thread of the library, one batch at a time: they may block and query.
    Verifying writes nothing. If a store fails, let its exception pass: the client gets
    "unavailable", and no token is called invalid because a database is down.
    """

    name: str
    """The value of `Authentication.backend`. Unique among `BACKENDS`, and stable: tickets and
    sockets find the backend that revalidates them by this name."""

    schemes: frozenset[str]
    """The lower-case schemes of an `Authorization` header that announce its tokens."""

    revocations: Revocations
    """The place where revocations of its tokens are recorded."""

    # Lanes: see `verification.lanes`.
    is_local: bool
    """True if verifying asks nothing but this process and the site's databases. Any other backend
    gets a thread of its own, so that a slow server or cache delays no other logins."""

    is_delegated: bool
    """True if its tokens act for a user with limited rights, as a third party's client does.
    `CONNECTIONS_SCOPES` decides if such a token may list and revoke the user's other tokens."""

    user_kind: str | None
    """The kind of its users: `SITE_USERS` for those of `AUTH_USER_MODEL`, the lower-case label of
    another model such as "shop.customer", `FOREIGN` for users without a row here, or None if it
    admits several kinds. It is not asked to revoke tokens of users of another kind: they may have
    the same primary key."""

    has_labels: bool
    """True if its tokens may have labels, such as the `sid` of a login at an identity provider, and
    are denied by them: a logout there then ends the tokens of that login alone."""

    follows_session: bool
    """True if its tokens are Django sessions. A new password ends these, except the session that
    `update_session_auth_hash` renews. Without it, tokens with rows outlive a new password, and
    others are denied."""

    authority: Authority | None
    """Its place in BACKENDS relative to others; None: anywhere."""

    extra: str | None
    """The extra of this distribution that installs what the backend imports."""

    # Called in the event loop, for every handshake: it must not query.
    def recognizes(self, credential: Credential) -> bool:
        """Return True if the credential may be one of its tokens, by scheme and shape alone."""
        ...

    @abstractmethod
    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Return a verdict on each, in order, with as few queries as possible."""
        ...

    @abstractmethod
    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Return a verdict on each token that a socket or a ticket holds, in order, in one query.

        An identity has the current expiry and scopes, and the grant's `token_id`, `location` and
        `handle`. None means "token_revoked": the token does not exist any more.
        """
        ...

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Revoke each token at its source, and return for each whether the denylist can be left
        out: True if its row is deleted or marked, even earlier; False if it has no row.

        If `user_pk` is None, find the row by `token_id` alone, however long that takes.
        """
        ...

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Revoke the user's tokens at their source, except one, and except those issued after
        `issued_before`. Return False if the user may have tokens without a row.
        """
        ...

    def announcements(self) -> Sequence[RevocationSignal]:
        """Return the signals that announce a revocation, also by other code than this library."""
        ...

    def check(self, site: Site) -> list[CheckMessage]:
        """Return system check messages on its options, its packages and the site's settings."""
        ...
