"""Opening handshakes begin in small portions, and in the order of their arrival."""

import asyncio
import math
import time

from channels_token_auth.limits import newcomers
from channels_token_auth.limits.newcomers import AT_ONCE, BEHIND, FULL, MAX_WAITING, Newcomers


class Line:
    """Handshakes that come at once. `begun`: their numbers, in the order in which they began."""

    def __init__(self, count, *, max_hold=math.inf):
        self.backlog = 0
        self.newcomers = Newcomers(lambda: self.backlog, max_hold=max_hold)
        self.begun = []
        self.tasks = [asyncio.create_task(self.come(number)) for number in range(count)]

    async def come(self, number):
        if not self.newcomers.may_begin():
            await self.newcomers.turn()
        self.begun.append(number)


async def a_turn():
    """Let the event loop run all that is ready."""
    await asyncio.sleep(0)


async def test_few_begin_at_once():
    line = Line(AT_ONCE)
    await a_turn()
    assert line.begun == [*range(AT_ONCE)]
    assert len(line.newcomers) == 0


async def test_no_turn_has_more_than_its_portion():
    line, before, most = Line(10 * AT_ONCE), 0, 0
    while len(line.begun) < 10 * AT_ONCE:
        await a_turn()
        most, before = max(most, len(line.begun) - before), len(line.begun)
    assert most == AT_ONCE


async def test_they_begin_in_the_order_of_their_arrival_also_those_that_come_later():
    line = Line(3 * AT_ONCE)
    await a_turn()
    line.tasks += [asyncio.create_task(line.come(number)) for number in range(100, 105)]
    await asyncio.gather(*line.tasks)
    assert line.begun == [*range(3 * AT_ONCE), *range(100, 105)]


async def test_one_that_is_cancelled_takes_no_place():
    line = Line(3 * AT_ONCE)
    await a_turn()
    assert len(line.newcomers) == 2 * AT_ONCE
    for task in line.tasks[AT_ONCE : 2 * AT_ONCE]:
        task.cancel()
    await asyncio.wait(line.tasks)
    assert line.begun == [*range(AT_ONCE), *range(2 * AT_ONCE, 3 * AT_ONCE)]
    assert len(line.newcomers) == 0


async def test_none_begins_while_the_verifications_are_behind():
    line = Line(2 * AT_ONCE)
    await a_turn()
    line.backlog = FULL
    await a_turn()
    line.tasks += [asyncio.create_task(line.come(number)) for number in range(100, 105)]
    for _ in range(5):
        await a_turn()
    assert line.begun == [*range(AT_ONCE)]
    line.backlog = 0
    await asyncio.gather(*line.tasks)
    assert line.begun == [*range(2 * AT_ONCE), *range(100, 105)]


async def test_more_begin_while_the_event_loop_has_nothing_else_to_do(monkeypatch):
    monkeypatch.setattr(newcomers, "PAUSE", 0.2)  # a busy machine is late by milliseconds
    line = Line(2 * AT_ONCE)
    await a_turn()
    line.backlog = FULL - 1
    async with asyncio.timeout(60):
        await asyncio.gather(*line.tasks)
    assert line.begun == [*range(2 * AT_ONCE)]


async def test_few_begin_while_a_busy_event_loop_is_behind():
    line = Line(2 * AT_ONCE)
    await a_turn()
    line.backlog = BEHIND
    for _ in range(20):
        time.sleep(0.005)  # noqa: ASYNC251 - each turn of the event loop takes long
        await a_turn()
    assert line.begun == [*range(AT_ONCE)]
    line.backlog = BEHIND - 1
    await asyncio.gather(*line.tasks)
    assert line.begun == [*range(2 * AT_ONCE)]


async def turns_that_take_long(count):
    """Let the event loop run with other work in each turn: no look at the line is in time."""
    for _ in range(count):
        time.sleep(0.005)  # noqa: ASYNC251 - as the frames of many connected users do
        await a_turn()


async def test_none_of_those_that_wait_begins_while_the_event_loop_is_busy(monkeypatch):
    monkeypatch.setattr(newcomers, "MAX_YIELD", math.inf)
    line = Line(2 * AT_ONCE)
    await turns_that_take_long(20)
    assert line.begun == [*range(AT_ONCE)]
    monkeypatch.setattr(newcomers, "PAUSE", 0.2)  # a busy machine is late by milliseconds
    await asyncio.gather(*line.tasks)
    assert line.begun == [*range(2 * AT_ONCE)]


async def test_next_portion_begins_after_a_while_though_the_event_loop_is_busy():
    line, before, most = Line(3 * AT_ONCE), 0, 0
    while len(line.begun) < 3 * AT_ONCE:
        await turns_that_take_long(1)
        most, before = max(most, len(line.begun) - before), len(line.begun)
    assert most == AT_ONCE


async def test_first_of_a_turn_waits_too_while_the_verifications_are_behind():
    line = Line(1)
    await asyncio.gather(*line.tasks)
    await a_turn()
    line.backlog = FULL
    line.tasks.append(asyncio.create_task(line.come(1)))
    await a_turn()
    assert (line.begun, len(line.newcomers)) == ([0], 1)
    line.backlog = 0
    await asyncio.gather(*line.tasks)
    assert line.begun == [0, 1]


async def test_verifications_that_hang_hold_no_line_for_longer():
    line = Line(3 * AT_ONCE, max_hold=0.01)
    line.backlog = FULL
    await asyncio.gather(*line.tasks)
    assert line.begun == [*range(3 * AT_ONCE)]


async def test_turn_returns_how_long_it_took():
    newcomers = Line(0).newcomers
    while newcomers.may_begin():
        pass
    assert 0 <= await newcomers.turn() < 60


async def test_full_line_lets_no_other_wait_until_it_is_shorter():
    line = Line(AT_ONCE + MAX_WAITING)
    await a_turn()
    assert len(line.newcomers) == MAX_WAITING
    assert await line.newcomers.turn() == math.inf
    while len(line.newcomers) == MAX_WAITING:
        await a_turn()
    assert 0 <= await line.newcomers.turn() < math.inf
    await asyncio.gather(*line.tasks)


async def test_nothing_runs_when_nobody_comes():
    newcomers, loop = Line(0).newcomers, asyncio.get_running_loop()
    newcomers.may_begin()
    scheduled = []
    for _ in range(3):
        await a_turn()
    call_soon, loop.call_soon = loop.call_soon, lambda *args, **_: scheduled.append(args)
    try:
        assert scheduled == []
        assert newcomers.may_begin()
        assert len(scheduled) == 1
    finally:
        loop.call_soon = call_soon
