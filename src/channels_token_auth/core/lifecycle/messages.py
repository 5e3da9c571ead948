"""Read and write the `auth.*` messages: one JSON object in one text frame.

The rules are those of spec/PROTOCOL.md, "Messages".
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from ..close_codes import CloseReason
from ..credentials import Secret, is_token
from ..errors import TokenAuthError

__all__ = [
    "FRAME_OVERHEAD",
    "AuthControl",
    "Control",
    "InvalidControl",
    "PingControl",
    "error_message",
    "read_control",
    "read_first",
    "write",
]

FRAME_OVERHEAD = 256
"""Bytes that a control frame may have beyond the longest token."""

_HINT = '"auth'
# Recognise a control frame that is too long to be parsed by its beginning: it closes the socket,
# and must not be passed to the application, since it contains a token.
_BEGINNING = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"type"[ \t\r\n]*:[ \t\r\n]*"auth"')
_NOT_JSON, _OTHER = object(), object()


@dataclass(frozen=True, slots=True)
class AuthControl:
    """The client authenticates or reauthenticates."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class PingControl:
    """The client asks for an `auth.pong`."""


@dataclass(frozen=True, slots=True)
class InvalidControl:
    """A frame that violates the protocol."""

    code: CloseReason


Control = AuthControl | PingControl | InvalidControl


def read_control(text: str, *, max_token_bytes: int) -> Control | None:
    """Return the control message in a text frame; None if the frame is the application's."""
    if _HINT not in text:
        return None
    if _is_too_long(text, max_token_bytes):
        return InvalidControl(CloseReason.TOO_LARGE) if _BEGINNING.match(text) else None
    return _control_in(_parse(text), max_token_bytes)


def read_first(text: str, *, max_token_bytes: int) -> AuthControl | InvalidControl:
    """Return the control message in the first frame of a socket that waits for a token.

    No application runs yet. A client that sends another frame is usually an old one that does not
    implement this protocol. It is refused because its token is missing.
    """
    if _is_too_long(text, max_token_bytes):
        return InvalidControl(CloseReason.TOO_LARGE)
    message = _parse(text) if _HINT in text else _OTHER
    control = _control_in(message, max_token_bytes)
    if isinstance(control, AuthControl | InvalidControl):
        return control
    is_json = message is not _NOT_JSON
    return InvalidControl(CloseReason.TOKEN_MISSING if is_json else CloseReason.MALFORMED)


def _is_too_long(text: str, max_token_bytes: int) -> bool:
    return len(text.encode(errors="surrogatepass")) > max_token_bytes + FRAME_OVERHEAD


def _control_in(message: object, max_token_bytes: int) -> Control | None:
    match message:
        case {"type": "auth.ping"}:
            return PingControl()
        case {"type": "auth", "token": str(token)} if is_token(token, max_token_bytes):
            return AuthControl(Secret(token))
        case {"type": "auth"}:
            return InvalidControl(CloseReason.MALFORMED)
    return None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Python's parser accepts NaN and Infinity, which RFC 8259 (section 6) forbids, and refuses
# integers of over 4,300 digits, which it does. No message has a number that matters.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=float)


def _parse(text: str) -> object:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def write(kind: str, **fields: Any) -> str:
    """Return a message of the server."""
    return json.dumps({"type": kind, **fields}, separators=(",", ":"))


def error_message(error: TokenAuthError) -> str:
    """Return the `auth.error` that explains a close, or a reauthentication that failed."""
    return write(
        "auth.error",
        code=error.code,
        retry=error.code.may_retry,
        retry_after=error.retry_after,
    )
