"""Store for a few seconds when this process first verified each fresh stateless token.

The `iat` of most JWTs has whole seconds. If the user's tokens are revoked in that second, the
claims do not show whether a token is an old one, or the one that the view has just issued. A token
that was presented before the revocation is old.
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
"""Seconds for which a token is stored. After the second of its issue, its `iat` is enough."""

MAX_KEPT = 10_000
"""Most tokens that are stored. The oldest are removed."""

Key = tuple[str, str | None, str | None, str]


class FirstVerified:
    """Fresh tokens, in the order of their first verification. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[Key, tuple[VerifiedToken, float]] = {}
        """Each token, and the time until which it is stored."""

    def note(self, authentication: Authentication, user: UserKey, *, at: float) -> float:
        """Store that a token was presented at that time. Return the first such time."""
        issued_at = epoch(authentication.issued_at)
        if issued_at is None or issued_at < at - KEPT_SECONDS:
            return at
        # An `iat` may be ahead of our clock: store the token until after that time.
        until = max(at, issued_at) + KEPT_SECONDS
        with self._lock:
            self._prune()
            new = VerifiedToken(authentication=authentication, user=user, verified_at=at)
            first, _ = self._seen.setdefault(_key(authentication), (new, until))
            return at if first.verified_at is None else min(first.verified_at, at)

    def before(self, moment: float) -> Iterator[VerifiedToken]:
        """Yield tokens that were presented before `moment`, but whose `iat` is not before it."""
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
            # In the order of insertion: stop at the first one that has to be kept.
            key = next(iter(self._seen))
            if self._seen[key][1] > now and len(self._seen) < MAX_KEPT:
                return
            del self._seen[key]


def _key(token: Authentication) -> Key:
    return token.backend, token.issuer, token.tenant, token.token_id


first_verified = FirstVerified()
"""The first verifications of this process."""
