"""Run coroutines for threads without an event loop, in one loop that is kept for a moment.

A channel layer opens its connections anew in each event loop, which takes ten times as long as to
send a message. So calls that follow each other, such as the revocations of a command, share one
loop and its connections. Both are closed when no call has come for a moment.
"""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from ..loop_local import at_fork

__all__ = ["IDLE_SECONDS", "SendingLoop", "sending_loop"]

T = TypeVar("T")

IDLE_SECONDS = 1.0
"""Seconds without a call after which the loop is closed, or up to twice as many."""

END_SECONDS = 1.0
"""Seconds that the end of the process waits until the layer has closed its connections."""


class SendingLoop:
    """An event loop in a thread of its own. Any thread may use it, unless it runs a loop itself."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._thread: _Thread | None = None

    @property
    def is_open(self) -> bool:
        """True while it has a thread, with the connections that calls have opened."""
        return self._thread is not None

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the coroutine, which runs in the context of the caller.

        Raises what it raises; and RuntimeError or OSError if no loop can be started.
        """
        # Under the lock that the thread needs to leave, so that it cannot miss the call.
        with self._lock:
            if self._thread is None:
                self._thread = self._start()
            call = self._thread.begin(work())
        return call.result()

    def end(self) -> None:
        """Close the loop after the calls that run. Later calls start another one."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.end()
            thread.join(END_SECONDS)

    def _start(self) -> "_Thread":
        # The loop first: a system that allows no more descriptors or threads fails the caller.
        thread = _Thread(asyncio.new_event_loop(), self._leave, self._idle_seconds)
        try:
            thread.start()
        except RuntimeError:
            thread.loop.close()
            raise
        return thread

    def _leave(self, thread: "_Thread", *, must_end: bool) -> bool:
        with self._lock:
            if not must_end and thread.is_in_use():
                return False
            if self._thread is thread:
                self._thread = None
            return True


class _Thread(threading.Thread):
    """Runs the loop until `leave` returns True. A daemon: a layer that hangs must not keep the
    process.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, leave: Callable[..., bool], idle_seconds: float
    ) -> None:
        super().__init__(name="channels-token-auth sending", daemon=True)
        self.loop = loop
        self._leave = leave
        self._idle_seconds = idle_seconds
        self._ending = asyncio.Event()
        self._calls: list[Future[Any]] = []

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start a coroutine. The caller has the lock of the `SendingLoop`."""
        call = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._calls.append(call)
        return call

    def is_in_use(self) -> bool:
        """Return True if a call runs, or has come since the last look. The caller has the lock."""
        has_come, self._calls = bool(self._calls), [e for e in self._calls if not e.done()]
        return bool(self._calls) or (has_come and not self._ending.is_set())

    def end(self) -> None:
        """End as soon as no call runs."""
        with suppress(RuntimeError):  # the loop is closed already
            self.loop.call_soon_threadsafe(self._ending.set)

    def run(self) -> None:
        # A layer may raise anything while its connections are closed with the loop. SystemExit in a
        # call ends the loop: then the other calls must end, too.
        with suppress(BaseException), asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._wait())
        for call in self._calls:
            call.cancel()

    async def _wait(self) -> None:
        try:
            while not self._leave(self, must_end=False):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_seconds):
                        await self._ending.wait()
                if self._ending.is_set():  # and a call goes on: look again soon
                    await asyncio.sleep(0.01)
        finally:
            self._leave(self, must_end=True)


sending_loop = SendingLoop()
# Before the interpreter ends, so that the layer can close its connections in order.
atexit.register(sending_loop.end)
# A forked child inherits the object, but not its thread. It would also inherit the connections, and
# share the selector (epoll): closed in the child, they would receive nothing here any more.
at_fork(before=sending_loop.end, after_in_child=sending_loop.__init__)  # type: ignore[misc]
