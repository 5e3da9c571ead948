"""The base class of token backends, with defaults for all methods but two."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.checks import CheckMessage, Error

from ..core.credentials import Credential
from ..core.identity import SITE_USERS, Grant
from .contract import Authority, Revocations, RevocationSignal, TokenBackend
from .site import Site

__all__ = ["BaseTokenBackend"]


class BaseTokenBackend(TokenBackend):
    """A token backend whose revocations are stored in the denylist, unless a subclass overrides it.

    Every default is the safe one: revoked tokens are denied, and a slow backend delays no other.
    """

    name = "token"
    schemes = frozenset({"bearer"})
    revocations = Revocations.NOWHERE
    is_local = False
    is_delegated = False
    follows_session = False
    user_kind: str | None = SITE_USERS
    has_labels = False
    authority: Authority | None = None
    extra: str | None = None

    def __init__(self, *, name: str | None = None) -> None:
        self.name = name or self.name

    def recognizes(self, credential: Credential) -> bool:
        """Return True for any text without a scheme, or with one of `schemes`."""
        # Only the header has a scheme; in all other locations there is the token alone.
        return credential.scheme is None or credential.scheme in self.schemes

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Leave each token to the denylist."""
        return [False] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Leave the user's tokens to the denylist."""
        return False

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce nothing."""
        return []

    def check(self, site: Site) -> list[CheckMessage]:
        """Report a backend that declares to write revocations to its rows, and does not."""
        own = type(self)
        # A method that a subclass inherits is the very function of this class.
        if self.revocations is not Revocations.ROWS or (
            own.revoke is not BaseTokenBackend.revoke
            and own.revoke_user is not BaseTokenBackend.revoke_user
        ):
            return []
        return [
            Error(
                f"{own.__name__}.revocations is Revocations.ROWS, so the denylist is not"
                " consulted, but the class does not override both 'revoke' and 'revoke_user':"
                " tokens could not be revoked.",
                hint="Override both, or set revocations to Revocations.STORE or NOWHERE.",
                id="channels_token_auth.E190",
            )
        ]
