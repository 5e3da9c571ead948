"""End one socket after its application has returned or raised."""

import asyncio
from dataclasses import dataclass

from ..clock import clock
from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.explanation import NOTHING_SENT
from ..core.identity import unavailable
from ..core.lifecycle import Act, Stage, State, Step
from ..observability import recent
from ..observability.events import (
    ConnectionClosed,
    ConnectionFacts,
    ConnectionLimited,
    HandshakeAbandoned,
    HandshakeRefused,
    emit_soon,
)
from ..observability.turns import is_turn_unfinished
from .connection import Connection

__all__ = ["end_without_application", "finish"]

# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_RETURN, _DROP = Step.RETURN, Act.DROP


async def end_without_application(connection: Connection, *, has_raised: bool) -> None:
    """Close a socket whose application has ended and left it open.

    Servers differ in this case. daphne keeps the socket open for ever, although no list shows it
    and no revocation closes it. uvicorn drops the connection without a close frame. `has_raised`:
    the exception is passed to the server after the close.
    """
    stage = connection.exchange.stage
    act = connection.exchange.take(_RETURN)
    if act is _DROP:  # as for nearly all: the client or the library has closed it
        return
    if act is Act.COMPLETE:
        end = {"type": "websocket.http.response.body", "body": b""}
        await connection.transport.answer([end])
    elif act is Act.FAIL:
        error = _reason(connection)
        is_plain = stage is Stage.HANDSHAKE and len(connection.refusal(error)) == 1
        if has_raised and is_plain:
            # Let the server answer 500, which is more exact than the 403 of its plain denial.
            connection.left = error.code
            # A task of the application may still wait for an event: end it, and call no server.
            connection.exchange.take(Step.LEAVE)
        else:
            connection.end(error)


def _reason(connection: Connection) -> TokenAuthError:
    if connection.life.state in (State.AUTHENTICATED, State.REAUTHENTICATING):
        return TokenAuthError(CloseReason.APPLICATION_FAILED)
    return unavailable()  # cancelled in the handshake, before there was an application


async def finish(connection: Connection) -> None:
    """Clean up after a socket. No task or timer that was started for it outlives this call."""
    try:
        if connection.place is not None:
            connection.leave_place()
        connection.node.leave(connection)
        if connection.traffic:
            connection.node.traffic.leave(connection.traffic, clock.steady())
        connection.stop()
        _emit_end(connection)
        # Its traceback refers to the connection. That cycle would keep each refused connection in
        # memory until the garbage collector runs.
        connection.refusal_reason = None
        if is_turn_unfinished():
            # So that the events of a socket have been handled when its application has ended: who
            # calls the application in a task of their own, as a test does, finds its records.
            await asyncio.sleep(0)
    finally:
        if connection.transport.end():
            await connection.transport.finish()


def _emit_end(connection: Connection) -> None:
    """Emit its refusal or its close, with the library's reason or the close code of others."""
    left = connection.left
    code = left if isinstance(left, CloseReason) else None
    if not connection.was_admitted:
        if code is None:
            if HandshakeAbandoned.is_wanted():
                detail = _mistake(connection)
                emit_soon(HandshakeAbandoned(connection=_Refused(connection), detail=detail))
        elif HandshakeRefused.is_wanted():
            detail = _explain(connection, code)
            emit_soon(HandshakeRefused(connection=_Refused(connection), code=code, detail=detail))
        return
    recent.note_close(left)
    if code is not None and connection.limit_detail and ConnectionLimited.is_wanted():
        detail = connection.limit_detail
        emit_soon(ConnectionLimited(connection=connection, code=code, detail=detail))
    if ConnectionClosed.is_wanted():
        close_code = left.close_code if isinstance(left, CloseReason) else left
        emit_soon(ConnectionClosed(connection=connection, code=code, close_code=close_code))


def _mistake(connection: Connection) -> Detail | None:
    """Return why a client that left had no token, if it sent one where the route does not look.

    Most clients that leave made no mistake: their page was closed.
    """
    detail = _explain(connection, CloseReason.AUTH_TIMEOUT)
    return None if detail is None or detail.slug == NOTHING_SENT else detail


@dataclass(frozen=True, slots=True)
class _Refused:
    """A handshake that was not admitted, with the location and backend of its credential.

    A connection takes those two from its identity, and a refused token has none.
    """

    of: Connection

    @property
    def backend(self) -> str | None:
        credential = self._credential
        return self.of.route.recognizing_backend(credential) if credential else self.of.backend

    @property
    def location(self) -> str | None:
        return self._credential.location.value if self._credential else self.of.location

    def facts(self) -> ConnectionFacts:
        facts = self.of.facts()
        facts["location"], facts["backend"] = self.location, self.backend
        return facts

    @property
    def _credential(self) -> Credential | None:
        return self.of.refused_credential or self.of.handshake.credential


def _explain(connection: Connection, code: CloseReason) -> Detail | None:
    """Return why the handshake was refused, for the site's developers."""
    reason = connection.refusal_reason
    error = reason if reason and reason.code is code else TokenAuthError(code)
    route, handshake = connection.route, connection.handshake
    return route.explain(error, handshake, connection.refused_credential)
