"""What a token backend is: the contract that users implement."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.checks import CheckMessage
from django.dispatch import Signal

from ..core.credentials import Credential
from ..core.identity import Grant, Verdict

__all__ = [
    "RevocationSignal",
    "RevokedTokens",
    "TokenBackend",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedTokens:
    """What has ended: one token; or, where `token_id` is None, all of the user's at this backend.

    `is_denied`: it has no row that says so, so that the denylist has to remember it.
    """

    user_pk: Any
    token_id: str | None = None
    is_denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationSignal:
    """A signal by which others say that tokens end. `ended` gets the signal's keyword arguments."""

    signal: Signal
    sender: Any
    ended: Callable[..., Iterable[RevokedTokens]]


class TokenBackend(Protocol):
    """Verifies one kind of token. Built once a process, with `OPTIONS` as keyword arguments.

    It runs in a thread of the library's own, one batch at a time, where it may block and query.
    Verifying writes nothing. What it raises is answered "unavailable": so let a dead store raise.
    """

    name: str
    """What `Authentication.backend` says. Its own among `BACKENDS`, and the same for good: tickets
    and sockets find the backend by it that is to be asked about them again."""

    @property
    def schemes(self) -> frozenset[str]:
        """The lower-case schemes of an `Authorization` header that announce its tokens."""
        ...

    @property
    def has_rows(self) -> bool:
        """Whether its store says of each of its tokens that it has ended, so that `end` is always
        True. Where it doesn't, the denylist is asked too: as of a JWT, of which nothing else tells.
        `is_self_contained = False` beside it says that a store tells something all the same. Then a
        wiped denylist costs its tokens nothing, and those without a time of issue are not denied
        with all of a user's, since no later one could be told from them.
        """
        ...

    def recognizes(self, credential: Credential) -> bool:
        """Whether the credential may be one of its tokens, by scheme and shape: asks nothing."""
        ...

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """The verdict on each, in order, in as few queries as can be."""
        ...

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Whether each still stands, in order, in one query: its identity as it is now, with the
        scopes of now and the same `token_id`, `location` and `handle`, or why not. None, as
        "token_revoked": there is no such token any more.
        """
        ...

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """End each where it lives: the one question that writes. True: its row is gone or says so,
        also where it did before. False: it has none, so that the denylist has to remember it.

        Where `user_pk` is None, its row is found by the `token_id` alone, whoever owns it and
        however long that takes.
        """
        ...

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """End the user's tokens, but for one and those issued after a moment (at it counts as
        before). False: there may be tokens without a row, as with `end`.
        """
        ...

    def announcements(self) -> Sequence[RevocationSignal]:
        """The signals that say that a token has ended, whoever ended it."""
        ...

    def check(self) -> list[CheckMessage]:
        """System check messages on its options and what it needs to be installed."""
        ...
