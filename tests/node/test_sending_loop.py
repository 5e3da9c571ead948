"""Calls that follow each other share one event loop, which ends when no more come."""

import _thread
import asyncio
import os
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from channels_token_auth.cluster import sending_loop as sending
from channels_token_auth.cluster.sending_loop import SendingLoop
from channels_token_auth.tasks import has_real_threads

name = ContextVar("name", default="nobody")


@pytest.fixture
def sending_loop():
    """A loop that ends by itself only after the test."""
    made = SendingLoop(idle_seconds=600)
    yield made
    made.end()


async def here():
    return asyncio.get_running_loop()


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_calls_share_one_loop(sending_loop):
    assert len({id(sending_loop.run(here)) for _ in range(3)}) == 1
    assert sending_loop.is_open


def test_loop_is_closed_when_no_call_has_come_for_a_moment():
    sending_loop = SendingLoop(idle_seconds=0.01)
    loop = sending_loop.run(here)
    until(loop.is_closed)
    assert not sending_loop.is_open
    assert sending_loop.run(here) is not loop
    sending_loop.end()


def test_call_that_takes_longer_keeps_the_loop():
    sending_loop = SendingLoop(idle_seconds=0.001)

    async def wait():
        await asyncio.sleep(0.1)
        return await here()

    loop = sending_loop.run(wait)
    assert isinstance(loop, asyncio.AbstractEventLoop)
    sending_loop.end()


def test_end_waits_for_calls_that_run(sending_loop):
    may_return, began = threading.Event(), threading.Event()

    async def wait():
        began.set()
        while not may_return.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.001)
        return "done"

    with ThreadPoolExecutor() as threads:
        call = threads.submit(sending_loop.run, wait)
        assert began.wait(60)
        ending = threads.submit(sending_loop.end)
        may_return.set()
        assert call.result(60) == "done"
        ending.result(60)
    until(lambda: not sending_loop.is_open)


def test_threads_use_it_at_the_same_time(sending_loop):
    barrier = threading.Barrier(4)

    async def meet():
        await asyncio.to_thread(barrier.wait, 60)

    with ThreadPoolExecutor() as threads:
        for call in [threads.submit(sending_loop.run, meet) for _ in range(4)]:
            call.result(60)


def test_call_sees_the_context_of_its_caller(sending_loop):
    async def read():
        return name.get()

    token = name.set("ada")
    assert sending_loop.run(read) == "ada"
    name.reset(token)
    assert sending_loop.run(read) == "nobody"


def test_call_raises_what_the_coroutine_raises(sending_loop):
    async def fail():
        raise LookupError

    with pytest.raises(LookupError):
        sending_loop.run(fail)
    assert sending_loop.is_open


def test_layer_that_exits_ends_this_loop_and_not_the_next(sending_loop):
    async def leave():
        raise SystemExit

    with pytest.raises((SystemExit, CancelledError)):
        sending_loop.run(leave)
    until(lambda: not sending_loop.is_open)
    assert sending_loop.run(here).is_running()


def test_fork_starts_a_loop_of_its_own(sending_loop):
    sending_loop.run(here)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            sending_loop.__init__()  # as the fork does with the library's own
            sending_loop.run(here)
            os.write(writer, b"ran")
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 3) == b"ran"
    os.close(reader)
    os.waitpid(pid, 0)
    assert sending_loop.run(here).is_running()


def test_loop_ends_before_a_fork_which_would_share_its_connections(monkeypatch):
    monkeypatch.setattr(sending, "END_SECONDS", 600)
    sending.sending_loop.run(here)
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    assert not sending.sending_loop.is_open


def test_caller_is_told_if_no_thread_can_start(sending_loop, monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as limit:
        limit.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            sending_loop.run(here)
    assert sending_loop.run(here).is_running()


def test_greenlets_are_no_threads(monkeypatch):
    assert has_real_threads()
    monkeypatch.setattr(_thread, "start_new_thread", lambda *_: None)
    assert not has_real_threads()
