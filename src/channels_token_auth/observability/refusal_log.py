"""Log each refusal, and each close by a limit, for the site's developers: the reason and the
remedy, once a minute each.

Django logs its answers with 401 and 403. Channels logs no refusals, so that the reason why a socket
does not open is hard to find. The client receives only the code, since these reasons would also
help an attacker.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

from ..core.close_codes import CloseReason
from ..core.errors import Detail
from .events import (
    ConnectionFacts,
    ConnectionLimited,
    Event,
    HandshakeAbandoned,
    HandshakeRefused,
    ReauthenticationRefused,
    RequestRefused,
    subscribe,
)
from .throttle import Throttle

__all__ = ["REMEDIES", "start", "throttle"]

# close-codes:python-remedies, written by `python -m spec.generate`
REMEDIES: dict[CloseReason, str] = {
    CloseReason.MALFORMED: "The client sent a message or credential that the protocol forbids.",
    CloseReason.TOKEN_MISSING: "The client sent no token.",
    CloseReason.TOKEN_INVALID: "No backend accepted the token.",
    CloseReason.FORBIDDEN: "The token is valid, and may not do this: check its scopes.",
    CloseReason.AUTH_TIMEOUT: "The client sent no auth message within AUTH_TIMEOUT.",
    CloseReason.IDENTITY_CHANGED: "An open socket presented a token of another user: open another.",
    CloseReason.TOKEN_REVOKED: "The token was revoked: its user has to log in again.",
    CloseReason.TOO_LARGE: "A control frame is longer than MAX_TOKEN_BYTES allows.",
    CloseReason.TOKEN_EXPIRED: "The token has expired: the client has to fetch another one.",
    CloseReason.USER_INACTIVE: "The token is valid, and its user is not active.",
    CloseReason.RATE_LIMITED: "The client sent too much in too short a time: see LIMITS.",
    CloseReason.CONNECTION_LIMIT: "There are as many sockets as LIMITS allows.",
    CloseReason.APPLICATION_FAILED: "The application ended without a close: see its log.",
    CloseReason.UNAVAILABLE: "A store did not answer, or the node is draining: see earlier errors.",
}
# close-codes:end
"""The remedy for each code, where the refusal has none of its own."""

KINDS: tuple[type[Event], ...] = (
    ConnectionLimited,
    HandshakeRefused,
    ReauthenticationRefused,
    RequestRefused,
)
logger = logging.getLogger("channels_token_auth")
throttle = Throttle(60)


def start() -> None:
    """Subscribe to the events. Called once, when Django starts."""
    for kind in KINDS:
        subscribe(kind, _log, wants=_is_wanted)
    subscribe(HandshakeAbandoned, _log_abandoned, wants=_is_wanted)


def _is_wanted() -> bool:
    return logger.isEnabledFor(logging.WARNING)


def _log(event: Any) -> None:
    detail = event.detail or Detail(slug=event.code.value, remedy=REMEDIES[event.code])
    # By the reason, which the code has chosen, and by nothing that a client chooses.
    if throttle.allows((type(event), event.code, detail.slug)):
        logger.warning("%s. %s", ", ".join(_facts(event, detail)), detail.remedy)


def _log_abandoned(event: HandshakeAbandoned) -> None:
    """Log that a client left without waiting for its refusal, if its handshake shows a mistake."""
    detail = event.detail
    if detail is not None and throttle.allows((HandshakeAbandoned, detail.slug)):
        where = event.connection.facts()
        path = _escape(where["path"])
        what = f"WebSocket {path}: the client left without a token ({detail.slug})"
        logger.warning("%s. %s", ", ".join((what, *_origin(where))), detail.remedy)


def _facts(event: Any, detail: Detail) -> Iterator[str]:
    code = f"{event.code.close_code} {event.code.value}"
    reason = "" if detail.slug == event.code.value else f" ({detail.slug})"
    if isinstance(event, RequestRefused):
        yield f"{event.method} {_escape(event.path)} refused: {event.code.http_status}{reason}"
        return
    # One line: developers search their log for the path of the socket that does not open.
    what = "Reauthentication" if isinstance(event, ReauthenticationRefused) else "WebSocket"
    done = "closed" if isinstance(event, ConnectionLimited) else "refused"
    facts = event.connection.facts()
    yield f"{what} {_escape(facts['path'])} {done}: {code}{reason}"
    yield from _origin(facts)


def _origin(facts: ConnectionFacts) -> Iterator[str]:
    if facts["origin"] is not None:
        yield f"Origin {_escape(facts['origin'])}"


def _escape(text: str) -> str:
    """Return a client's text in quotes and on one line."""
    # JSON, since it escapes line breaks and control characters, with which a client could forge
    # lines of the log.
    # Cut, since a client may send as long a path as its server accepts.
    return json.dumps(text[:200])
