"""The inbox loses no event on a server that drops one whenever its `receive` is cancelled."""

import asyncio

import pytest

from channels_token_auth.connection.inbox import Inbox
from channels_token_auth.core.lifecycle import Idle
from tests.connection.server import LossyServer, text
from tests.connection.turns import rest

pytestmark = pytest.mark.usefixtures("each_kind_of_server")


@pytest.fixture
def server():
    return LossyServer()


@pytest.fixture
async def inbox(server):
    inbox = Inbox(server.receive, asyncio.get_running_loop())
    yield inbox
    inbox.close()
    await asyncio.sleep(0)


async def next_of(inbox, *, may_wake):
    """The next event, by one of the two ways to wait; None if the wait was ended."""
    if not may_wake:
        return await inbox.next()
    return inbox.pop() if await inbox.has_event() else None


async def waiting(coroutine):
    """A task that has come as far as it can."""
    task = asyncio.create_task(coroutine)
    await rest(0.01)
    return task


async def test_events_come_in_order(server, inbox):
    for name in "abc":
        server.inbox.put_nowait(text(name))
    assert [await next_of(inbox, may_wake=may) for may in (False, True, False)] == [
        text("a"),
        text("b"),
        text("c"),
    ]


async def test_nobody_else_runs_for_an_event_that_is_awaited_in_the_callers_task(server, inbox):
    task = await waiting(next_of(inbox, may_wake=False))
    assert asyncio.all_tasks() == {asyncio.current_task(), task, *_of_the_server()}
    server.inbox.put_nowait(text("a"))
    assert await task == text("a")


def _of_the_server():
    names = ("Queue.get", "LossyServer._receive")
    return {t for t in asyncio.all_tasks() if t.get_coro().__qualname__ in names}


async def test_event_after_wake_answers_the_next_wait(server, inbox):
    task = await waiting(next_of(inbox, may_wake=True))
    inbox.wake()
    assert await task is None
    server.inbox.put_nowait(text("kept"))
    assert await next_of(inbox, may_wake=False) == text("kept")


async def test_event_that_comes_with_the_wake_stays_until_it_is_popped(server, inbox):
    task = await waiting(inbox.has_event())
    server.inbox.put_nowait(text("kept"))
    inbox.wake()
    await task
    assert await inbox.has_event()
    assert inbox.pop() == text("kept")


async def test_wake_without_a_wait_has_no_effect_on_the_next_one(server, inbox):
    inbox.wake()
    task = await waiting(next_of(inbox, may_wake=True))
    server.inbox.put_nowait(text("a"))
    assert await task == text("a")


async def test_wake_does_not_end_a_wait_that_cannot_be_woken(server, inbox):
    task = await waiting(next_of(inbox, may_wake=False))
    inbox.wake()
    await asyncio.sleep(0.01)
    assert not task.done()
    server.inbox.put_nowait(text("a"))
    assert await task == text("a")


@pytest.mark.parametrize("may_wake", [False, True])
async def test_close_ends_the_wait_without_an_event(server, inbox, may_wake):
    task = await waiting(next_of(inbox, may_wake=may_wake))
    inbox.close()
    assert await task is None
    assert not server.is_asked


async def test_close_cancels_a_call_for_which_nobody_waits(server, inbox):
    task = await waiting(inbox.has_event())
    inbox.wake()
    await task
    assert server.is_asked
    inbox.close()
    await rest(0.01)
    assert not server.is_asked


async def test_caller_that_is_cancelled_leaves_the_event_for_the_next_one(server, inbox):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await next_of(inbox, may_wake=True)
    server.inbox.put_nowait(text("kept"))
    assert await next_of(inbox, may_wake=False) == text("kept")


async def test_wait_that_is_cancelled_leaves_the_next_one_alone(server, inbox):
    cancelled = await waiting(inbox.has_event())
    cancelled.cancel()
    asyncio.get_running_loop().call_later(0.01, server.inbox.put_nowait, text("a"))
    async with asyncio.timeout(60):
        assert await next_of(inbox, may_wake=True) == text("a")


async def test_event_that_is_popped_at_once_does_not_end_the_next_wait():
    events = [asyncio.Future(), asyncio.Future()]
    waiting_for = iter(events)

    async def receive():
        return await next(waiting_for)

    inbox = Inbox(receive, asyncio.get_running_loop())
    inbox.listen()
    await asyncio.sleep(0)
    events[0].set_result(text("a"))
    await asyncio.sleep(0)  # the event is here; asyncio has not yet called who waits for it
    asyncio.get_running_loop().call_later(0.01, events[1].set_result, text("b"))
    assert [await next_of(inbox, may_wake=True) for _ in events] == [text("a"), text("b")]


async def test_event_that_is_popped_at_once_does_not_hide_that_the_client_is_idle():
    loop = asyncio.get_running_loop()
    calls = [loop.create_future(), loop.create_future()]
    upcoming = iter(calls)
    inbox = Inbox(lambda: next(upcoming), loop)
    idle = Idle(60, 0)
    inbox.watch(idle)
    inbox.listen()
    calls[0].set_result(text("a"))
    assert inbox.pop() == text("a")
    assert not idle.is_listening
    inbox.listen()
    await asyncio.sleep(0)
    assert idle.is_listening
    inbox.close()


@pytest.mark.parametrize("may_wake", [False, True])
async def test_error_of_the_server_reaches_the_caller(may_wake):
    async def broken():
        await asyncio.sleep(0)
        raise ConnectionError("the server failed")

    with pytest.raises(ConnectionError):
        await next_of(Inbox(broken, asyncio.get_running_loop()), may_wake=may_wake)


async def test_receive_may_return_any_awaitable():
    loop = asyncio.get_running_loop()

    def receive():
        future = loop.create_future()
        loop.call_soon(future.set_result, text("a"))
        return future

    inbox = Inbox(receive, loop)
    assert await next_of(inbox, may_wake=True) == text("a")
    assert await next_of(inbox, may_wake=False) == text("a")
