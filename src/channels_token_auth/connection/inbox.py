"""Receive the events of one socket without losing any.

The library has to wake an application that waits for an event: when a first message was verified,
and to report a reauthentication to an application that called `subscribe()`. The obvious way is to
cancel the call of the server's `receive`. But granian loses a frame that arrives while its call is
being cancelled. So the call is cancelled only to close the socket, and there are three ways to wait
for it:

- By a callback: see `take`. The server's call is a future, or a task of its own, and
  may outlive its caller. `wake` ends the wait only: the call stays pending, and its event is
  returned by the next wait. Where the server's `receive` returns a future, as granian's does, an
  idle socket keeps no task and no coroutine.
- For the same call in a coroutine: see `has_event`, which is such a callback.
- In the caller's own task, if the server's `receive` is a coroutine function, as that of the other
  servers is: see `waits_here`. The wait cannot be ended without cancelling the call, so only
  `close` ends it. After an application has cancelled its own wait, as with `asyncio.timeout`, all
  its later waits are callbacks.

`listen` makes the call while the application does not wait, to find out whether its client sends
anything. The event is kept for the application's next wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import CoroutineType, TracebackType
from typing import Any, Self

from ..cancel_scope import CancelScope
from ..clock import clock
from ..core.asgi_types import Message, Receive
from ..core.lifecycle import Idle

__all__ = ["Inbox"]


class Inbox(CancelScope):
    """Calls the server's `receive`. One task at a time waits for an event.

    It is itself the scope of a wait in the caller's task, which saves an object for each socket.
    """

    __slots__ = (
        "_idle", "_is_cancelled", "_on_end", "_pending", "gives_coroutines", "receive",
    )  # fmt: skip

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.receive = receive
        """The server's own. Await its coroutine in a `with` block of the inbox."""
        self._pending: asyncio.Future[Message] | None = None
        self._on_end: Callable[[], object] | None = None
        self._is_cancelled = False
        self.gives_coroutines = False
        """True if the server's `receive` is a coroutine function: known after its first call."""
        self._idle: Idle | None = None

    def watch(self, idle: Idle) -> None:
        """Measure from now on how long the client sends nothing."""
        self._idle = idle
        if self._pending and not self._pending.done():
            idle.listens_since = clock.steady()

    def __enter__(self) -> Self:
        if self._idle:
            self._idle.listens_since = clock.steady()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._idle:
            self._idle.listens_since = None
        is_closed = super().__exit__(kind, error, trace)
        if kind is asyncio.CancelledError and not is_closed:
            # From now on a task receives, and the event is kept here until the application's own
            # task has resumed: no frame is lost then.
            self._is_cancelled = True
        return is_closed

    # For `Reception`: until Python 3.14, a `with` statement keeps a method object while it waits,
    # of 64 bytes for each idle socket.
    begin, end = __enter__, __exit__

    @property
    def waits_here(self) -> bool:
        """True if the caller's own task may await `receive`, in a `with` block of the inbox."""
        return (
            self.gives_coroutines
            and self._pending is None
            and not self._is_cancelled
            and self.task is None
        )

    def listen(self, call: Any = None) -> asyncio.Future[Message]:
        """Return the server's call. Make it, unless it is pending or its event is kept here.

        `call`: a new one, if the caller has made it.
        """
        if self._pending is not None:
            return self._pending
        if call is None and not self.gives_coroutines:
            call = self.receive()
        # `isfuture` is slower, and is meant for rare types.
        if not (isinstance(call, asyncio.Future) or asyncio.isfuture(call)):
            call = self.loop.create_task(self._call(call))
        pending: asyncio.Future[Message] = call
        self._pending = pending
        pending.add_done_callback(self._finish)
        if self._idle:
            self._idle.listens_since = clock.steady()
        return pending

    async def next(self) -> Message | None:
        """Return the next event, or None if `close` ended the wait."""
        if self._pending is None:
            call = self.receive()
            # By the type first: asyncio's functions are slower, and are meant for rare types.
            is_coroutine = type(call) is CoroutineType
            # By its method: `asyncio.iscoroutine` needs a microsecond to return False.
            self.gives_coroutines = is_coroutine or hasattr(call, "throw")
            if is_coroutine or not asyncio.isfuture(call):
                with self:
                    return await call
                return None  # `close` has ended the wait
            self.listen(call)
        while not await self.has_event():
            if self._pending is None:  # closed
                return None
        return self.pop()

    async def has_event(self) -> bool:
        """Wait for an event and return True, or return False if `wake` or `close` ended the wait.

        The event stays here until it is popped, also if the caller is cancelled meanwhile.
        """
        if not self.listen().done():
            waiter = self.loop.create_future()
            self._on_end = partial(_resolve, waiter)
            await waiter
        return self._pending is not None and self._pending.done()

    def take(self, on_end: Callable[[], object]) -> Message | None:
        """Return the event that is here. Else call the server, and `on_end` after its call.

        `on_end` is called once; earlier, if `wake` or `close` ends the wait. One wait at a time.
        Raises the server's exception.
        """
        pending = self._pending or self.listen()
        if not pending.done():
            self._on_end = on_end
            return None
        # As `pop` does, without a call more for each event.
        self._pending = None
        if self._idle:
            self._idle.listens_since = None
        return pending.result()

    def pop(self) -> Message:
        """Return the event that `has_event` reported, or raise the server's exception."""
        assert self._pending  # noqa: S101 - has_event() was True
        pending, self._pending = self._pending, None
        if self._idle:
            self._idle.listens_since = None
        return pending.result()

    def wake(self) -> None:
        """End the wait for an event. The server's call goes on."""
        on_end, self._on_end = self._on_end, None
        if on_end:
            on_end()

    def close(self) -> None:
        """Cancel the server's call, and end the wait for it."""
        if self.task is not None:
            self.interrupt()
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
        if self._on_end is not None:
            self.wake()

    async def _call(self, call: Awaitable[Message] | None) -> Message:
        # A coroutine must be awaited once it is made: make it here, after the task has begun.
        return await (call or self.receive())

    def _finish(self, pending: "asyncio.Future[Message]") -> None:
        # `pop` raises an error of the call. Without one, asyncio would log it as never retrieved.
        if not pending.cancelled():
            pending.exception()
        # asyncio calls this some time after the call is done, so the event may be popped already.
        # Then the application waits for the next event. That wait must not be ended, and its time
        # counts as idle.
        if self._idle and self._pending is pending:
            self._idle.listens_since = None
        # As `wake` does, without a call more for each event.
        if self._on_end is not None and self._pending is not None and self._pending.done():
            on_end, self._on_end = self._on_end, None
            on_end()


def _resolve(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():  # unless its caller was cancelled
        waiter.set_result(None)
