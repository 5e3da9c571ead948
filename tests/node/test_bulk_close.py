"""Many sockets are closed before the application of any of them ends."""

import asyncio
import weakref

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.node import bulk_close
from channels_token_auth.node.bulk_close import BulkClose
from tests.memory import kept_by
from tests.node.members import FakeMember

REVOKED = CloseReason.TOKEN_REVOKED


class Socket(FakeMember):
    """Its application waits for its turn, and leaves."""

    def __init__(self, work, said):
        super().__init__()
        self.work, self.said = work, said

    def close(self, code):
        super().close(code)
        self.said.append("closed")
        self.task = asyncio.create_task(self._leave())

    async def _leave(self):
        if turn := self.work.turn():
            await turn
        self.said.append("left")


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch):
    monkeypatch.setattr(bulk_close, "SLICE", 2)


def make(count):
    work, said = BulkClose(), []
    return work, said, [Socket(work, said) for _ in range(count)]


def close(work, sockets, **options):
    work.close(sockets, REVOKED, cause="revocation", **options)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)


async def test_all_are_closed_before_one_application_goes_on():
    work, said, sockets = make(7)
    close(work, sockets)
    await until(lambda: len(said) == 14)
    assert said == ["closed"] * 7 + ["left"] * 7


async def test_few_wait_for_nobody():
    work, said, sockets = make(2)
    close(work, sockets)
    assert said == ["closed"] * 2
    await asyncio.sleep(0)
    assert said == ["closed"] * 2 + ["left"] * 2


async def test_two_at_a_time_wait_for_both():
    work, said, sockets = make(10)
    close(work, sockets[:3])
    close(work, sockets[3:])
    await until(lambda: len(said) == 20)
    assert said == ["closed"] * 10 + ["left"] * 10


async def test_application_that_is_cancelled_holds_up_no_other():
    work, said, sockets = make(5)
    first = sockets[-1]
    close(work, sockets)
    await until(lambda: kept_by(work, asyncio.Future))
    first.task.cancel()
    await until(lambda: len(said) == 9)
    assert first.task.cancelled()


async def test_each_turn_of_the_event_loop_is_short():
    work, said, sockets = make(9)
    close(work, sockets)
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
    close(work, sockets)
    counts = set()
    while sockets:
        await asyncio.sleep(0)
        counts.add(sum(reference() is not None for reference in kept))
    assert counts == {4, 2, 0}


async def test_socket_with_another_token_by_then_stays_open():
    work, _, sockets = make(5)
    stays = sockets[0]
    counts = []
    close(work, list(sockets), only_if=lambda each: each is not stays, done=counts.append)
    await until(lambda: sum(counts) == 4)
    assert [each.code for each in sockets] == [None, *[REVOKED] * 4]


async def test_socket_that_cannot_be_closed_spares_no_other(caplog):
    class Broken(Socket):
        def close(self, code):
            raise RuntimeError("broken")

    work, said, sockets = make(4)
    close(work, [sockets[0], Broken(work, said), *sockets[1:]])
    await until(lambda: len(said) == 8)
    assert {each.code for each in sockets} == {REVOKED}
    assert [each.levelname for each in caplog.records] == ["ERROR"]
