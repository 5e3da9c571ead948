"""When sockets have to be looked at: one heap and one timer for each event loop.

The heap runs on a clock that never goes back, so a calendar set back keeps no socket alive. Once a
second it is compared with the calendar: where that went ahead (a machine that slept, a clock that
was set), tokens expire by so much sooner.
"""

import asyncio
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol
from weakref import WeakKeyDictionary

from ..clock import Clock, clock

__all__ = ["Deadlines", "Watched", "deadlines"]

PERIOD = 1.0
"""Seconds between two looks at the calendar while anything has a deadline."""

TOLERANCE = 0.5
"""Seconds that the calendar may differ from the clock: less is how clocks are kept right."""


class Watched(Protocol):
    """What has a deadline."""

    @property
    def next_tick(self) -> float | None:
        """When it wants to be looked at, on the steady clock."""

    def tick(self) -> None:
        """Look now."""

    def jump(self, seconds: float) -> None:
        """The calendar went ahead by so much."""


class Deadlines:
    """The sockets of one event loop that have a deadline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Watched, float] = {}
        self._heap: list[tuple[float, int, Watched]] = []
        self._count = count()
        self._timer: asyncio.TimerHandle | None = None
        self._offset = 0.0

    def watch(self, watched: Watched) -> None:
        """Note when it has to be looked at next, in the place of what was noted before."""
        due = watched.next_tick
        if due is None:
            if self._due.pop(watched, None) and not self._due:
                self._arm()
        elif due != self._due.get(watched):
            self._due[watched] = due
            heappush(self._heap, (due, next(self._count), watched))
            if self._timer is None:
                self._offset = self._clock.offset()
            self._arm()
        # What is noted no more stays in the heap, until it is most of it.
        if len(self._heap) > 2 * len(self._due) + 64:
            self._rebuild()

    def run(self) -> None:
        """Look at everything that is due."""
        self._timer = None
        ahead = self._clock.offset() - self._offset
        self._offset += ahead
        if ahead > TOLERANCE:
            self._jump(ahead)
        now = self._clock.steady()
        while self._heap and self._heap[0][0] <= now:
            due, _, watched = heappop(self._heap)
            if self._due.get(watched) == due:
                del self._due[watched]
                watched.tick()
                self.watch(watched)
        self._arm()

    def _jump(self, seconds: float) -> None:
        for watched in self._due:
            watched.jump(seconds)
        self._due = {w: due for w in self._due if (due := w.next_tick) is not None}
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(due, next(self._count), watched) for watched, due in self._due.items()]
        heapify(self._heap)

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait = min(max(self._heap[0][0] - self._clock.steady(), 0.0), PERIOD)
            self._timer = asyncio.get_running_loop().call_later(wait, self.run)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines] = WeakKeyDictionary()


def deadlines() -> Deadlines:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = Deadlines(clock)
    return _by_loop[loop]
