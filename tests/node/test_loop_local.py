"""Each event loop has its own value, which goes when the loop is closed; a fork has none."""

import asyncio
import os

from channels_token_auth.loop_local import LoopLocal
from tests.memory import kept_by


def test_each_loop_has_its_own_value():
    values = LoopLocal()

    async def use(value):
        before = values.get()
        values.set(value)
        return before, values.get(), len(values)

    with asyncio.Runner() as first, asyncio.Runner() as second:
        assert first.run(use(1)) == (None, 1, 1)
        assert second.run(use(2)) == (None, 2, 2)
        assert first.run(use(3)) == (1, 3, 2)
        assert sorted(value for _, value in values) == [2, 3]
    assert len(values) == 0


def test_closed_loop_is_dropped_when_another_sets_a_value():
    values = LoopLocal()

    async def use():
        values.set(asyncio.get_running_loop())  # a value that holds its loop

    asyncio.run(use())
    assert len(kept_by(values, asyncio.AbstractEventLoop)) == 1
    asyncio.run(use())
    assert len(kept_by(values, asyncio.AbstractEventLoop)) == 1


def test_fork_has_none():
    values = LoopLocal()

    async def fork():
        values.set("a value")
        pid = os.fork()
        if pid == 0:
            os._exit("a value" in kept_by(values, str))
        return os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, pid, 0))[1])

    assert asyncio.run(fork()) == 0
