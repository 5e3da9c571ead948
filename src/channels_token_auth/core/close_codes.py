"""The one table from a refusal's code to its close code and its HTTP answer.

`spec/close_codes.json` is the same table for other languages; a test keeps the two equal.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["TABLE", "CloseReason", "Row"]


class CloseReason(StrEnum):
    """Why a handshake is refused or a socket closed: stable, and safe to show to anybody."""

    MALFORMED = "malformed"
    TOKEN_MISSING = "token_missing"
    TOKEN_INVALID = "token_invalid"
    FORBIDDEN = "forbidden"
    AUTH_TIMEOUT = "auth_timeout"
    IDENTITY_CHANGED = "identity_changed"
    TOKEN_REVOKED = "token_revoked"
    TOO_LARGE = "too_large"
    TOKEN_EXPIRED = "token_expired"
    USER_INACTIVE = "user_inactive"
    RATE_LIMITED = "rate_limited"
    CONNECTION_LIMIT = "connection_limit"
    UNAVAILABLE = "unavailable"

    @property
    def close_code(self) -> int:
        """The WebSocket close code, in the private range (RFC 6455 §7.4.2)."""
        return TABLE[self].close_code

    @property
    def http_status(self) -> int | None:
        """The status before accept; None where the code exists only on an open socket."""
        return TABLE[self].http_status

    @property
    def challenge(self) -> str | None:
        """The `error` of a Bearer challenge (RFC 6750 §3.1), where one fits."""
        return TABLE[self].challenge


@dataclass(frozen=True, slots=True)
class Row:
    """What one code means on the wire."""

    close_code: int
    http_status: int | None = None
    challenge: str | None = None


TABLE: dict[CloseReason, Row] = {
    CloseReason.MALFORMED: Row(4400, 400, "invalid_request"),
    CloseReason.TOKEN_MISSING: Row(4401, 401),
    CloseReason.TOKEN_INVALID: Row(4401, 401, "invalid_token"),
    CloseReason.FORBIDDEN: Row(4403, 403, "insufficient_scope"),
    CloseReason.AUTH_TIMEOUT: Row(4408),
    CloseReason.IDENTITY_CHANGED: Row(4409),
    CloseReason.TOKEN_REVOKED: Row(4410, 401, "invalid_token"),
    CloseReason.TOO_LARGE: Row(4413, 413),
    CloseReason.TOKEN_EXPIRED: Row(4419, 401, "invalid_token"),
    CloseReason.USER_INACTIVE: Row(4423, 401, "invalid_token"),
    CloseReason.RATE_LIMITED: Row(4429, 429),
    CloseReason.CONNECTION_LIMIT: Row(4429, 429),
    CloseReason.UNAVAILABLE: Row(4503, 503),
}
