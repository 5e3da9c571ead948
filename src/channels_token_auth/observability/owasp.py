"""Name events as OWASP's Logging Vocabulary does.

https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html

Alarms that a security team has written for other services then work for this one. Events that the
vocabulary does not have keep the names of their signals.
"""

from typing import Any

from ..core.close_codes import CloseReason
from .events import (
    ConnectionAuthenticated,
    ConnectionClosed,
    ConnectionReauthenticated,
    Event,
    HandshakeRefused,
    IdentityInjected,
    ReauthenticationRefused,
    RequestRefused,
    RevocationPublished,
)

__all__ = ["CLOSED", "NAMES", "REFUSED", "owasp_name"]

NAMES: dict[type[Event], str] = {
    ConnectionAuthenticated: "authn_login_success",
    ConnectionReauthenticated: "session_renewed",
    IdentityInjected: "authz_admin",
    RevocationPublished: "authn_token_revoked",
}
"""Events that have one name, whatever their code is."""

# The names of these do not depend on whether the client was admitted before.
_LIMITED = {
    CloseReason.RATE_LIMITED: "excess_rate_limit_exceeded",
    CloseReason.CONNECTION_LIMIT: "excess_rate_limit_exceeded",
    CloseReason.MALFORMED: "input_validation_fail",
    CloseReason.TOO_LARGE: "input_validation_fail",
    CloseReason.FORBIDDEN: "authz_fail",
}

REFUSED: dict[CloseReason, str] = _LIMITED | {
    CloseReason.TOKEN_MISSING: "authn_login_fail",
    CloseReason.TOKEN_INVALID: "authn_login_fail",
    CloseReason.USER_INACTIVE: "authn_login_fail",
    CloseReason.AUTH_TIMEOUT: "authn_login_fail",
    CloseReason.IDENTITY_CHANGED: "authn_login_fail",
    CloseReason.TOKEN_REVOKED: "authn_token_reuse",
    CloseReason.TOKEN_EXPIRED: "session_use_after_expire",
}
"""Credentials that are refused, by code: at a handshake, on an open socket, by an endpoint."""

CLOSED: dict[CloseReason, str] = _LIMITED | {
    CloseReason.TOKEN_EXPIRED: "session_expired",
    # No revoked token was presented, as in a refusal: the session of an open socket has ended.
    CloseReason.TOKEN_REVOKED: "session_expired",
    CloseReason.USER_INACTIVE: "session_expired",
    CloseReason.IDENTITY_CHANGED: "session_expired",
}
"""Sockets that the library closes, by code."""


def owasp_name(event: Any) -> str | None:
    """Return the event's name in the vocabulary, or None if it has none."""
    match event:
        case HandshakeRefused() | ReauthenticationRefused() | RequestRefused():
            # By the detail: the code "forbidden" also means missing scopes, which are no attack.
            if event.detail and event.detail.slug.startswith("origin_"):
                return "malicious_cors"
            return REFUSED.get(event.code)
        case ConnectionClosed(code=code):
            # The client or the application closed it: nothing for an alarm.
            return None if code is None else CLOSED.get(code)
        case _:
            return NAMES.get(type(event))
