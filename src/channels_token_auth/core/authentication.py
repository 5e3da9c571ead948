"""Describe a verified credential to consumers: `scope["auth"]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .credentials import Location
from .labels import NO_LABELS

__all__ = ["Authentication", "epoch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How a socket is authenticated: `scope["auth"]`. Holds nothing secret.

    `backend` is the backend's name; `token_id` its public identifier of the token (a JWT's `jti`,
    or the first 32 hex digits of the key's SHA-256), unique for its backend and `issuer` only.
    `issuer` is who issued the token, where the token names them (a JWT's `iss`). The times are
    aware datetimes; one is None if the token does not contain it.

    `labels` groups tokens for revocation, by names such as `sid` (OpenID Connect Back-Channel
    Logout 1.0, section 2.1) or `client_id`; a label belongs to its backend and issuer. `acr` is
    how the user logged in, and `auth_time` when (OpenID Connect Core 1.0, section 2). `tenant` is
    the tenant that the token was verified for, where the site has tenants.

    In `scope["auth"]` it has two attributes more, which belong to the socket and not to its token:
    `request_id` and `traceparent`, the headers `X-Request-ID` and `traceparent` of its handshake,
    or None. Use them in your own log lines. A client may have chosen them.
    """

    backend: str
    token_id: str
    location: Location
    scopes: frozenset[str] = frozenset()
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    # Not in the hash, since a mapping cannot be hashed. Equal values still have equal hashes.
    labels: Mapping[str, str] = field(default=NO_LABELS, hash=False)
    acr: str | None = None
    auth_time: datetime | None = None
    issuer: str | None = None
    tenant: str | None = None

    def expires_in(self, now: float) -> float | None:
        """Return the seconds from `now`, an epoch time, until the token expires; None: never."""
        return None if self.expires_at is None else self.expires_at.timestamp() - now

    def is_expired(self, now: float) -> bool:
        """Return True if the token has expired at `now`. At `expires_at` itself it has expired."""
        left = self.expires_in(now)
        return left is not None and left <= 0


def epoch(moment: datetime | None) -> float | None:
    """Return a datetime in seconds since the epoch; None for None."""
    return None if moment is None else moment.timestamp()
