"""What a verified credential amounts to."""

from dataclasses import dataclass
from datetime import datetime

from .credentials import Location

__all__ = ["Authentication", "epoch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How a socket is authenticated: `scope["auth"]`. Holds nothing secret.

    `backend` is the backend's name; `token_id` its public identifier of the token (a JWT's `jti`,
    or the first 32 hex digits of the key's SHA-256); the times are aware datetimes, and None
    where the token has none.
    """

    backend: str
    token_id: str
    location: Location
    scopes: frozenset[str] = frozenset()
    issued_at: datetime | None = None
    expires_at: datetime | None = None


def epoch(moment: datetime | None) -> float | None:
    """The moment in seconds since the epoch; None stays None."""
    return None if moment is None else moment.timestamp()
