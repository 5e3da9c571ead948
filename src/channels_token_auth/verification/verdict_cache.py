"""Cache recent verdicts, so that a token is not verified again after a moment."""

import time
from collections.abc import Hashable

from ..backends.sources.users.private_copies import private_copy
from ..clock import lifetime
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location
from ..core.errors import TokenAuthError
from ..core.identity import FinalVerdict, Identity, unavailable
from ..observability.error_log import log_error

__all__ = [
    "MAX_REFUSED",
    "MAX_VERIFIED",
    "REFUSED_SECONDS",
    "VerdictCache",
    "current",
    "private_identity",
]

MAX_VERIFIED = 10_000
"""Most accepted tokens in the cache. The oldest are removed."""

MAX_REFUSED = 1_000
"""Most refusals, stored separately: a flood of bad tokens removes no accepted token."""

REFUSED_SECONDS = 1.0
"""Seconds for which a refusal is cached. Long enough to make repetitions of a client cheap, and
short enough for a token that is issued just after it was first presented."""


# Looked up for every handshake: before Python 3.12 an enum's attribute costs ten times as much.
_TICKET = Location.TICKET


class VerdictCache:
    """Caches verdicts for `seconds` (0: never), by the digests of tokens. It stores no token,
    unless the `handle` of its backend is one.

    The caller checks the expiry of tokens: see `current`.
    """

    def __init__(self, seconds: float) -> None:
        self.is_off = not seconds
        """True if it never has a verdict."""
        self._accepted = _Recent(seconds, MAX_VERIFIED)
        self._refused = _Recent(min(seconds, REFUSED_SECONDS), MAX_REFUSED)
        self.generation = 0

    @staticmethod
    def key(credential: Credential) -> Hashable:
        """Return the key of a verdict: a unique one for a ticket, which is valid only once."""
        if credential.location is _TICKET:
            return object()
        # All that a backend may decide by: it may accept a token in one location, under one scheme,
        # or from the pages of one origin only.
        token = credential.secret.digest, credential.location, credential.scheme, credential.origin
        return (*token, credential.tenant) if credential.tenant else token

    def get(self, key: Hashable) -> FinalVerdict | None:
        """Return the cached verdict, or None if there is none or it is too old."""
        # An accepted token first, and without a call: that is the usual case in a handshake.
        entry = self._accepted.entries.get(key)
        if entry is not None and time.monotonic() < entry[0]:
            return entry[1]
        return self._refused.get(key)

    def put(self, key: Hashable, verdict: FinalVerdict, *, generation: int) -> None:
        """Cache a verdict requested in this generation, unless the cache was cleared since."""
        # The cache was cleared after this verification began, so its answer may be outdated.
        if generation != self.generation:
            return
        if isinstance(verdict, Identity):
            self._accepted.put(key, verdict)
        # A transient code, such as "unavailable", is no verdict on the token: do not cache it.
        elif not verdict.code.is_transient:
            self._refused.put(key, verdict)

    def clear(self) -> None:
        """Drop all verdicts, and ignore those of verifications that are running now."""
        # Before the entries go: a verification that ends in between must not store its verdict.
        self.generation += 1
        self._accepted.clear()
        self._refused.clear()


def current(verdict: FinalVerdict) -> FinalVerdict:
    """Return the verdict, or "expired" if the token has expired now.

    This is the only check of the expiry of presented tokens, for cached verdicts too.
    """
    if isinstance(verdict, TokenAuthError) or verdict.authentication.expires_at is None:
        return verdict
    left = lifetime(verdict)
    if left is not None and left <= 0:  # at `expires_at` itself it has expired
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    return verdict


def private_identity(verdict: FinalVerdict, *, presented_at: float) -> Identity:
    """Return the identity of an accepted token, with a user object for this caller only.

    Raises TokenAuthError for a refused token.
    """
    verdict = current(verdict)
    if isinstance(verdict, TokenAuthError):
        # A new exception: the verdict is shared, and a raised exception keeps its traceback.
        raise TokenAuthError(verdict.code, verdict.retry_after, verdict.detail)
    try:
        user = private_copy(verdict.user)
    except Exception as error:  # noqa: BLE001 - whatever a site's user class raises
        log_error("A user could not be copied: answered unavailable.", error, often=True)
        raise unavailable() from None
    # `dataclasses.replace` takes three times as long, for each handshake.
    return Identity(
        user=user,
        authentication=verdict.authentication,
        handle=verdict.handle,
        verified_at=presented_at,
    )


class _Recent:
    """At most `limit` verdicts of the last `seconds`, in the order of their expiry."""

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._limit = limit
        self.entries: dict[Hashable, tuple[float, FinalVerdict]] = {}
        """Verdicts, each after the time at which it is too old."""
        self.clear = self.entries.clear

    def get(self, key: Hashable) -> FinalVerdict | None:
        entry = self.entries.get(key)
        return entry[1] if entry and time.monotonic() < entry[0] else None

    def put(self, key: Hashable, verdict: FinalVerdict) -> None:
        if not self._seconds:
            return
        now = time.monotonic()
        self.entries.pop(key, None)  # insert it again, as the newest
        # A dict keeps the order of insertion, so its first entry is the oldest.
        while self.entries and (self._is_over(now) or len(self.entries) >= self._limit):
            del self.entries[next(iter(self.entries))]
        self.entries[key] = (now + self._seconds, verdict)

    def _is_over(self, now: float) -> bool:
        return next(iter(self.entries.values()))[0] <= now
