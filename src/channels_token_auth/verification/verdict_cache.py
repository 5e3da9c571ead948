"""Verdicts that are still good: a token that was verified a moment ago is not verified again."""

import time
from collections.abc import Hashable

from ..core.credentials import Credential, Location
from ..core.errors import TokenAuthError
from ..core.identity import Identity

__all__ = ["MAX_REFUSED", "MAX_VERIFIED", "REFUSED_SECONDS", "VerdictCache"]

MAX_VERIFIED = 10_000
"""Tokens remembered at most: of more, those verified first are forgotten."""

MAX_REFUSED = 1_000
"""Refusals remembered at most, beside them: a flood of bad tokens pushes no good one out."""

REFUSED_SECONDS = 1.0
"""How long a refusal is remembered: a client that repeats itself costs nothing, and a token that
was issued a moment too late is not refused for long."""


Answer = Identity | TokenAuthError


class VerdictCache:
    """Caches verdicts for `seconds` (0: never), by the digests of tokens. Of a token it keeps at
    most the `handle` of its backend, as the socket does.

    It does not judge expiry: the caller does, with the current time.
    """

    def __init__(self, seconds: float) -> None:
        self._accepted = _Recent(seconds, MAX_VERIFIED)
        self._refused = _Recent(min(seconds, REFUSED_SECONDS), MAX_REFUSED)
        self.generation = 0

    @staticmethod
    def key(credential: Credential) -> Hashable:
        """Return the key of a verdict. A ticket is valid once, so that each is a key of its own."""
        if credential.location is Location.TICKET:
            return object()
        token = credential.secret.digest, credential.location, credential.scheme
        return (*token, credential.tenant) if credential.tenant else token

    def get(self, key: Hashable) -> Answer | None:
        """Return the cached verdict, or None if there is none or it is too old."""
        # Accepted first: it is the usual case, and each handshake pays for the look-up.
        return self._accepted.get(key) or self._refused.get(key)

    def put(self, key: Hashable, verdict: Answer, *, generation: int) -> None:
        """Cache a verdict requested in this generation, unless the cache was cleared since."""
        # A token was revoked after the question was sent: the answer may be older than that.
        if generation != self.generation:
            return
        if isinstance(verdict, Identity):
            self._accepted.put(key, verdict)
        # "Unavailable" is no verdict on the token: cached, it would outlast the outage.
        elif not verdict.code.is_transient:
            self._refused.put(key, verdict)

    def clear(self) -> None:
        """Drop all verdicts, and those of verifications that are running now."""
        self.generation += 1
        self._accepted.clear()
        self._refused.clear()


class _Recent:
    """The last `limit` verdicts of the last `seconds`, oldest first: all last equally long."""

    def __init__(self, seconds: float, limit: int) -> None:
        self._seconds = seconds
        self._limit = limit
        self._entries: dict[Hashable, tuple[float, Answer]] = {}  # each with its end
        self.clear = self._entries.clear

    def get(self, key: Hashable) -> Answer | None:
        entry = self._entries.get(key)
        return entry[1] if entry and time.monotonic() < entry[0] else None

    def put(self, key: Hashable, verdict: Answer) -> None:
        if not self._seconds:
            return
        now = time.monotonic()
        self._entries.pop(key, None)  # so that it becomes the newest
        # A dict keeps its order of insertion, so the first entry is the oldest.
        while self._entries and (self._is_over(now) or len(self._entries) >= self._limit):
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (now + self._seconds, verdict)

    def _is_over(self, now: float) -> bool:
        return next(iter(self._entries.values()))[0] <= now
