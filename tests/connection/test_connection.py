"""Closing a socket from outside its application, whatever that does at the moment."""

import asyncio

import pytest

from channels_token_auth.connection import transport as module
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.handshake.refusal import close_message
from tests.connection.server import ACCEPT, CONNECT, Server, sends, text
from tests.connection.serving import Noting, serve, start
from tests.connection.sockets import open_sockets

pytestmark = pytest.mark.usefixtures("each_kind_of_server")

CLOSE = close_message(CloseReason.TOKEN_EXPIRED)
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


async def test_while_it_lives_it_does_not_know_its_token_any_more():
    served = await start(Server(CONNECT), Noting())
    assert served.connection.handshake.credential is None
    served.connection.close(CloseReason.TOKEN_REVOKED)
    await served.task


async def test_events_pass_in_order_and_the_connect_comes_first():
    server, application = Server(CONNECT, text("a"), text("b"), GOODBYE), Noting()
    await serve(server, application)
    assert application.events == [CONNECT, text("a"), text("b"), GOODBYE]


async def test_close_reaches_a_waiting_application_once_and_the_peer_with_our_code():
    server, application = Server(CONNECT), Noting()
    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    served.connection.close(CloseReason.TOKEN_REVOKED)
    await served.task
    assert application.events == [CONNECT, GOODBYE]
    assert server.sent == [ACCEPT, CLOSE]


async def test_close_reaches_a_busy_application_when_it_next_receives():
    server, done = Server(CONNECT), asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await done.wait()
        await send(sends("too late"))
        assert await receive() == GOODBYE

    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    await asyncio.sleep(0)
    assert server.sent == [ACCEPT, CLOSE]
    done.set()
    await served.task
    assert server.sent == [ACCEPT, CLOSE]


async def test_nothing_from_the_client_is_delivered_after_a_close():
    server, application = Server(CONNECT), Noting()
    served = await start(server, application)
    server.inbox.put_nowait(text("already on its way"))
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    await served.task
    assert application.events == [CONNECT, GOODBYE]


async def test_a_close_that_the_server_never_finishes_holds_nobody_up():
    server, application = Server(CONNECT, holds=("websocket.close",)), Noting()
    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    await served.task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_application_held_in_send_by_a_dead_peer_is_released():
    server, events = Server(CONNECT, holds=("websocket.send",)), []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await send(sends("into the void"))
        events.append(await receive())

    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    await served.task
    assert events == [GOODBYE]


async def test_a_server_that_raises_on_our_close_raises_nothing_further():
    server, application = Server(CONNECT), Noting()
    served = await start(server, application)
    server.gone = True
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    await served.task
    assert application.events == [CONNECT, GOODBYE]


async def test_close_before_accept_is_a_refusal_and_a_later_accept_is_swallowed():
    server, done = Server(CONNECT), asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await done.wait()
        await send(ACCEPT)
        assert await receive() == GOODBYE

    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    done.set()
    await served.task
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
        (connection,) = open_sockets()
        connection.close(CloseReason.TOKEN_EXPIRED)

    await serve(server, application)
    assert CLOSE not in server.sent


async def test_receiving_on_after_the_end_is_an_error_and_no_busy_loop():
    server = Server(CONNECT, GOODBYE)

    async def application(scope, receive, send):
        while True:
            await receive()

    with pytest.raises(RuntimeError, match="disconnect"):
        await serve(server, application)


async def test_receiving_on_after_our_close_is_an_error_too():
    server = Server(CONNECT)

    async def application(scope, receive, send):
        while True:
            await receive()

    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    with pytest.raises(RuntimeError, match="disconnect"):
        await served.task


async def test_a_cancellation_from_elsewhere_is_not_swallowed():
    served = await start(Server(CONNECT), Noting())
    served.connection.close(CloseReason.TOKEN_EXPIRED)
    served.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await served.task


async def test_a_receive_with_a_time_limit_of_the_application_loses_no_frame():
    server, events = Server(CONNECT), []

    async def application(scope, receive, send):
        await receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await receive()
        server.inbox.put_nowait(text("kept"))
        events.append(await receive())

    await serve(server, application)
    assert events == [text("kept")]


async def test_a_close_ends_every_send_that_a_peer_who_does_not_read_holds_up():
    server, ended = Server(CONNECT, holds=("websocket.send",)), []

    async def tell(send, what):
        await send(sends(what))
        ended.append(what)

    async def application(scope, receive, send):
        await send(ACCEPT)
        await asyncio.gather(*(tell(send, what) for what in "abc"))

    served = await start(server, application)
    served.connection.close(CloseReason.TOKEN_REVOKED)
    await asyncio.wait_for(served.task, 60)
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

    await serve(server, application)
    assert server.sent[:4] == [ACCEPT, *(sends(what) for what in "abc")]


async def test_a_socket_is_known_while_its_application_runs_and_only_then():
    served = await start(Server(CONNECT), Noting())
    assert open_sockets() == [served.connection]
    served.server.inbox.put_nowait(GOODBYE)
    await served.task
    assert not open_sockets()
