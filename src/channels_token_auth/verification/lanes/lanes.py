"""The lanes of one process, created on first use."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from ...core.identity import unavailable
from ...loop_local import at_fork
from ...observability.events import QueueOverflowed, emit
from ...observability.throttle import Throttle
from .batch import deliver, unanswered
from .errand import Errand, Onward, Reply
from .hanging import Hanging
from .lane import IDLE_SECONDS, Lane
from .lane_id import LaneId

__all__ = ["Lanes", "lanes"]

END_SECONDS = 5.0
"""Seconds that `end` waits for a thread that may hang."""

logger = logging.getLogger("channels_token_auth")


class Lanes:
    """All lanes of a process. Any event loop may use them."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lanes: dict[LaneId, Lane] = {}
        self._local: tuple[Lane, ...] = ()
        self._lock = threading.Lock()
        self._hanging = Hanging()
        self._throttle = Throttle()

    def ask(
        self, step: Onward, reply: Reply, *, is_wanted: Callable[[], bool] = lambda: True
    ) -> Errand:
        """Have `reply` called in this event loop with the answer to the step's item.

        The answer is None if the errand was dropped, because `is_wanted` had returned False.
        """
        errand = Errand(
            loop=asyncio.get_running_loop(), reply=reply, is_wanted=is_wanted, step=step
        )
        if not self._send(errand):
            deliver([(errand, unavailable())])
        return errand

    def relieve(self, errand: Errand, *, after: float) -> None:
        """Replace the thread of the errand's lane, if its batch has taken `after` seconds."""
        self.lane(errand.step.lane).relieve(after=after)

    def lengths(self) -> Mapping[str, int]:
        """Return the number of errands that wait, by the name of their lane."""
        lengths: Counter[str] = Counter()
        for lane in list(self._lanes.values()):
            lengths[lane.id.name] += len(lane)
        return lengths

    def backlog(self) -> int:
        """Return how many errands wait in the longest queue whose work is done by this process, and
        how many answers wait for their turn in this event loop.

        Those of a remote service do not count: waiting for it costs this process nothing.
        """
        return max((len(lane) for lane in self._local), default=0) + unanswered()

    def lane(self, lane_id: LaneId) -> Lane:
        """Return the lane with this id."""
        # Without the lock, since nearly always it exists: reading a dictionary is atomic.
        lane = self._lanes.get(lane_id)
        if lane is None:
            with self._lock:
                # Another thread may have built the lane meanwhile: `setdefault` keeps the first.
                lane = self._lanes.setdefault(lane_id, self._build(lane_id))
                if not (lane_id.is_remote or lane_id.is_sweep or lane in self._local):
                    self._local += (lane,)
        return lane

    def end(self) -> None:
        """Wait until all threads have ended, and with them their database connections.

        For tests, which delete their database next. Later errands start new threads.
        """
        # All are ended first, and joined then: they finish at the same time.
        threads = [lane.end() for lane in list(self._lanes.values())]
        for thread in (*threads, *self._hanging.threads()):
            if thread:
                thread.join(END_SECONDS)

    def _build(self, lane_id: LaneId) -> Lane:
        return Lane(
            lane_id,
            self._hanging,
            send_on=self._send,
            complain=self._complain,
            idle_seconds=self._idle_seconds,
        )

    def _send(self, errand: Errand) -> bool:
        lane = self.lane(errand.step.lane)
        if lane.put(errand):
            return True
        self._complain(lane, 1)
        return False

    def _complain(self, lane: Lane, refused: int) -> None:
        if QueueOverflowed.is_wanted():
            emit(QueueOverflowed(lane=lane.id.name, refused=refused))
        # A lane whose thread could not start has logged that, and has no flood of tokens.
        if lane.is_running and self._throttle.allows(lane.id):
            logger.warning(
                "More tokens arrive than the lane %r verifies (%s wait): some are answered"
                " unavailable. Look for a flood of handshakes, or a slow service of the lane.",
                lane.id.name,
                len(lane),
            )


lanes = Lanes()
# A forked child inherits the object, but not its threads.
at_fork(after_in_child=lanes.__init__)  # type: ignore[misc]
