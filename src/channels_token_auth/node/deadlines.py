"""The deadlines of all sockets of one event loop: one heap and one timer.

The heap uses the steady clock, so that setting the calendar back keeps no socket open. The two
clocks are compared once a second. If the calendar went ahead, because the machine was suspended or
the clock was set, all tokens expire sooner by the difference.
"""

import asyncio
from heapq import heapify, heappop, heappush
from itertools import count

from ..clock import Clock, clock
from ..loop_local import LoopLocal
from ..observability.error_log import log_error
from .member import Member

__all__ = ["Deadlines", "deadlines"]

PERIOD = 1.0
"""Seconds between two comparisons of the clocks, while any socket has a deadline."""

TOLERANCE = 0.5
"""Difference of the clocks, in seconds, that is ignored: NTP corrects a calendar by less."""


class Deadlines:
    """Calls `tick` of each socket when its deadline has come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[Member, float] = {}
        self._heap: list[tuple[float, int, Member]] = []
        self._count = count()
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = 0.0
        self._offset = 0.0

    def watch(self, member: Member, due: float | None) -> None:
        """Store the socket's next deadline, which is `due`, in place of the one stored before."""
        if due is None:
            if self._due.pop(member, None) and not self._due:
                self._arm()
        elif due != self._due.get(member):
            self._due[member] = due
            # The count makes entries with equal deadlines comparable: members have no order.
            heappush(self._heap, (due, next(self._count), member))
            if self._timer is None:
                # While no socket had a deadline, the clocks were not compared: an earlier jump of
                # the calendar does not concern this one.
                self._offset = self._clock.offset()
            # With LIMITS["IDLE"], each socket has a deadline, and nearly all are later than the
            # timer, which fires each second anyway. Cancelling and setting it costs more than that.
            if self._timer is None or due < self._fires_at:
                self._arm()
        # A heap cannot remove an entry in its middle. So stale entries stay in it, and `run` skips
        # them; rebuild the heap once they outnumber the current ones.
        if len(self._heap) > 2 * len(self._due) + 64:
            self._rebuild()

    def run(self) -> None:
        """Call `tick` of each socket whose deadline has passed."""
        self._timer = None
        # A calendar that was set back gives a negative number, which delays no expiry.
        ahead = self._clock.offset() - self._offset
        self._offset += ahead
        if ahead > TOLERANCE:
            self._jump(ahead)
        now = self._clock.steady()
        while self._heap and self._heap[0][0] <= now:
            due, _, member = heappop(self._heap)
            if self._due.get(member) == due:
                # First: `watch` ignores a deadline that is equal to the stored one.
                del self._due[member]
                self._tick(member)
        self._arm()

    def _tick(self, member: Member) -> None:
        """Call `tick`. Catch its errors, so that the other sockets' deadlines are still met."""
        try:
            member.tick()
            self.watch(member, member.next_tick)
        except Exception as error:  # noqa: BLE001 - a bug, wherever it is
            log_error("The deadline of a socket could not be handled.", error)

    def _jump(self, seconds: float) -> None:
        for member in self._due:
            member.jump(seconds)
        self._due = {each: due for each in self._due if (due := each.next_tick) is not None}
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(due, next(self._count), member) for member, due in self._due.items()]
        heapify(self._heap)

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._due:
            # Never longer than PERIOD, since `run` also compares the clocks.
            now = self._clock.steady()
            wait = min(max(self._heap[0][0] - now, 0.0), PERIOD)
            self._fires_at = now + wait
            self._timer = asyncio.get_running_loop().call_later(wait, self.run)
        else:
            self._heap.clear()  # all stale: they would keep closed sockets in memory


_deadlines: LoopLocal[Deadlines] = LoopLocal()


def deadlines() -> Deadlines:
    """Return the deadlines of the running event loop."""
    found = _deadlines.get()
    if found is None:
        _deadlines.set(found := Deadlines(clock))
    return found
