"""Receive the events of one socket without losing any.

The library has to wake an application that waits for an event: when a first message was verified,
and to report a reauthentication to an application that called `subscribe()`. The obvious way is to
cancel the call of the server's `receive`. But granian loses a frame that arrives while its call is
being cancelled. So the call is cancelled only to close the socket, and there are two ways to wait
for it:

- In the caller's own task. Nearly every event is received this way, without another task or future.
  The wait cannot be ended without cancelling the call, so only `close` ends it.
- In a task of its own, which may outlive its caller. `wake` ends the wait only: the call stays
  pending, and its event is returned by the next wait. After an application has cancelled its own
  wait, as with `asyncio.timeout`, all its later waits use this way.

`listen` makes the call while the application does not wait, to find out whether its client sends
anything. The event is kept for the application's next wait.
"""

import asyncio

from ..cancel_scope import CancelScope
from ..clock import clock
from ..core.asgi_types import Message, Receive
from ..core.lifecycle import Idle

__all__ = ["Inbox"]


class Inbox:
    """Calls the server's `receive`. One task at a time waits for an event."""

    __slots__ = ("_idle", "_is_cancelled", "_loop", "_pending", "_receive", "_scope", "_waiter")

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._receive = receive
        self._loop = loop
        self._scope = CancelScope(loop)
        self._pending: asyncio.Task[Message] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_cancelled = False
        self._idle: Idle | None = None

    def watch(self, idle: Idle) -> None:
        """Measure from now on how long the client sends nothing."""
        self._idle = idle
        if self._pending and not self._pending.done():
            idle.listen(clock.steady())

    def listen(self) -> None:
        """Call the server unless an event is kept here. Only while no other task waits for one."""
        if self._pending is None:
            self._pending = self._loop.create_task(self._call())
            self._pending.add_done_callback(self._finish)
            if self._idle:
                self._idle.listen(clock.steady())

    async def next(self, *, may_wake: bool) -> Message | None:
        """Return the next event, or None if `close` ended the wait; or `wake`, if `may_wake`."""
        if may_wake or self._pending or self._is_cancelled:
            return self.pop() if await self.has_event() else None
        event = None
        if self._idle:
            self._idle.listen(clock.steady())
        try:
            with self._scope:
                event = await self._receive()
        except asyncio.CancelledError:
            # An application that cancels one wait may cancel others: a task loses no frame then.
            self._is_cancelled = True
            raise
        finally:
            if self._idle:
                self._idle.receive()
        return event

    async def has_event(self) -> bool:
        """Wait for an event and return True, or return False if `wake` or `close` ended the wait.

        The event stays here until it is popped, also if the caller is cancelled meanwhile.
        """
        self.listen()
        if self._pending and not self._pending.done():
            self._waiter = waiter = self._loop.create_future()
            try:
                await waiter
            finally:
                # A cancelled caller may reach this line after the next one has begun to wait.
                if self._waiter is waiter:
                    self._waiter = None
        return self._pending is not None and self._pending.done()

    def pop(self) -> Message:
        """Return the event that `has_event` reported, or raise the server's exception."""
        assert self._pending  # noqa: S101 - has_event() was True
        pending, self._pending = self._pending, None
        return pending.result()

    def wake(self) -> None:
        """End the wait of `has_event`. The server's call goes on."""
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Cancel the server's call, and end the wait for it."""
        self._scope.interrupt()
        pending, self._pending = self._pending, None
        if pending:
            pending.cancel()
        self.wake()

    async def _call(self) -> Message:
        # A server's `receive` returns any awaitable; a task needs a coroutine.
        return await self._receive()

    def _finish(self, pending: asyncio.Task[Message]) -> None:
        # `pop` raises an error of the call. Without one, asyncio would log it as never retrieved.
        if not pending.cancelled():
            pending.exception()
        if self._idle:
            self._idle.receive()
        # asyncio calls this some time after the task is done, so the event may be popped already.
        # Then the application waits for the next event, and that wait must not be ended.
        if pending is self._pending:
            self.wake()
