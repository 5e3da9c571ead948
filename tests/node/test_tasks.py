"""No background task is left when its event loop is closed, whenever it was started."""

import asyncio
import inspect
import threading
from contextlib import suppress

import pytest

from channels_token_auth.node.bulk_close import BulkClose
from channels_token_auth.node.registry import Registry
from channels_token_auth.node.sweep import Sweep
from channels_token_auth.tasks import spawn


class Work:
    """Work without an end. `coroutine`: of its last call."""

    coroutine = None

    def __call__(self):
        self.coroutine = asyncio.Event().wait()
        return self.coroutine

    @property
    def has_ended(self):
        # Else the garbage collector reports a task that is pending, or was never awaited.
        return inspect.getcoroutinestate(self.coroutine) == inspect.CORO_CLOSED


async def at_work(start):
    start()
    await asyncio.sleep(0)


async def at_a_cancellation(start):
    async def socket():
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        start()

    spawn(socket())
    await asyncio.sleep(0)


async def while_threads_end(start):
    may_end = threading.Event()

    def begin():
        start()
        asyncio.get_running_loop().call_soon(may_end.set)

    spawn(asyncio.sleep(0))
    # As in a slow query: the loop waits for it when everything else has ended.
    asyncio.get_running_loop().run_in_executor(None, may_end.wait)
    asyncio.get_running_loop().call_later(0.01, begin)


MOMENTS = pytest.mark.parametrize("moment", [at_work, at_a_cancellation, while_threads_end])


@MOMENTS
def test_task_ends_with_its_loop(moment):
    work = Work()
    asyncio.run(moment(lambda: spawn(work())))
    assert work.has_ended


@MOMENTS
def test_sweep_ends_with_its_loop(moment):
    work = Work()

    async def sweep():
        sweep = Sweep("node", Registry(), BulkClose(), before=work, interval=60.0, grace=None)
        await moment(sweep.hurry)

    asyncio.run(sweep())
    assert work.coroutine is None or work.has_ended
