"""Reasons to refuse a handshake or close a socket, and what each means on the wire.

`spec/close_codes.json` is the source of the two generated blocks, and of the tables in all other
languages. To change one, edit that file and run `python -m spec.generate`.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["TABLE", "CloseReason", "Row"]


class CloseReason(StrEnum):
    """The reason of a refusal or a close: stable, and safe to show to any client."""

    # close-codes:python-enum, written by `python -m spec.generate`
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
    APPLICATION_FAILED = "application_failed"
    UNAVAILABLE = "unavailable"
    # close-codes:end

    @property
    def close_code(self) -> int:
        """The WebSocket close code, in the private range (RFC 6455 §7.4.2)."""
        return TABLE[self].close_code

    @property
    def http_status(self) -> int | None:
        """The status before accept; None if the reason exists only on an open socket."""
        return TABLE[self].http_status

    @property
    def challenge(self) -> str | None:
        """The `error` of a Bearer challenge (RFC 6750 §3.1), if one fits."""
        return TABLE[self].challenge

    @property
    def may_retry(self) -> bool:
        """True if a client may try again by itself: `retry` in `auth.error`."""
        return TABLE[self].retry

    @property
    def is_transient(self) -> bool:
        """True if the reason is temporary and does not depend on the token.

        An authenticated socket stays open when a reauthentication fails for this reason, and no
        cache may keep the verdict.
        """
        return TABLE[self].transient


@dataclass(frozen=True, slots=True)
class Row:
    """One reason on the wire; the columns of `spec/close_codes.json`."""

    close_code: int
    http_status: int | None
    challenge: str | None
    retry: bool = False
    transient: bool = False


# close-codes:python-table, written by `python -m spec.generate`
TABLE: dict[CloseReason, Row] = {
    CloseReason.MALFORMED: Row(4400, 400, "invalid_request"),
    CloseReason.TOKEN_MISSING: Row(4401, 401, None),
    CloseReason.TOKEN_INVALID: Row(4401, 401, "invalid_token"),
    CloseReason.FORBIDDEN: Row(4403, 403, "insufficient_scope"),
    CloseReason.AUTH_TIMEOUT: Row(4408, None, None, retry=True),
    CloseReason.IDENTITY_CHANGED: Row(4409, None, None),
    CloseReason.TOKEN_REVOKED: Row(4410, 401, "invalid_token"),
    CloseReason.TOO_LARGE: Row(4413, 413, None),
    CloseReason.TOKEN_EXPIRED: Row(4419, 401, "invalid_token", retry=True),
    CloseReason.USER_INACTIVE: Row(4423, 401, "invalid_token"),
    CloseReason.RATE_LIMITED: Row(4429, 429, None, retry=True, transient=True),
    CloseReason.CONNECTION_LIMIT: Row(4429, 429, None, retry=True),
    CloseReason.APPLICATION_FAILED: Row(4500, 500, None, retry=True),
    CloseReason.UNAVAILABLE: Row(4503, 503, None, retry=True, transient=True),
}
# close-codes:end
