"""The end of one socket: what becomes of it when its application has ended, however it did."""

from dataclasses import replace

from ..clock import clock
from ..core.close_codes import CloseReason
from ..core.errors import Detail, TokenAuthError
from ..core.identity import unavailable
from ..core.lifecycle import Act, Stage, State, Step
from ..observability import recent
from ..observability.events import (
    ConnectionClosed,
    ConnectionFacts,
    HandshakeAbandoned,
    HandshakeRefused,
    emit,
)
from .connection import Connection

__all__ = ["end_without_application", "finish"]


async def end_without_application(connection: Connection, *, has_raised: bool) -> None:
    """Close a socket whose application has ended and left it open.

    Servers differ in what they do then: daphne keeps the socket open for good, unlisted and out of
    reach for a revocation; uvicorn drops it without a close. `has_raised`: the exception goes on to
    the server, after the close.
    """
    stage = connection.exchange.stage
    act = connection.exchange.take(Step.RETURN)
    if act is Act.COMPLETE:
        end = {"type": "websocket.http.response.body", "body": b""}
        await connection.transport.answer([end])
    elif act is Act.FAIL:
        error = _reason(connection)
        is_plain = stage is Stage.HANDSHAKE and len(connection.refusal(error)) == 1
        if has_raised and is_plain:
            # The server answers with a 500, which says more than its plain denial.
            connection.left = error.code
        else:
            connection.end(error)


def _reason(connection: Connection) -> TokenAuthError:
    if connection.life.state in (State.AUTHENTICATED, State.REAUTHENTICATING):
        return TokenAuthError(CloseReason.APPLICATION_FAILED)
    return unavailable()  # cancelled in the handshake, before there was an application


async def finish(connection: Connection) -> None:
    """Take leave of a socket: nothing that was started for it outlives this call."""
    try:
        connection.leave_place()
        connection.node.leave(connection)
        if connection.traffic:
            connection.node.traffic.leave(connection.traffic, clock.steady())
        connection.life.leave()
        connection.watch()
        connection.abandon()
        _emit_end(connection)
        # Its traceback refers to the connection: a flood of refusals would leave as many cycles.
        connection.refusal_reason = None
    finally:
        await connection.transport.finish()


def _emit_end(connection: Connection) -> None:
    """Emit that it was refused, or closed: by our reason or, if it is not ours, by a number."""
    left = connection.left
    code = left if isinstance(left, CloseReason) else None
    if not connection.was_admitted:
        if code is None:
            if HandshakeAbandoned.is_wanted():
                emit(HandshakeAbandoned(connection=_facts(connection)))
        elif HandshakeRefused.is_wanted():
            detail = _explain(connection, code)
            emit(HandshakeRefused(connection=_facts(connection), code=code, detail=detail))
        return
    recent.note_close(left)
    if ConnectionClosed.is_wanted():
        close_code = left.close_code if isinstance(left, CloseReason) else left
        emit(ConnectionClosed(connection=connection.facts(), code=code, close_code=close_code))


def _facts(connection: Connection) -> ConnectionFacts:
    """Return the facts of a handshake that was not admitted, with what is known of its credential.

    A token that was refused has no identity to take them from.
    """
    facts = connection.facts()
    credential = connection.refused_credential or connection.handshake.credential
    if credential is None:
        return facts
    backend = connection.route.recognizing_backend(credential)
    return replace(facts, location=credential.location.value, backend=backend)


def _explain(connection: Connection, code: CloseReason) -> Detail | None:
    """Return why the handshake was refused, for the site's developers."""
    reason = connection.refusal_reason
    error = reason if reason and reason.code is code else TokenAuthError(code)
    route, handshake = connection.route, connection.handshake
    return route.explain(error, handshake, connection.refused_credential)
