"""Store recent revocations, so that a verification that is running does not miss one.

A token can be revoked after its row was read and before its socket is registered. Read `mark`
before the verification, and call `since` before the admission.
"""

from collections import deque
from itertools import islice

from ..core.close_codes import CloseReason
from ..core.identity import Identity
from ..core.revocation import Revocation, VerifiedToken

__all__ = ["MAX_REVOCATIONS", "RevocationLog"]

MAX_REVOCATIONS = 4096
"""Revocations that are kept. A verification takes seconds, and few sites revoke more meanwhile."""


class RevocationLog:
    """The last revocations of a node, newest last."""

    def __init__(self) -> None:
        self._last: deque[Revocation] = deque(maxlen=MAX_REVOCATIONS)
        self.mark = 0
        """The number of revocations so far."""

    def add(self, revocation: Revocation) -> None:
        """Store a revocation."""
        self._last.append(revocation)
        self.mark += 1

    def since(self, mark: int, identity: Identity) -> CloseReason | None:
        """Return why the token was revoked since that mark, or None.

        Return "unavailable" if more were published than are kept: then the answer is unknown.
        """
        missed = self.mark - mark
        if not missed:
            return None
        if missed > MAX_REVOCATIONS:
            return CloseReason.UNAVAILABLE
        candidate = VerifiedToken(
            authentication=identity.authentication,
            user=identity.user_key,
            verified_at=identity.verified_at,
        )
        # Only those since the mark: the verification itself has seen the earlier ones.
        newest = islice(reversed(self._last), missed)
        return next((each.code for each in newest if each.target.matches(candidate)), None)
