"""Remember for a moment when this process first verified each fresh stateless token.

A JWT tells the second in which it was issued. If its user's tokens are revoked in that second, its
claims do not tell whether it is an old one or the one that the view has just issued. If it was
presented before the revocation, it is old.
"""

import math
import threading
import time
from collections.abc import Iterator

from ...core.authentication import Authentication, epoch
from ...core.identity import UserKey
from ...core.revocation import VerifiedToken

__all__ = ["KEPT_SECONDS", "MAX_KEPT", "FirstVerified", "first_verified"]

KEPT_SECONDS = 5.0
"""How long a token is remembered. After its second, its `iat` tells enough."""

MAX_KEPT = 10_000
"""Tokens that are remembered. With more, the oldest are forgotten."""

Key = tuple[str, str | None, str | None, str]


class FirstVerified:
    """Fresh tokens, the first verified first. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[Key, tuple[VerifiedToken, float]] = {}
        """Each token, and until when it is remembered."""

    def note(self, authentication: Authentication, user: UserKey, *, at: float) -> float:
        """Note that a token was presented at that time; return when it was for the first time."""
        issued_at = epoch(authentication.issued_at)
        if issued_at is None or issued_at < at - KEPT_SECONDS:
            return at
        # An `iat` may be ahead of our clock: it has to be remembered until that is over.
        until = max(at, issued_at) + KEPT_SECONDS
        with self._lock:
            self._prune()
            new = VerifiedToken(authentication=authentication, user=user, verified_at=at)
            first, _ = self._seen.setdefault(_key(authentication), (new, until))
            return at if first.verified_at is None else min(first.verified_at, at)

    def before(self, moment: float) -> Iterator[VerifiedToken]:
        """Yield the tokens that were presented before `moment` and seem to be younger."""
        with self._lock:
            seen = [] if moment == math.inf else [token for token, _ in self._seen.values()]
        for each in seen:
            is_younger = (each.issued_at or 0.0) >= math.floor(moment)
            if is_younger and each.verified_at is not None and each.verified_at < moment:
                yield each

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._seen.clear()

    def _prune(self) -> None:
        now = time.time()
        while self._seen:
            key = next(iter(self._seen))
            if self._seen[key][1] > now and len(self._seen) < MAX_KEPT:
                return
            del self._seen[key]


def _key(token: Authentication) -> Key:
    return token.backend, token.issuer, token.tenant, token.token_id


first_verified = FirstVerified()
"""The first verifications of this process."""
