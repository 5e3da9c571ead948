"""Process one batch of a lane, and return the answers to the event loops of the callers."""

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections

from ...core.identity import unavailable
from ...loop_local import LoopLocal
from ...observability.error_log import log_error
from ...observability.events import BatchVerified, emit
from .errand import Errand, Onward, Reply, Work

__all__ = ["IN_ONE_TURN", "deliver", "release_connections", "unanswered", "work_off"]

IN_ONE_TURN = 8
"""Most answers in one turn of an event loop, of all batches together. Each starts an application,
and more of them would delay the frames of connected users."""

Answers = list[tuple[Errand, Any]]
"""Errands with their answers; None: no caller waits any more, so that nothing was done."""

_waiting: LoopLocal[deque[tuple[Reply, Any]]] = LoopLocal()
"""The answers that wait for their turn in each event loop."""


def work_off(batch: Sequence[Errand], send_on: Callable[[Errand], bool]) -> Answers:
    """Do the work of a batch. Return the answers, except of errands that go on in another lane.

    `send_on` puts an errand into the lane of its next step, and returns False if that is full.
    """
    by_work: dict[Work, list[Errand]] = defaultdict(list)
    for errand in batch:
        by_work[errand.step.work].append(errand)
    answered: Answers = []
    for work, errands in by_work.items():
        for errand, answer in zip(errands, _timed(work, errands), strict=True):
            if not isinstance(answer, Onward):
                answered.append((errand, answer))
                continue
            errand.step = answer
            if not send_on(errand):
                answered.append((errand, unavailable()))
    return answered


def _timed(work: Work, errands: Sequence[Errand]) -> Sequence[Any]:
    began_at = time.monotonic()
    answers = _answers(work, [errand.step.item for errand in errands])
    if BatchVerified.is_wanted():
        emit(BatchVerified(size=len(errands), seconds=time.monotonic() - began_at))
    return answers


def _answers(work: Work, items: Sequence[Any]) -> Sequence[Any]:
    """Do the work, and return an answer for each item. Raises nothing, so the thread goes on."""
    try:
        answers = work(items)
        if len(answers) == len(items):
            return answers
        problem: BaseException = TypeError(f"{len(answers)} answers to {len(items)} items.")
    # SystemExit too: a call of sys.exit() in a site's code must not end the library's thread.
    except BaseException as error:  # noqa: BLE001 - of a backend or a site's code
        problem = error
    log_error("Verification failed: answered unavailable.", problem, about=items, often=True)
    return [unavailable() for _ in items]


def deliver(answered: Answers) -> None:
    """Call each errand's `reply` in its event loop. Any thread may call this."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Reply, Any]]] = defaultdict(list)
    for errand, answer in answered:
        by_loop[errand.loop].append((errand.reply, answer))
    for loop, replies in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed, with its callers
            # One call for all: each is a system call.
            loop.call_soon_threadsafe(_reply, loop, replies)


def _reply(loop: asyncio.AbstractEventLoop, replies: Sequence[tuple[Reply, Any]]) -> None:
    """Pass on the answers in portions: each wakes a handshake, which runs in the next turn."""
    waiting = _waiting.get()
    if waiting is None:
        waiting = deque[tuple[Reply, Any]]()
        _waiting.set(waiting)
    is_running = bool(waiting)
    waiting.extend(replies)
    # One portion in a turn, of all batches together: a batch may end while another one is answered.
    if not is_running:
        _pass_on(loop, waiting)


def _pass_on(loop: asyncio.AbstractEventLoop, waiting: "deque[tuple[Reply, Any]]") -> None:
    portion = [waiting.popleft() for _ in range(min(IN_ONE_TURN, len(waiting)))]
    if waiting:
        loop.call_soon(_pass_on, loop, waiting)
    for reply, answer in portion:
        try:
            reply(answer)
        except Exception as error:  # noqa: BLE001 - go on with the other replies
            log_error("A verification could not be answered.", error, often=True)


def unanswered() -> int:
    """Return how many answers wait for their turn in this event loop."""
    return len(_waiting.get() or ())


def release_connections() -> None:
    """Return connections to their pool, if there is one, for other threads of the process.

    Without a pool they stay open: connecting for each batch would take longer than the batch.
    """
    for connection in connections.all(initialized_only=True):
        try:
            if connection.connection is not None and getattr(connection, "pool", None) is not None:
                connection.close()
        # A pool that was closed and built anew, for example, refuses connections of the old one.
        # The batch has its answers already: they must reach their callers.
        except Exception as error:  # noqa: BLE001 - whatever a driver raises
            log_error("A connection could not be returned to its pool.", error, brief=True)
