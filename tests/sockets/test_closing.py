"""Many sockets are closed before the application of any of them hears of it."""

import asyncio
import weakref

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node import bulk_close
from channels_token_auth.node.bulk_close import BulkClose

ENDING = Revocation(target=Target(user_id="1"), code=CloseReason.TOKEN_REVOKED)


class Socket:
    """Its application waits for its turn, and leaves."""

    user_id = "1"
    token_id = backend = connection_id = address = issued_at = None

    def __init__(self, work, said):
        self.work, self.said = work, said

    def close(self, code):
        assert code is CloseReason.TOKEN_REVOKED
        self.said.append("closed")
        self.task = asyncio.create_task(self._leave())

    async def _leave(self):
        await self.work.turn()
        self.said.append("left")


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch):
    monkeypatch.setattr(bulk_close, "SLICE", 2)


def make(count):
    work, said = BulkClose(), []
    return work, said, [Socket(work, said) for _ in range(count)]


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)


async def test_all_are_closed_before_one_application_goes_on():
    work, said, sockets = make(7)
    work.close(sockets, ENDING)
    await until(lambda: len(said) == 14)
    assert said == ["closed"] * 7 + ["left"] * 7


async def test_few_wait_for_nobody():
    work, said, sockets = make(2)
    work.close(sockets, ENDING)
    assert said == ["closed"] * 2
    await asyncio.sleep(0)
    assert said == ["closed"] * 2 + ["left"] * 2


async def test_two_at_a_time_wait_for_both():
    work, said, sockets = make(10)
    work.close(sockets[:3], ENDING)
    work.close(sockets[3:], ENDING)
    await until(lambda: len(said) == 20)
    assert said == ["closed"] * 10 + ["left"] * 10


async def test_application_that_is_cancelled_holds_up_no_other():
    work, said, sockets = make(5)
    first = sockets[-1]
    work.close(sockets, ENDING)
    await until(lambda: work._waiting)
    first.task.cancel()
    await until(lambda: len(said) == 9)
    assert first.task.cancelled()


async def test_each_turn_of_the_event_loop_is_short():
    work, said, sockets = make(9)
    work.close(sockets, ENDING)
    seen = set()
    while len(said) < 18:
        before = len(said)
        await asyncio.sleep(0)
        seen.add(len(said) - before)
    assert max(seen) <= 4


class Gone(Socket):
    """Its application is done at once."""

    def close(self, _code):
        pass


async def test_socket_that_is_closed_is_not_kept_for_the_others():
    work = BulkClose()
    sockets = [Gone(work, []) for _ in range(6)]
    kept = [weakref.ref(each) for each in sockets]
    work.close(sockets, ENDING)
    counts = set()
    while sockets:
        await asyncio.sleep(0)
        counts.add(sum(reference() is not None for reference in kept))
    assert counts == {4, 2, 0}
