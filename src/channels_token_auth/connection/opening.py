"""The opening handshake of one socket: from the server's `websocket.connect` to the admission."""

from typing import assert_never

from ..clock import clock
from ..core.asgi_types import Message
from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from ..core.handshake.decision import Anonymous, AwaitMessage, Refuse, Verify
from ..core.handshake.extraction import PROTOCOL
from ..core.identity import Identity, unavailable
from ..core.lifecycle import Stage, State, Step
from ..limits.newcomers import overrun
from ..limits.waiting import Place
from ..observability.events import HandshakeBegan, emit_soon
from .asgi_scope import anonymous_user
from .connection import Connection, failed

__all__ = ["MAX_RIVALS", "open_connection"]

# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_AUTHENTICATED = State.AUTHENTICATED

MAX_RIVALS = 3
"""Maximum of other cookies with the credential's name to verify: each one costs a query."""


async def open_connection(connection: Connection, *, waited: float = 0.0) -> Message | None:
    """Admit or refuse the client. Return the event to start the application with; None: refused.

    `waited`: the seconds that the handshake has waited before it could begin.
    Raises nothing but the exceptions of the server's own `receive`, before a handshake.
    """
    event = await connection.transport.inbox.next()
    if event is None or event["type"] != "websocket.connect":
        connection.exchange.take(Step.LEAVE)
        return None
    connection.node.sockets.add(connection)
    if HandshakeBegan.is_wanted():
        emit_soon(HandshakeBegan(node=connection.node.name))
    try:
        await _decide(connection, waited)
    except TokenAuthError as error:
        await _refuse(connection, error)
    except Exception as error:  # noqa: BLE001 - of a site's user class, or a receiver of a signal
        await _refuse(connection, failed(error, connection.handshake.credential))
    connection.watch()
    if connection.life.state is not _AUTHENTICATED:
        return None
    # From here on no object of the library refers to the token, so no report can show it.
    connection.handshake.forget_credential()
    return event


async def _decide(connection: Connection, waited: float) -> None:
    handshake = connection.handshake
    decision = connection.route.decide(handshake)
    # First, so that a foreign page always receives the same refusal: neither a drain nor a limit
    # shows in it. The Origin has precedence (PROTOCOL.md).
    if handshake.is_hostile and handshake.problem is CloseReason.FORBIDDEN:
        raise TokenAuthError(CloseReason.FORBIDDEN)
    if connection.node.drain.is_on:
        raise unavailable()
    # Few clients wait longer than that for an answer: verify nothing for those that have left.
    if waited > connection.route.rules.auth_timeout:
        raise overrun()
    _pass_limits(connection)
    match decision:
        case Verify():
            await _verify(connection, decision.credential)
        case Anonymous():
            await _admit_anonymous(connection)
        case AwaitMessage():
            connection.place = _take_place(connection)
            await _await_credential(connection)
        case Refuse():
            raise TokenAuthError(decision.code)
        case _:
            assert_never(decision)


def _pass_limits(connection: Connection) -> None:
    """Count the handshake. Raises TokenAuthError if its address is over a limit.

    Handshakes of foreign pages are not counted: such a page could use up the limits of its
    visitors' addresses. An attacker gains nothing by that: their refusal is as cheap.
    """
    connection.route.address_limits.begin_handshake(connection.client_address)


async def _admit_anonymous(connection: Connection) -> None:
    """Admit a client without a credential, where its host belongs to a tenant, if there are any."""
    if connection.route.has_tenants:
        # The lookup may query: until its answer, the socket counts as one that waits.
        connection.place = _take_place(connection)
        connection.life.present()
        await connection.find_tenant()
    connection.admit_anonymous(anonymous_user())


def _take_place(connection: Connection) -> Place:
    """Count the socket as one that is not authenticated. Raises TokenAuthError if it is full."""
    route = connection.route
    return connection.node.waiting.enter(
        connection.client_address,
        route.limits.waiting,
        trusted_proxies=route.trusted_proxies,
        close=connection.end,
    )


async def _verify(connection: Connection, credential: Credential) -> None:
    """Verify the handshake's credential, and admit its user."""
    route = connection.route
    connection.life.present()
    # Before the verification: a revocation that arrives during it must refuse this token.
    mark = connection.node.recent_revocations.mark
    has_more_to_ask = route.has_tenants or bool(connection.handshake.rivals)
    # A token that was verified a moment ago needs no place: its socket does not wait.
    identity = None if has_more_to_ask else route.recall(credential)
    if identity is None:
        connection.place = _take_place(connection)
        if has_more_to_ask:
            identity = await connection.identify(credential)
            await _reject_rivals(connection, identity)
        else:  # `identify` would look into the cache once more
            identity = await route.consult(credential)
    connection.admit(identity, since=mark)


async def _reject_rivals(connection: Connection, identity: Identity) -> None:
    """Refuse a client whose other cookies of the same name belong to another user."""
    rivals = connection.handshake.rivals
    if len(rivals) > MAX_RIVALS:
        raise TokenAuthError(CloseReason.MALFORMED)
    # An invalid rival is harmless, such as an old cookie. A valid one of another user may be set by
    # another host of the site, to make the client act in that user's account (cookie tossing).
    for rival in rivals:
        try:
            other = await connection.identify(rival)
        except TokenAuthError as error:
            if error.code.is_transient:
                raise
        else:
            if other.user_key != identity.user_key:
                raise TokenAuthError(CloseReason.MALFORMED)


async def _await_credential(connection: Connection) -> None:
    """Accept the client, ask it for its token, and wait for the verdict."""
    offered = connection.handshake.subprotocols
    connection.exchange.take(Step.AWAIT)
    required = connection.act(connection.life.await_credential(clock.steady()))
    accept = {"type": "websocket.accept", "subprotocol": PROTOCOL if PROTOCOL in offered else None}
    await connection.transport.answer([accept])
    if connection.life.state is State.AWAITING_CREDENTIAL:  # not closed meanwhile
        await connection.transport.answer(required)
    inbox = connection.transport.inbox
    while connection.life.state is State.AWAITING_CREDENTIAL:
        event = await inbox.next()
        if event:
            await connection.perform(connection.read(event) or ())
    while connection.life.state is State.AUTHENTICATING:
        # A frame that arrives after the verdict stays in the inbox: it is for the application.
        if await inbox.has_event() and not connection.is_admitted:
            await connection.perform(connection.read(inbox.pop()) or ())


async def _refuse(connection: Connection, error: TokenAuthError) -> None:
    """Answer the handshake with a refusal, unless the socket was closed meanwhile."""
    connection.left = connection.left or error.code
    connection.refusal_reason = connection.refusal_reason or error
    handshake = connection.handshake
    # A client that sent no credential has guessed none: the host of an anonymous one is unknown.
    if handshake.credential or handshake.problem:
        connection.note_failure(error.code)
    if connection.life.state is State.CLOSED:
        return
    if connection.exchange.stage is Stage.HANDSHAKE:
        # Send in this task: under a flood of bad tokens, a task for each would be expensive.
        connection.exchange.take(Step.END)
        connection.life.leave()
        await connection.transport.answer(connection.refusal(error))
    else:
        connection.end(error)
