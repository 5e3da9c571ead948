"""Run work after the present turn of the event loop, all work of a turn in a row.

Nothing is lost: a loop that ends in the usual way runs it before, and a process that ends runs what
is left. Only a process that is killed in the middle of a turn loses the work of that turn.
"""

import atexit
from asyncio import AbstractEventLoop, get_running_loop
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

from ..loop_local import LoopLocal, at_fork

__all__ = ["finish_turn", "is_turn_unfinished", "run_after_turn"]


class _Turn:
    """The work of one event loop that is left for the end of its turn."""

    __slots__ = ("_loop", "is_due", "work")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self.is_due = False
        # Each with its context: a filter or a tracer of the site may take the id of a request from
        # there, which must not be that of another socket.
        self.work: deque[tuple[Context, Callable[[Any], None], Any]] = deque()

    def begin(self) -> None:
        self.is_due = True
        _unfinished.add(self)
        self._loop.call_soon(self.finish)

    def finish(self) -> None:
        self.is_due = False
        work = self.work
        while work:
            context, call, argument = work.popleft()
            context.run(call, argument)
        _unfinished.discard(self)

    def drop(self) -> None:
        self.work.clear()


_turns: LoopLocal[_Turn] = LoopLocal()
_unfinished: set[_Turn] = set()
"""Turns with work left: also of loops that were closed without having run all their callbacks."""


def run_after_turn(call: Callable[[Any], None], argument: Any) -> None:
    """Call `call(argument)` after this turn of the event loop; without a loop, at once."""
    try:
        turn = _turns.get()
    except RuntimeError:  # no event loop runs in this thread
        call(argument)
        return
    if turn is None:
        _turns.set(turn := _Turn(get_running_loop()))
    turn.work.append((copy_context(), call, argument))
    if not turn.is_due:
        turn.begin()


def is_turn_unfinished() -> bool:
    """Return whether some loop of this process has work left. Cheap."""
    return bool(_unfinished)


def finish_turn() -> None:
    """Do now what is left for the end of this turn of the running event loop, if one runs."""
    try:
        turn = _turns.get()
    except RuntimeError:
        return
    if turn is not None:
        turn.finish()


def _finish_all() -> None:
    for each in list(_unfinished):
        each.finish()


def _drop_all() -> None:
    while _unfinished:
        _unfinished.pop().drop()


# Before `logging` closes its handlers: it was imported earlier, and `atexit` calls the last first.
atexit.register(_finish_all)
# The parent does its own work. A child that did it too would write each record twice.
at_fork(after_in_child=_drop_all)
