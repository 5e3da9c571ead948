"""Answer a refused handshake: the ASGI messages, in order."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..close_codes import CloseReason
from ..errors import TokenAuthError
from ..lifecycle.messages import error_message
from ..redaction.bare_token import is_name
from .extraction import PROTOCOL, Handshake
from .locations.found import Header, Headers
from .policy import RefusalMode

__all__ = ["close_message", "deny", "http_answer", "refuse", "sees_codes"]

BEARER = frozenset({"bearer"})
Message = dict[str, Any]

# Without 1000: it is ASGI's default, which Starlette sends with each denial.
_STANDARD_CODES = frozenset({1001, 1002, 1003, *range(1007, 1015)})


def refuse(
    error: TokenAuthError,
    handshake: Handshake,
    *,
    mode: RefusalMode,
    http: bool,
    schemes: Collection[str] = BEARER,
) -> list[Message]:
    """Return the answer to a handshake: accept and close with the code, or an HTTP response.

    `http`: the server has the ASGI extension `websocket.http.response`. Without it the server sends
    its own 403 (ASGI, "WebSocket", Close). `schemes`: those that the site's backends recognise.
    """
    if sees_codes(handshake, mode):
        # A browser that offered subprotocols fails the connection, and reports 1006, unless the
        # server selects one of them (WHATWG WebSockets standard, "establish a connection").
        echo = _echo(handshake.subprotocols)
        return [_accept(echo), *_last_words(error, speaks=echo == PROTOCOL)]
    # A reason that exists on open sockets only has no HTTP status.
    if http and error.code.http_status:
        return _http_response(error, error.code.http_status, schemes)
    return [close_message(error.code)]


def deny(message: Mapping[str, Any], handshake: Handshake, *, is_accepted: bool) -> list[Message]:
    """Return the messages by which a client that sees codes receives the application's refusal.

    `message`: the message that the application sent instead of an accept. Its code is used if it is
    a reason that a close frame can carry, else 4403. `is_accepted`: the library accepted the client
    before, for a first message.
    """
    code, echo = message.get("code"), _echo(handshake.subprotocols)
    if isinstance(code, int) and _is_reason(code):
        reason = message.get("reason") or ""
        last_words = [{"type": "websocket.close", "code": code, "reason": reason}]
    else:
        forbidden = TokenAuthError(CloseReason.FORBIDDEN)
        last_words = _last_words(forbidden, speaks=is_accepted or echo == PROTOCOL)
    return last_words if is_accepted else [_accept(echo), *last_words]


def sees_codes(handshake: Handshake, mode: RefusalMode) -> bool:
    """Return whether a client that is refused is accepted first, to be closed with a code."""
    # A hostile client is denied before accept, and never receives a code.
    visible = mode is RefusalMode.CLOSE or (mode is RefusalMode.AUTO and _is_browser(handshake))
    return visible and not handshake.is_hostile


def close_message(code: CloseReason) -> Message:
    """Return the close message of a code. Its slug fits into the 123 bytes of RFC 6455 §5.5."""
    return {"type": "websocket.close", "code": code.close_code, "reason": code.value}


def _accept(echo: str | None) -> Message:
    return {"type": "websocket.accept", "subprotocol": echo}


def _last_words(error: TokenAuthError, *, speaks: bool) -> list[Message]:
    explanation = [{"type": "websocket.send", "text": error_message(error)}] if speaks else []
    return [*explanation, close_message(error.code)]


def _is_reason(code: int) -> bool:
    """Return whether the code is a reason, and a close frame may carry it: not 1004–1006 and 1015
    (RFC 6455 §7.4).
    """
    return code in _STANDARD_CODES or 3000 <= code <= 4999


def _is_browser(handshake: Handshake) -> bool:
    """Return whether the client has a browser's WebSocket: Node, Deno and Bun send no Origin.

    None of them lets code read the HTTP answer to a handshake. A credential in a subprotocol is
    typical of browsers: clients that can set headers use the `Authorization` header.
    """
    return (
        PROTOCOL in handshake.subprotocols
        or handshake.offers_credential
        or _has(handshake.headers, b"origin")
    )


def _has(headers: Headers, wanted: bytes) -> bool:
    return any(name == wanted for name, _ in headers)


def _echo(offered: Sequence[str]) -> str | None:
    """Return the subprotocol to select: without one, a browser reports 1006 and not the code.

    A text that may be a short token is never selected: proxies log the headers of responses.
    """
    return PROTOCOL if PROTOCOL in offered else next(filter(is_name, offered), None)


def _http_response(error: TokenAuthError, status: int, schemes: Collection[str]) -> list[Message]:
    headers, body = http_answer(error, status, schemes)
    return [
        {"type": "websocket.http.response.start", "status": status, "headers": headers},
        {"type": "websocket.http.response.body", "body": body},
    ]


def http_answer(
    error: TokenAuthError, status: int, schemes: Collection[str] = BEARER
) -> tuple[list[Header], bytes]:
    """Return the headers and the body of a refusal over HTTP: `{"code": slug}`.

    `schemes`: the lower-case schemes of `Authorization` that the site's backends recognise.
    """
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    if challenge := _challenge(error.code, status, schemes):
        headers.append((b"www-authenticate", challenge.encode()))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    body = json.dumps({"code": error.code.value}).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    return headers, body


def _challenge(code: CloseReason, status: int, schemes: Collection[str]) -> str:
    """Return the challenges of all schemes; those of `Bearer` alone for 400 and 403.

    RFC 9110 §11.6.1 wants at least one with a 401. RFC 6750 §3 defines the errors of `Bearer`, and
    no error for a client that presented nothing.
    """
    if status not in (400, 401, 403):
        return ""
    is_bearer = "bearer" in schemes or not schemes
    bearer = f'Bearer error="{code.challenge}"' if code.challenge else "Bearer"
    others = [each.capitalize() for each in sorted(schemes) if each != "bearer"]
    return ", ".join([bearer] * is_bearer + others * (status == 401))
