"""The `auth.*` messages: one JSON object a text frame (spec/PROTOCOL.md, "Messages")."""

import json
import re
from dataclasses import dataclass
from typing import Any

from .close_codes import CloseReason
from .credentials import Secret, is_token
from .errors import TokenAuthError

__all__ = [
    "FRAME_OVERHEAD",
    "AuthControl",
    "Control",
    "InvalidControl",
    "PingControl",
    "error_message",
    "read_control",
    "write",
]

FRAME_OVERHEAD = 256
"""Bytes that a control frame may have beyond the longest token."""

_HINT = '"auth'
# A control frame that is too long to be parsed is still known by how it begins.
_BEGINNING = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"type"[ \t\r\n]*:[ \t\r\n]*"auth"')


@dataclass(frozen=True, slots=True)
class AuthControl:
    """The client authenticates, or does so again."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class PingControl:
    """The client asks whether the line is alive."""


@dataclass(frozen=True, slots=True)
class InvalidControl:
    """A control frame that breaks the protocol."""

    code: CloseReason


Control = AuthControl | PingControl | InvalidControl


def read_control(text: str, *, max_token_bytes: int) -> Control | None:
    """The control message in a text frame, None where the frame is the application's."""
    if _HINT not in text:
        return None
    if len(text.encode(errors="surrogatepass")) > max_token_bytes + FRAME_OVERHEAD:
        return InvalidControl(CloseReason.TOO_LARGE) if _BEGINNING.match(text) else None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match message:
        case {"type": "auth.ping"}:
            return PingControl()
        case {"type": "auth", "token": str(token)} if is_token(token, max_token_bytes):
            return AuthControl(Secret(token))
        case {"type": "auth"}:
            return InvalidControl(CloseReason.MALFORMED)
    return None


def write(kind: str, **fields: Any) -> str:
    """A server's message."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def error_message(error: TokenAuthError) -> str:
    """The `auth.error` that comes just before the close of its code."""
    return write(
        "auth.error",
        code=error.code,
        retry=error.code.may_retry,
        retry_after=error.retry_after,
    )
