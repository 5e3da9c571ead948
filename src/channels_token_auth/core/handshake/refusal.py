"""Answer a refused handshake: the ASGI messages, in order."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from ..close_codes import CloseReason
from ..errors import TokenAuthError
from ..messages import error_message
from .extraction import PROTOCOL, Handshake
from .found import Header, Headers
from .policy import RefusalMode

__all__ = ["close_message", "http_answer", "refuse"]

BEARER = frozenset({"bearer"})
Message = dict[str, Any]


def refuse(
    error: TokenAuthError,
    handshake: Handshake,
    *,
    mode: RefusalMode,
    http: bool,
    schemes: Collection[str] = BEARER,
) -> list[Message]:
    """The answer to a handshake: accept and close with the code, or an HTTP response.

    `http`: the server has the ASGI extension `websocket.http.response`. Where it has not, a denial
    is the server's plain one.
    """
    visible = mode is RefusalMode.CLOSE or (mode is RefusalMode.AUTO and _is_browser(handshake))
    if visible and not handshake.is_hostile:
        echo = _echo(handshake.subprotocols)
        told = (
            [{"type": "websocket.send", "text": error_message(error)}] if echo == PROTOCOL else []
        )
        return [
            {"type": "websocket.accept", "subprotocol": echo},
            *told,
            close_message(error.code),
        ]
    if http and error.code.http_status:
        return _http_response(error, error.code.http_status, schemes)
    return [close_message(error.code)]


def close_message(code: CloseReason) -> Message:
    """The close of a code. Its reason is the slug, well under the 123 bytes a reason may have."""
    return {"type": "websocket.close", "code": code.close_code, "reason": code.value}


def _is_browser(handshake: Handshake) -> bool:
    """A page sends its Origin; Node, Deno and Bun have browsers' WebSocket without one.

    Those can read no HTTP answer either. A credential in a subprotocol is a browser's way: clients
    that can set headers use one.
    """
    return (
        PROTOCOL in handshake.subprotocols
        or handshake.offers_credential
        or _has(handshake.headers, b"origin")
    )


def _has(headers: Headers, wanted: bytes) -> bool:
    return any(name == wanted for name, _ in headers)


def _echo(offered: Sequence[str]) -> str | None:
    """A browser to which nothing of its offer is echoed fails the connection: no code arrives."""
    return PROTOCOL if PROTOCOL in offered else next(iter(offered), None)


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
