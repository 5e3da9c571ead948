"""Receive the events of one socket without losing any.

The library has to wake an application that waits for an event: when a first message was verified,
and to report a reauthentication to an application that called `subscribe()`. The obvious way is to
cancel the call of the server's `receive`. But granian loses a frame that arrives while its call is
being cancelled. So the call is cancelled only to close the socket, and there are three ways to wait
for it:

- By a callback, if the server's `receive` returns a future, as granian's does: see `call`. No task
  waits, and no coroutine is kept for an idle socket.
- In the caller's own task, if the server's `receive` is a coroutine function, as that of the other
  servers is. The wait cannot be ended without cancelling the call, so only `close` ends it.
- For a future, or a task of its own, which may outlive its caller. `wake` ends the wait only: the
  call stays pending, and its event is returned by the next wait. After an application has cancelled
  its own wait, as with `asyncio.timeout`, all its later waits use this way.

`listen` makes the call while the application does not wait, to find out whether its client sends
anything. The event is kept for the application's next wait.
"""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Protocol, Self

from ..cancel_scope import CancelScope
from ..clock import clock
from ..core.asgi_types import Message, Receive
from ..core.lifecycle import Idle

__all__ = ["Caller", "Inbox"]


class Caller(Protocol):
    """The object that has used `Inbox.call`. A method alone would be an object for each wait."""

    def arrive(self) -> None:
        """Handle the end of the server's call, or of the socket."""


class Inbox(CancelScope):
    """Calls the server's `receive`. One task at a time waits for an event.

    It is itself the scope of a wait in the caller's task, which saves an object for each socket.
    """

    __slots__ = (
        "_caller", "_idle", "_is_cancelled", "_pending", "_waiter", "gives_coroutines", "receive",
    )  # fmt: skip

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.receive = receive
        """The server's own. Await its coroutine in a `with` block of the inbox."""
        self._pending: asyncio.Future[Message] | None = None
        self._caller: Caller | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_cancelled = False
        self.gives_coroutines = False
        """True if the server's `receive` is a coroutine function: known after its first call."""
        self._idle: Idle | None = None

    def watch(self, idle: Idle) -> None:
        """Measure from now on how long the client sends nothing."""
        self._idle = idle
        if self._pending and not self._pending.done():
            idle.listen(clock.steady())

    def __enter__(self) -> Self:
        if self._idle:
            self._idle.listen(clock.steady())
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._idle:
            self._idle.receive()
        is_closed = super().__exit__(kind, error, trace)
        if kind is asyncio.CancelledError and not is_closed:
            self.note_cancelled()
        return is_closed

    @property
    def waits_here(self) -> bool:
        """True if the caller's own task must await `receive`, in a `with` block of the inbox."""
        return self.gives_coroutines and self._pending is None and not self._is_cancelled

    @property
    def is_engaged(self) -> bool:
        """True if `call` must not be used: an event is kept, awaited or at risk of a time limit."""
        return self._pending is not None or self._is_cancelled

    def call(self, caller: Caller) -> Awaitable[Message] | None:
        """Call the server. Return None if that gave a future, else what `next` must await.

        `caller.arrive` is called once the future is done, or when `close` ends the wait.
        """
        call = self.receive()
        if not asyncio.isfuture(call):
            return call
        self._caller = caller
        self._keep(call)
        return None

    def listen(self) -> None:
        """Call the server unless an event is kept here. Only while no other task waits for one."""
        if self._pending is None:
            call = None if self.gives_coroutines else self.receive()
            if not asyncio.isfuture(call):
                call = self.loop.create_task(self._call(call))
            self._keep(call)

    async def next(
        self, *, may_wake: bool, call: Awaitable[Message] | None = None
    ) -> Message | None:
        """Return the next event, or None if `close` ended the wait; or `wake`, if `may_wake`.

        `call`: the server's awaitable, which `call` has returned.
        """
        if call is None and not (may_wake or self._pending or self._is_cancelled):
            call = self.receive()
            if asyncio.isfuture(call):
                self._keep(call)
                call = None
        if call is not None:
            self.gives_coroutines = asyncio.iscoroutine(call)
            with self:
                return await call
            return None  # `close` has ended the wait
        while not await self.has_event():
            if may_wake or self._pending is None:  # closed
                return None
        return self.pop()

    def note_cancelled(self) -> None:
        """Note that the application has cancelled a wait, and may cancel others."""
        # From now on a task or a future receives, and the event is kept here until the
        # application's own task has resumed: no frame is lost then.
        self._is_cancelled = True

    async def has_event(self) -> bool:
        """Wait for an event and return True, or return False if `wake` or `close` ended the wait.

        The event stays here until it is popped, also if the caller is cancelled meanwhile.
        """
        self.listen()
        if self._pending and not self._pending.done():
            self._waiter = waiter = self.loop.create_future()
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
        self.interrupt()
        pending, self._pending = self._pending, None
        if pending:
            pending.cancel()
        self._end_wait()

    async def _call(self, call: Awaitable[Message] | None) -> Message:
        # A coroutine must be awaited once it is made: make it here, after the task has begun.
        return await (call or self.receive())

    def _keep(self, call: "asyncio.Future[Message]") -> None:
        self._pending = call
        call.add_done_callback(self._finish)
        if self._idle:
            self._idle.listen(clock.steady())

    def _finish(self, pending: "asyncio.Future[Message]") -> None:
        # `pop` raises an error of the call. Without one, asyncio would log it as never retrieved.
        if not pending.cancelled():
            pending.exception()
        if self._idle:
            self._idle.receive()
        # asyncio calls this some time after the call is done, so the event may be popped already.
        # Then the application waits for the next event, and that wait must not be ended.
        if self._pending is not None and self._pending.done():
            self._end_wait()

    def _end_wait(self) -> None:
        caller, self._caller = self._caller, None
        if caller:
            caller.arrive()
        self.wake()
