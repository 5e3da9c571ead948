"""The library's own thread, in which backends query: no socket waits for another's consumer.

Whatever arrives while one batch runs is the next batch: no timer, and no wait when it is idle.
"""

import asyncio
import contextlib
import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import connections

from ..core.identity import unavailable
from ..observability.error_log import log_error
from ..observability.events import BatchVerified, emit

__all__ = ["MAX_BATCH", "MAX_HANGING", "Worker", "worker"]

MAX_BATCH = 128
"""Items in one batch at most: of fewer, a storm waits for a far database; more delay the first."""

MAX_HANGING = 4
"""Threads left hanging within `HANGING_WINDOW` at most; with as many, everybody waits."""

HANGING_WINDOW = 60.0
"""Seconds after which a hanging thread does not count any more: TCP may need a quarter hour."""

Work = Callable[[Sequence[Any]], Sequence[Any]]
Reply = Callable[[Any], None]
Asked = tuple[Work, Any, asyncio.AbstractEventLoop, Reply]


class Worker:
    """Does work in batches, in one thread a process. Any event loop may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        self._thread: _Thread | None = None
        self._hanging: list[_Thread] = []

    def ask(self, work: Work, item: Any, reply: Reply) -> None:
        """Have `reply` called in this event loop with what `work` answers to `item`.

        `work` is called with a batch, and must not raise.
        """
        self._inbox.put((work, item, asyncio.get_running_loop(), reply))
        if self._thread is None:
            self._start()

    def relieve(self, *, after: float) -> None:
        """Let a fresh thread go on where the present one has been at one batch for `after` s."""
        with self._lock:
            self._hanging = [t for t in self._hanging if t.is_alive() and t.is_recent()]
            thread = self._thread
            if thread and thread.busy_for() >= after and len(self._hanging) < MAX_HANGING:
                self._hanging.append(thread)
                self._thread = None
        self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = _Thread(self._inbox, is_relieved=self._is_relieved)
                self._thread.start()

    def _is_relieved(self, thread: "_Thread") -> bool:
        return self._thread is not thread


class _Thread(threading.Thread):
    """A daemon: a store that hangs must not keep the process from ending."""

    def __init__(
        self, inbox: "queue.SimpleQueue[Asked]", *, is_relieved: Callable[["_Thread"], bool]
    ) -> None:
        super().__init__(name="channels-token-auth", daemon=True)
        self._inbox = inbox
        self._is_relieved = is_relieved
        self._busy_since: float | None = None

    def busy_for(self) -> float:
        """Seconds spent on the present batch so far."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def is_recent(self) -> bool:
        """Whether it has not been hanging for long."""
        return self.busy_for() < HANGING_WINDOW

    def run(self) -> None:
        while not self._is_relieved(self):
            batch = [self._inbox.get()]
            self._busy_since = time.monotonic()
            while len(batch) < MAX_BATCH:
                try:
                    batch.append(self._inbox.get_nowait())
                except queue.Empty:
                    break
            _work_off(batch)
            _release_connections()
            self._busy_since = None
        connections.close_all()


def _work_off(batch: Sequence[Asked]) -> None:
    by_work: dict[Work, list[Asked]] = defaultdict(list)
    for asked in batch:
        by_work[asked[0]].append(asked)
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Reply, Any]]] = defaultdict(list)
    for work, same in by_work.items():
        began_at = time.monotonic()
        answers = _answers(work, [item for _, item, _, _ in same])
        if BatchVerified.is_wanted():
            emit(BatchVerified(size=len(same), seconds=time.monotonic() - began_at))
        for (_, _, loop, reply), answer in zip(same, answers, strict=True):
            by_loop[loop].append((reply, answer))
    for loop, replies in by_loop.items():
        with contextlib.suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_deliver, replies)  # once: each wakes the loop by a write


def _answers(work: Work, items: Sequence[Any]) -> Sequence[Any]:
    """Do the work. Whatever it raises, each item is answered, and the thread lives on."""
    try:
        answers = work(items)
        if len(answers) == len(items):
            return answers
        problem: BaseException = TypeError(f"{len(answers)} answers to {len(items)} items.")
    # Also SystemExit: a site's code that calls sys.exit() must not end the library's thread.
    except BaseException as error:  # noqa: BLE001 - whatever a backend or site code raises
        problem = error
    log_error("Verification failed: answered unavailable.", problem, about=items)
    return [unavailable() for _ in items]


def _deliver(replies: Iterable[tuple[Reply, Any]]) -> None:
    for reply, answer in replies:
        try:
            reply(answer)
        except Exception as error:  # noqa: BLE001 - one reply must not cost the others theirs
            log_error("A verification could not be answered.", error)


def _release_connections() -> None:
    """Return connections to their pool, where there is one: others wait for them.

    Without a pool they stay open: to connect for each batch would take longer than the batch.
    """
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and getattr(connection, "pool", None) is not None:
            connection.close()


worker = Worker()
# A forked child has the object, but not its thread.
os.register_at_fork(after_in_child=worker.__init__)  # type: ignore[misc]
