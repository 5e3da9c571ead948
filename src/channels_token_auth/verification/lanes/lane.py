"""One lane: a bounded queue, and the thread that processes it in batches.

All errands that arrive during a batch are the next batch. So there is no timer, and an idle lane
begins at once.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connections

from ...clock import clock
from ...core.identity import unavailable
from ...observability.error_log import log_error
from ...observability.events import QueueMeasured, emit
from ...observability.throttle import Throttle
from .batch import Answers, deliver, release_connections, work_off
from .errand import Errand
from .hanging import Hanging
from .lane_id import LaneId
from .pace import Pace

__all__ = ["IDLE_SECONDS", "MAX_QUEUED", "Lane"]

MAX_QUEUED = 5_000
"""Most errands in one queue. A lane of database rows processes as many in a quarter second."""

IDLE_SECONDS = 60.0
"""Seconds until a thread without work ends: the default interval of sweeps."""

throttle = Throttle()


@dataclass(slots=True, kw_only=True)
class _Batch:
    """The next batch of a thread. `refused`: errands that are answered without work."""

    errands: list[Errand] = field(default_factory=list)
    refused: Answers = field(default_factory=list)
    late: int = 0


class Lane:
    """The lane with this id. Its thread starts with the first errand, and ends when it is idle.

    `send_on`: puts an errand into the lane of its next step. `complain`: called with the number
    of errands that waited too long.
    """

    def __init__(
        self,
        lane_id: LaneId,
        hanging: Hanging,
        *,
        send_on: Callable[[Errand], bool],
        complain: Callable[["Lane", int], None],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.id = lane_id
        self._hanging = hanging
        self._send_on = send_on
        self._complain = complain
        self._idle_seconds = idle_seconds
        self._queue: deque[Errand] = deque()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._thread: _Thread | None = None
        self._pace = Pace(is_steady=not lane_id.is_remote)

    def __len__(self) -> int:
        """Return how many errands wait."""
        return len(self._queue)

    @property
    def is_running(self) -> bool:
        """True while it has a thread."""
        return self._thread is not None

    def put(self, errand: Errand) -> bool:
        """Queue an errand. Return False if the queue is full, or no thread can be started."""
        errand.queued_at = clock.steady()
        # By the lock itself, for each verification: a condition enters it in Python's own code.
        with self._lock:
            # Under the lock that an idle thread needs to end, so that it cannot miss the errand.
            # The thread first: a full queue whose thread could not be replaced needs one, too.
            has_thread = self._thread is not None or self._has_thread()
            if not has_thread or len(self._queue) >= MAX_QUEUED:
                return False
            self._queue.append(errand)
            self._changed.notify()
        return True

    def relieve(self, *, after: float) -> None:
        """Replace the thread by a new one if its batch has taken `after` seconds or more."""
        with self._changed:
            thread = self._thread
            if thread is None or thread.busy_for() < after:
                return
            # Python cannot end a thread. This one ends by itself, when its batch does: see `_next`.
            if self._hanging.admit(thread, is_remote=self.id.is_remote):
                self._thread = None
                if self._queue:
                    self._has_thread()  # if it cannot be started, the next errand tries again

    def end(self) -> threading.Thread | None:
        """End the thread after its batch, and return it. The next errand starts a new one."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        return thread

    def leave(self, thread: "_Thread") -> None:
        """Forget a thread that has ended."""
        with self._changed:
            if self._thread is thread:
                self._thread = None

    def work(self, thread: "_Thread") -> None:
        """Process batches until the thread is replaced, or has no work for `idle_seconds`."""
        while batch := self._next(thread):
            self._process(batch)
            # An idle thread must not keep the tokens of its last batch in memory.
            del batch

    def _process(self, batch: _Batch) -> None:
        began_at = clock.steady()
        answered = work_off(batch.errands, self._send_on)
        release_connections()  # before the answers, whose receivers may query
        deliver([*batch.refused, *answered])
        self._pace.note(len(batch.errands), clock.steady() - began_at)
        if batch.late:
            self._complain(self, batch.late)
        if QueueMeasured.is_wanted():
            emit(QueueMeasured(lane=self.id.name, length=len(self)))

    def _has_thread(self) -> bool:
        """Start the thread, if there is none. Return False if the system allows no more threads."""
        if self._thread is None:
            thread = _Thread(self)
            try:
                thread.start()
            except RuntimeError as error:  # a limit of the system, or the process is ending
                if throttle.allows(self.id):  # not for each of many handshakes
                    log_error("The thread of a lane could not be started.", error, brief=True)
                return False
            # Only now: a lane that kept a thread which never started would answer nothing again.
            self._thread = thread
        return True

    def _next(self, thread: "_Thread") -> _Batch | None:
        with self._changed:
            thread.busy_since = None
            # A thread that was replaced returns here from its batch, and ends.
            while self._thread is thread:
                batch = self._take()
                if batch.errands or batch.refused:
                    thread.busy_since = clock.steady()
                    return batch
                # The time may be over just when an errand arrives: look into the queue once more.
                if not self._changed.wait(self._idle_seconds) and not self._queue:
                    self._thread = None
        return None

    def _take(self) -> _Batch:
        """Take the next batch, and drop errands for which no caller waits."""
        batch, now, size = _Batch(), clock.steady(), self._pace.size
        while self._queue and len(batch.errands) < size:
            errand = self._queue.popleft()
            if not errand.is_wanted():
                # Answered too: a caller may join just now, and its verification then begins anew.
                batch.refused.append((errand, None))
            elif self._is_late(errand, now):
                batch.refused.append((errand, unavailable()))
                batch.late += 1
            else:
                batch.errands.append(errand)
        return batch

    def _is_late(self, errand: Errand, now: float) -> bool:
        max_wait = self.id.max_wait
        return max_wait is not None and now - errand.queued_at > max_wait


class _Thread(threading.Thread):
    """A daemon thread, so that the process can end while a service hangs."""

    def __init__(self, lane: Lane) -> None:
        super().__init__(name=f"channels-token-auth {lane.id.name}", daemon=True)
        self._lane = lane
        self.busy_since: float | None = None

    def busy_for(self) -> float:
        """Return the seconds spent on the present batch so far."""
        since = self.busy_since
        return 0.0 if since is None else clock.steady() - since

    def run(self) -> None:
        try:
            self._lane.work(self)
        finally:
            self._lane.leave(self)  # after an error too, so that the next errand starts a thread
            connections.close_all()
