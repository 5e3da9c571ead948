"""Applications receive by a future where the server gives futures, and lose no event by it."""

import asyncio
import contextlib
import gc
import weakref

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.node import bulk_close
from tests.connection.server import ACCEPT, CONNECT, LossyServer, Server, text
from tests.connection.serving import Noting, serve, start
from tests.connection.turns import rest

LEAVE = {"type": "websocket.disconnect", "code": 1000}
PING = text('{"type": "auth.ping"}')

pytestmark = pytest.mark.usefixtures("each_kind_of_server")


@pytest.fixture(autouse=True)
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}],
        "LOCATIONS": ["header", "subprotocol"],
    }


async def test_application_gets_a_future_where_the_server_gives_one():
    kinds = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        event = None
        while event != LEAVE:
            call = receive()
            kinds.append(asyncio.isfuture(call))
            event = await call

    await serve(Server(CONNECT, text("a"), LEAVE), application)
    assert kinds == [Server.gives_futures] * 2


async def test_connect_needs_no_task_and_no_wait_where_the_server_gives_futures():
    calls = []

    async def application(scope, receive, send):
        calls.append(receive())
        assert await calls[0] == CONNECT
        await send(ACCEPT)
        await receive()

    await serve(Server(CONNECT, LEAVE), application)
    assert [asyncio.isfuture(call) for call in calls] == [Server.gives_futures]


async def test_every_event_can_be_awaited_in_a_task_where_the_server_gives_coroutines():
    received = []

    async def application(scope, receive, send):
        for each in range(3):
            call = receive()
            # `create_task` refuses a future: an application that works without the library uses it.
            task = call if Server.gives_futures else asyncio.create_task(call)
            received.append(await task)
            if not each:
                await send(ACCEPT)

    await serve(Server(CONNECT, text("a"), LEAVE), application)
    assert received == [CONNECT, text("a"), LEAVE]


async def test_connect_is_not_kept_for_the_life_of_the_socket():
    class Connect(dict):
        """A dictionary to which a weak reference can point."""

    connect = Connect(CONNECT)
    seen = weakref.ref(connect)

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()

    server = Server(connect)
    del connect
    served = await start(server, application)
    assert seen() is None
    server.inbox.put_nowait(LEAVE)
    await served.task


async def test_events_of_two_waits_at_once_come_once_each():
    received = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        waits = [asyncio.ensure_future(receive()) for _ in range(2)]
        received.extend(await asyncio.gather(*waits))
        await receive()

    server = Server(CONNECT)
    served = await start(server, application)
    for event in (text("a"), text("b"), LEAVE):
        server.inbox.put_nowait(event)
        await asyncio.sleep(0.01)
    await served.task
    assert sorted(event["text"] for event in received) == ["a", "b"]


async def test_wait_that_is_cancelled_leaves_its_event_for_the_next_one():
    received = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        for _ in range(2):  # the second one has nothing of its own to lose
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await receive()
        server.inbox.put_nowait(text("kept"))
        await asyncio.sleep(0.01)
        server.inbox.put_nowait(LEAVE)
        received.extend([await receive(), await receive()])

    server = Server(CONNECT)
    await serve(server, application)
    assert received == [text("kept"), LEAVE]


async def test_application_with_time_limits_loses_nothing_after_its_first_one():
    received, numbers = [], [text(str(number)) for number in range(50)]
    server = LossyServer(CONNECT)

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        # The first limit cancels the server's own `receive`, if that is a coroutine.
        lost = [] if Server.gives_futures else [text("lost")]
        for event in [None, *lost, *numbers]:
            if event:
                server.inbox.put_nowait(event)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    while True:
                        received.append(await receive())
        while len(received) < len(numbers):
            received.append(await receive())

    async with asyncio.timeout(60):
        await serve(server, application)
    assert received == numbers


class Futures(Server):
    """Gives futures, whichever kind the test runs with, and keeps them."""

    gives_futures = True

    def __init__(self, *events):
        super().__init__(*events)
        self.calls = []

    def receive(self):
        self.calls.append(super().receive())
        return self.calls[-1]


async def test_event_that_comes_as_its_task_is_cancelled_is_left_for_the_next_wait():
    received = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        task, call = asyncio.current_task(), receive()
        # The future has its event then, and the task has not resumed yet.
        call.add_done_callback(lambda _: task.cancel())
        with pytest.raises(asyncio.CancelledError):
            await call
        task.uncancel()
        received.extend([await receive(), await receive()])

    await serve(Futures(CONNECT, text("a"), LEAVE), application)
    assert received == [text("a"), LEAVE]


async def test_event_behind_a_message_of_the_library_is_not_overtaken_after_a_cancellation():
    received = []
    server = Futures(CONNECT)

    async def application(scope, receive, send):
        await receive()
        await send({**ACCEPT, "subprotocol": "token-auth.v1"})
        call = receive()
        server.inbox.put_nowait(PING)
        await rest(0.01)  # now the library waits for the next event
        server.inbox.put_nowait(text("a"))
        server.inbox.put_nowait(LEAVE)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        received.extend([await receive(), await receive()])

    await serve(server, application, subprotocols=["token-auth.v1"])
    assert received == [text("a"), LEAVE]


async def test_error_of_the_server_reaches_the_application():
    class Broken(Server):
        async def _receive(self):
            if self.inbox.empty():
                raise OSError("the server's own")
            return await self.inbox.get()

    raised = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        try:
            await receive()
        except OSError as error:
            raised.append(str(error))

    await serve(Broken(CONNECT), application)
    assert raised == ["the server's own"]


async def test_wait_that_outlives_its_application_ends_with_it():
    left = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        left.append(asyncio.ensure_future(receive()))
        await asyncio.sleep(0)

    await serve(Server(CONNECT), application)
    async with asyncio.timeout(60):
        await asyncio.wait(left)


async def test_wait_that_outlives_a_denial_ends_with_its_application():
    left = []

    async def application(scope, receive, send):
        await receive()
        left.append(asyncio.ensure_future(receive()))
        await asyncio.sleep(0)
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    assert await serve(Server(CONNECT), application) == ["HTTP 403", "body"]
    async with asyncio.timeout(60):
        (ended,) = await asyncio.gather(*left, return_exceptions=True)
    assert isinstance(ended, RuntimeError | asyncio.CancelledError)


async def test_wait_that_outlives_a_failed_handshake_ends_without_another_call_of_the_server():
    left = []

    async def application(scope, receive, send):
        await receive()
        left.append(asyncio.ensure_future(receive()))
        await asyncio.sleep(0)
        raise LookupError

    before, server = asyncio.all_tasks(), Server(CONNECT)
    with pytest.raises(LookupError):
        await serve(server, application)
    async with asyncio.timeout(60):
        (ended,) = await asyncio.gather(*left, return_exceptions=True)
    assert isinstance(ended, RuntimeError | asyncio.CancelledError)
    assert server.sent == []  # the server itself answers with 500
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() <= before


async def test_cancelled_wait_keeps_no_socket_in_memory():
    seen = []

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        seen.append(weakref.ref(scope["user"]))
        for _ in range(2):  # the first one may be a task that awaits the server itself
            wait = asyncio.ensure_future(receive())
            await asyncio.sleep(0.01)
            wait.cancel()
            await asyncio.wait([wait])

    gc.collect()
    gc.disable()
    try:
        await serve(Server(CONNECT), application)
        await asyncio.sleep(0.01)
        (user,) = seen
        assert user() is None
    finally:
        gc.enable()


async def test_applications_get_their_disconnect_after_a_bulk_close(monkeypatch):
    monkeypatch.setattr(bulk_close, "SLICE", 1)
    served = [await start(Server(CONNECT), Noting()) for _ in range(3)]
    members = [each.connection for each in served]
    members[0].node.bulk_close.close(members, CloseReason.TOKEN_REVOKED, cause="revocation")
    await asyncio.gather(*(each.task for each in served))
    assert [each.server.sent[-1]["code"] for each in served] == [4410] * 3
