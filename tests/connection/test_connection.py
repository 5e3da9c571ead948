import asyncio

import pytest

from channels_token_auth import conf
from channels_token_auth.connection import transport as module
from channels_token_auth.connection.connection import Connection, live
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.handshake.refusal import close_message
from channels_token_auth.core.lifecycle import State
from channels_token_auth.verification.route import Route
from tests.connection.server import ACCEPT, CONNECT, Server, scope, sends, text

CLOSE = close_message(CloseReason.TOKEN_EXPIRED)
UNDECIDED = (State.CONNECTING, State.AUTHENTICATING)
GOODBYE = {"type": "websocket.disconnect", "code": 4419, "reason": "token_expired"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(module, "CLOSE_TIMEOUT", 0.05)


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol"],
    }


def connect(server: Server, **values) -> Connection:
    route = Route(conf.configuration())
    opened = scope(headers=[(b"authorization", b"Token g00d-canary")], **values)
    return Connection(route, route.read(opened), opened, server.receive, server.send)


class Application:
    """Accepts, then notes every event until it is told of the end."""

    def __init__(self):
        self.events = []

    async def __call__(self, scope, receive, send):
        self.events.append(await receive())
        await send(ACCEPT)
        while self.events[-1]["type"] != "websocket.disconnect":
            self.events.append(await receive())


async def serve(connection: Connection, application) -> None:
    """As the middleware does it."""
    try:
        inner = await connection.open()
        if inner is not None:
            await application(inner, connection.receive, connection.send)
    finally:
        await connection.finish()


async def start(connection: Connection, application) -> asyncio.Task:
    task = asyncio.create_task(serve(connection, application))
    async with asyncio.timeout(5):
        while connection._life.state in UNDECIDED and not task.done():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    return task


async def test_while_it_lives_it_does_not_know_its_token_any_more():
    connection = connect(Server(CONNECT))
    task = await start(connection, Application())
    assert connection._handshake.credential is None
    connection.close(CloseReason.TOKEN_REVOKED)
    await task


async def test_events_pass_in_order_and_the_connect_comes_first():
    server, application = Server(CONNECT, text("a"), text("b"), GOODBYE), Application()
    await serve(connect(server), application)
    assert application.events == [CONNECT, text("a"), text("b"), GOODBYE]


async def test_close_reaches_a_waiting_application_once_and_the_peer_with_our_code():
    server, application = Server(CONNECT), Application()
    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    connection.close(CloseReason.TOKEN_REVOKED)
    await task
    assert application.events == [CONNECT, GOODBYE]
    assert server.sent == [ACCEPT, CLOSE]


async def test_close_tells_a_busy_application_when_it_next_receives():
    server, done = Server(CONNECT), asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await done.wait()
        await send(sends("too late"))
        assert await receive() == GOODBYE

    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    await asyncio.sleep(0)
    assert server.sent == [ACCEPT, CLOSE]
    done.set()
    await task
    assert server.sent == [ACCEPT, CLOSE]


async def test_nothing_from_the_client_is_delivered_after_a_close():
    server, application = Server(CONNECT), Application()
    connection = connect(server)
    task = await start(connection, application)
    server.inbox.put_nowait(text("already on its way"))
    connection.close(CloseReason.TOKEN_EXPIRED)
    await task
    assert application.events == [CONNECT, GOODBYE]


async def test_a_close_that_the_server_never_finishes_holds_nobody_up():
    server, application = Server(CONNECT, holds=("websocket.close",)), Application()
    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_application_held_in_send_by_a_dead_peer_is_released():
    server, events = Server(CONNECT, holds=("websocket.send",)), []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await send(sends("into the void"))
        events.append(await receive())

    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    await task
    assert events == [GOODBYE]


async def test_a_server_that_raises_on_our_close_raises_nothing_further():
    server, application = Server(CONNECT), Application()
    connection = connect(server)
    task = await start(connection, application)

    async def gone(message):
        raise RuntimeError("the peer has gone")

    connection._transport._send = gone
    connection.close(CloseReason.TOKEN_EXPIRED)
    await task
    assert application.events == [CONNECT, GOODBYE]


async def test_close_before_accept_is_a_refusal_and_a_later_accept_is_swallowed():
    server, done = Server(CONNECT), asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await done.wait()
        await send(ACCEPT)
        assert await receive() == GOODBYE

    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    done.set()
    await task
    assert server.sent == [CLOSE]


@pytest.mark.parametrize(
    "last", [GOODBYE, {"type": "websocket.close", "code": 4000}], ids=["client", "application"]
)
async def test_close_of_a_socket_that_is_over_does_nothing(last):
    server = Server(CONNECT, GOODBYE)

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        if last is GOODBYE:
            await receive()
        else:
            await send(last)
        connection.close(CloseReason.TOKEN_EXPIRED)

    connection = connect(server)
    await serve(connection, application)
    assert CLOSE not in server.sent


async def test_receiving_on_after_the_end_is_an_error_and_no_busy_loop():
    server = Server(CONNECT, GOODBYE)

    async def application(scope, receive, send):
        while True:
            await receive()

    with pytest.raises(RuntimeError, match="was told"):
        await serve(connect(server), application)


async def test_receiving_on_after_our_close_is_an_error_too():
    server = Server(CONNECT)

    async def application(scope, receive, send):
        while True:
            await receive()

    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_EXPIRED)
    with pytest.raises(RuntimeError, match="was told"):
        await task


async def test_a_cancellation_from_elsewhere_is_not_swallowed():
    connection = connect(Server(CONNECT))
    task = await start(connection, Application())
    connection.close(CloseReason.TOKEN_EXPIRED)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancelled_application_is_cancelled_without_a_close():
    server = Server(CONNECT)
    task = await start(connect(server), Application())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.sent == [ACCEPT]


async def test_a_receive_with_a_time_limit_of_the_application_loses_no_frame():
    server, events = Server(CONNECT), []

    async def application(scope, receive, send):
        await receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await receive()
        server.inbox.put_nowait(text("kept"))
        events.append(await receive())

    await serve(connect(server), application)
    assert events == [text("kept")]


@pytest.mark.parametrize(
    ("offered", "chosen", "echoed"),
    [
        (["token-auth.v1", "chat"], None, "token-auth.v1"),
        (["token-auth.v1", "chat"], "chat", "chat"),
        (["chat"], None, None),
        ([], None, None),
    ],
)
async def test_the_consumer_chooses_the_subprotocol_and_ours_is_echoed_otherwise(
    offered, chosen, echoed
):
    server = Server(CONNECT)

    async def application(scope, receive, send):
        await send({**ACCEPT, "subprotocol": chosen})

    await serve(connect(server, subprotocols=offered), application)
    assert server.sent[0]["subprotocol"] == echoed


async def test_a_denial_is_passed_on_and_no_farewell_follows_it():
    server, denial = Server(CONNECT, GOODBYE), {"type": "websocket.close"}

    async def application(scope, receive, send):
        await receive()
        await send(denial)
        assert await receive() == GOODBYE

    await serve(connect(server), application)
    assert server.sent == [denial]


async def test_a_close_ends_every_send_that_a_peer_who_does_not_read_holds_up():
    server, ended = Server(CONNECT, holds=("websocket.send",)), []

    async def tell(send, what):
        await send(sends(what))
        ended.append(what)

    async def application(scope, receive, send):
        await send(ACCEPT)
        await asyncio.gather(*(tell(send, what) for what in "abc"))

    connection = connect(server)
    task = await start(connection, application)
    connection.close(CloseReason.TOKEN_REVOKED)
    await asyncio.wait_for(task, 3)
    assert sorted(ended) == ["a", "b", "c"]


class SlowServer(Server):
    async def send(self, message):
        await asyncio.sleep(0)
        await super().send(message)


async def test_several_tasks_of_the_application_may_send_at_once():
    server = SlowServer(CONNECT)

    async def application(scope, receive, send):
        await send(ACCEPT)
        await asyncio.gather(*(send(sends(what)) for what in "abc"))

    await serve(connect(server), application)
    assert server.sent == [ACCEPT, *(sends(what) for what in "abc")]


async def test_a_connection_is_live_while_its_application_runs_and_only_then():
    connection = connect(Server(CONNECT, GOODBYE))
    task = await start(connection, Application())
    await task
    assert connection not in live
    task = await start(connect(Server(CONNECT)), Application())
    assert len(live) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not live
