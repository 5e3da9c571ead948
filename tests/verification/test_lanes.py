"""Lanes: a thread and a bounded queue for each service that may be slow."""

import asyncio
import logging
import os
import threading

import pytest
from django.db import connections

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.observability.events import QueueMeasured, QueueOverflowed, subscribe
from channels_token_auth.verification.lanes import (
    ROWS,
    LaneId,
    Lanes,
    Onward,
    cache_lane,
    run_here,
    sweep_lane,
)
from channels_token_auth.verification.lanes import lane as lane_module
from channels_token_auth.verification.lanes import lane_id as lane_id_module
from channels_token_auth.verification.lanes.batch import IN_ONE_TURN
from channels_token_auth.verification.lanes.hanging import MAX_HANGING, MAX_REMOTE
from channels_token_auth.verification.lanes.pace import MAX_BATCH

from .gate import Gate, until

SLOW = LaneId(name="slow", is_remote=True)


def start(lanes, work, item, lane=ROWS, **values):
    """Ask, and return the answer to come."""
    answered = asyncio.get_running_loop().create_future()
    step = Onward(lane, work, item)
    lanes.ask(step, lambda answer: answered.done() or answered.set_result(answer), **values)
    return answered


async def ask(lanes, work, item, lane=ROWS):
    return await start(lanes, work, item, lane)


def names(items):
    return [threading.current_thread().name for _ in items]


# -- Threads


async def test_each_lane_has_one_thread_of_its_own(lanes):
    used = [await ask(lanes, names, 1, each) for each in (ROWS, SLOW, cache_lane("default"))]
    assert used == [f"channels-token-auth {name}" for name in ("rows", "slow", "cache")]
    assert await ask(lanes, names, 2) == used[0]


async def test_thread_starts_with_the_first_work_and_ends_when_idle(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(connections, "close_all", ended.set)
    lanes = Lanes(idle_seconds=0.01)
    assert not lanes.lane(ROWS).is_running
    await ask(lanes, list, 1)
    await until(ended)
    assert not lanes.lane(ROWS).is_running
    assert await ask(lanes, list, 2) == 2
    lanes.end()


async def test_idle_thread_closes_its_database_connection(transactional_db):
    lanes = Lanes(idle_seconds=0.01)
    opened = []

    def query(items):
        connections["default"].ensure_connection()
        opened.append(connections["default"])
        return items

    await ask(lanes, query, 1)
    lanes.end()
    assert opened[0].connection is None


@pytest.mark.asvs("15.4.4")
async def test_work_that_hangs_holds_up_no_other_lane(lanes):
    gate = Gate()
    hung = start(lanes, gate, 1, SLOW)
    await until(gate.entered)
    assert await ask(lanes, list, 2) == 2
    assert await ask(lanes, list, 3, sweep_lane(SLOW)) == 3
    gate.opened.set()
    assert await hung == 1


def test_any_number_of_event_loops_may_ask(lanes):
    for item in (1, 2):
        assert asyncio.run(ask(lanes, list, item)) == item


def test_loop_that_closed_meanwhile_does_not_stop_the_thread(lanes):
    gate = Gate()

    async def leave():
        start(lanes, gate, 1)
        await until(gate.entered)

    asyncio.run(leave())
    gate.opened.set()
    assert asyncio.run(ask(lanes, list, 2)) == 2


@pytest.mark.parametrize(
    ("lane", "count"), [(ROWS, 5), (cache_lane("default"), 5), (SLOW, 0), (sweep_lane(ROWS), 0)]
)
async def test_backlog_is_the_longest_queue_for_this_process(lanes, lane, count):
    gate = Gate()
    assert lanes.backlog() == 0
    waiting = [start(lanes, gate, 0, lane)]
    await until(gate.entered)
    waiting += [start(lanes, gate, number, lane) for number in range(5)]
    assert lanes.backlog() == count
    gate.opened.set()
    await asyncio.gather(*waiting)
    assert lanes.backlog() == 0


async def test_answers_of_a_batch_are_spread_over_several_turns_in_their_order(lanes):
    gate, answers, most = Gate(), [], 0
    first = start(lanes, gate, 0)
    await until(gate.entered)
    for number in range(MAX_BATCH):
        lanes.ask(Onward(ROWS, gate, number), answers.append)
    gate.opened.set()
    await first
    while len(answers) < MAX_BATCH:
        before = len(answers)
        await asyncio.sleep(0)
        most = max(most, len(answers) - before)
    assert answers == [*range(MAX_BATCH)]
    assert most == IN_ONE_TURN


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
async def test_forked_child_has_threads_of_its_own():
    from channels_token_auth.verification.lanes import lanes  # noqa: PLC0415 - the process's own

    assert await ask(lanes, list, 1) == 1
    child = os.fork()
    if not child:  # pragma: no cover - measured in the parent only
        asyncio.set_event_loop(None)
        asyncio.events._set_running_loop(None)
        os._exit(asyncio.run(ask(lanes, list, 7)))
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    lanes.end()


async def test_lane_recovers_after_its_thread_could_not_be_started(lanes, monkeypatch, caplog):
    lane_module.throttle.reset()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_more_threads)
        assert (await ask(lanes, list, 1)).code is CloseReason.UNAVAILABLE
        assert lanes.backlog() == 0
    # One line names the cause: no warning of a flood, which there is not.
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    async with asyncio.timeout(60):
        assert await ask(lanes, list, 2) == 2


async def test_full_lane_recovers_after_its_thread_could_not_be_replaced(lanes, monkeypatch):
    monkeypatch.setattr(lane_module, "MAX_QUEUED", 1)
    gate = Gate()
    start(lanes, gate, 1)
    await until(gate.entered)
    waiting = start(lanes, list, 2)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_more_threads)
        lanes.lane(ROWS).relieve(after=0)
    start(lanes, list, 3)  # refused, but it starts the thread
    async with asyncio.timeout(60):
        assert await waiting == 2
    gate.opened.set()


def _no_more_threads(_):
    raise RuntimeError("can't start new thread")


class Foreign:
    """A connection that its pool refuses, because it comes from another pool."""

    def __init__(self):
        self.pool = self.connection = object()

    def close(self):
        is_open, self.connection = self.connection is not None, None
        if is_open:
            raise ValueError


async def test_answers_arrive_although_a_pool_refuses_its_connection(lanes):
    def query(items):
        connections["default"] = Foreign()  # in this thread only
        return items

    async with asyncio.timeout(60):
        assert await ask(lanes, query, 1) == 1
        assert await ask(lanes, list, 2) == 2


# -- Threads that hang


async def hang_in(lanes, lane, number):
    """Hang threads of a lane, each relieved. Return the function that lets them go on."""
    gates = [Gate() for _ in range(number)]
    for gate in gates:
        errand = lanes.ask(Onward(lane, gate, 1), lambda answer: None)
        if not await asyncio.to_thread(gate.entered.wait, 0.05):
            break  # the thread before it could not be relieved
        lanes.relieve(errand, after=0.0)
    return lambda: [gate.opened.set() for gate in gates]


@pytest.mark.asvs("15.4.4")
async def test_hanging_threads_are_bounded_over_all_lanes(lanes):
    before = set(threading.enumerate())
    let_go = [await hang_in(lanes, lane, 4) for lane in (ROWS, cache_lane("default"))]
    started = [each.name for each in set(threading.enumerate()) - before]
    number = sum(name.startswith("channels-token-auth ") for name in started)
    assert number <= MAX_HANGING + 2  # and the threads of the two lanes
    for each in let_go:
        each()


async def test_hanging_threads_of_remote_services_leave_room_for_the_others(lanes):
    let_go = [
        await hang_in(lanes, LaneId(name=str(n), is_remote=True), MAX_REMOTE + 1) for n in (1, 2)
    ]
    gate = Gate()
    errand = lanes.ask(Onward(ROWS, gate, 1), lambda answer: None)
    await until(gate.entered)
    lanes.relieve(errand, after=0.0)
    assert await ask(lanes, list, 2) == 2
    gate.opened.set()
    for each in let_go:
        each()


async def test_what_waits_behind_a_relieved_thread_is_served_by_a_fresh_one(lanes):
    gate = Gate()
    errand = lanes.ask(Onward(ROWS, gate, 1), lambda answer: None)
    await until(gate.entered)
    waiting = start(lanes, list, 2)
    lanes.relieve(errand, after=0.0)
    assert await waiting == 2
    gate.opened.set()


async def test_thread_that_is_not_at_fault_is_not_relieved(lanes):
    errand = lanes.ask(Onward(ROWS, list, 1), lambda answer: None)
    thread = await ask(lanes, lambda items: [threading.get_ident() for _ in items], 1)
    lanes.relieve(errand, after=0.05)
    assert await ask(lanes, lambda items: [threading.get_ident() for _ in items], 1) == thread


# -- Queues


@pytest.fixture
def gate(lanes):
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.mark.asvs("15.2.2")
async def test_full_queue_is_unavailable_at_once_and_logged_once(lanes, gate, monkeypatch, caplog):
    monkeypatch.setattr(lane_module, "MAX_QUEUED", 2)
    overflowed = []
    unsubscribe = subscribe(QueueOverflowed, overflowed.append)
    start(lanes, gate, 1)
    await until(gate.entered)
    waiting = [start(lanes, list, item) for item in (2, 3)]
    refused = [await ask(lanes, list, 4) for _ in range(3)]
    assert {each.code for each in refused} == {CloseReason.UNAVAILABLE}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert [(each.lane, each.refused) for each in overflowed] == [("rows", 1)] * 3
    gate.opened.set()
    assert [await each for each in waiting] == [2, 3]
    unsubscribe()


async def test_work_that_nobody_waits_for_is_dropped_before_it_begins(lanes, gate):
    done = []

    def note(items):
        done.extend(items)
        return items

    start(lanes, gate, 1)
    await until(gate.entered)
    dropped = start(lanes, note, "gone", is_wanted=lambda: False)
    served = start(lanes, note, "here")
    gate.opened.set()
    assert (await served, await dropped, done) == ("here", None, ["here"])


async def test_verification_waits_for_a_remote_service_no_longer_than_the_bound(
    lanes, gate, monkeypatch, caplog
):
    start(lanes, gate, 1)
    other = Gate()
    start(lanes, other, 1, SLOW)
    await asyncio.gather(until(gate.entered), until(other.entered))
    monkeypatch.setattr(lane_id_module, "MAX_WAIT", 0.0)  # not before: `other` may not be late
    late, local = start(lanes, list, 2, SLOW), start(lanes, list, 2)
    gate.opened.set()
    other.opened.set()
    assert (await late).code is CloseReason.UNAVAILABLE
    assert await local == 2
    async with asyncio.timeout(60):  # its thread logs after the answers
        while "slow" not in caplog.text:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)


async def test_queue_lengths_are_reported_by_lane(lanes, gate):
    measured = []
    unsubscribe = subscribe(QueueMeasured, measured.append)
    start(lanes, gate, 1)
    await until(gate.entered)
    waiting = [start(lanes, list, item) for item in (2, 3)]
    assert lanes.lengths() == {"rows": 2}
    gate.opened.set()
    await asyncio.gather(*waiting)
    assert lanes.lengths() == {"rows": 0}
    lanes.end()
    assert [(each.lane, each.length) for each in measured][:1] == [("rows", 2)]
    unsubscribe()


async def test_answers_of_a_batch_wake_their_loop_once(lanes, gate, monkeypatch):
    loop = asyncio.get_running_loop()
    woken = []
    wake = loop.call_soon_threadsafe
    monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *a: woken.append(a) or wake(*a))
    first = start(lanes, gate, 0)
    while not gate.entered.is_set():  # noqa: ASYNC110 - a thread's end would wake the loop too
        await asyncio.sleep(0.001)
    others = [start(lanes, list, i) for i in range(1, 5)]
    gate.opened.set()
    assert await asyncio.gather(first, *others) == [0, 1, 2, 3, 4]
    assert len(woken) == 2


# -- From lane to lane


async def test_step_that_leads_on_is_answered_by_the_last_lane(lanes):
    def lead_on(items):
        return [Onward(SLOW, names, item) for item in items]

    assert await ask(lanes, lead_on, 1) == "channels-token-auth slow"


async def test_step_into_a_full_lane_is_unavailable(lanes, gate, monkeypatch):
    monkeypatch.setattr(lane_module, "MAX_QUEUED", 1)
    start(lanes, gate, 1, SLOW)
    await until(gate.entered)
    start(lanes, list, 2, SLOW)
    answer = await ask(lanes, lambda items: [Onward(SLOW, list, item) for item in items], 3)
    assert answer.code is CloseReason.UNAVAILABLE


def test_all_lanes_can_be_worked_off_in_the_callers_thread():
    batches = []

    def double(items):
        batches.append(list(items))
        return [2 * item for item in items]

    def lead_on(items):
        return [Onward(SLOW, double, item) for item in items]

    assert run_here([Onward(ROWS, lead_on, 1), 7, Onward(ROWS, double, 3)]) == [2, 7, 6]
    assert sorted(batches) == [[1], [3]]
