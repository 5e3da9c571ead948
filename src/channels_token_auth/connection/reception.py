"""The `receive` that this library passes to the application in place of the server's.

granian's own `receive` returns a future, those of the other servers return a coroutine. This one
is chosen to return what the server's does: see `Reception.callable`. The difference matters to
Channels: it waits for a future as it is, but starts a task for a coroutine, with a copy of the
context, for every event.

A `Wait` is the future of one event. `Reception.settle` gives it the event, and is called whenever
that may be possible: at its start, when the server's call ends, when the library has an event of
its own, and when the socket closes. So an idle socket keeps neither a task nor a coroutine.

Where the server's `receive` is a coroutine function, its call needs a task. Then the application's
own task awaits it, and a `Wait` is made only for what this cannot do: see `Inbox.waits_here`.
"""

import asyncio
from collections.abc import Awaitable, Generator, Sequence
from typing import Any

from ..core.asgi_types import Message, Receive
from ..core.lifecycle import Output, Stage, Step
from ..tasks import spawn
from .connection import Connection

__all__ = ["Reception"]

# Compared for every frame: before Python 3.12 an enum's attribute costs ten times as much.
_CLOSING, _OVER = Stage.CLOSING, Stage.OVER
# Without `super()`, which takes longer than the wait for an event that is there.
_wait_for = asyncio.Future.__await__


class Reception:
    """The `receive` of one application. `connect`: the first event that it returns."""

    __slots__ = ("_connection", "_exchange", "_inbox", "_kept", "_performer", "_waiting")

    def __init__(self, connection: Connection, connect: Message) -> None:
        self._connection = connection
        self._exchange = connection.exchange
        self._inbox = connection.transport.inbox
        self._kept: Message | None = connect
        self._waiting: Wait | None = None
        self._performer: asyncio.Future[None] | None = None

    @property
    def callable(self) -> Receive:
        """The `receive` to pass to the application: one that returns what the server's does."""
        # Code that passes `receive()` to `create_task` needs a coroutine, and gets one wherever the
        # server returns one. Chosen once and not for every event.
        return self.receive if self._inbox.gives_coroutines else self.wait

    async def receive(self) -> Message:
        """Return the next event. Raises RuntimeError after the `websocket.disconnect`."""
        # In the loop: the application may have returned without waiting for this call, which must
        # not call the server again.
        while self._may_wait_here():
            self._inbox.begin()
            try:
                received = await self._inbox.receive()
            except BaseException as error:
                if self._inbox.end(type(error), error, None):  # interrupted: the socket closes
                    break
                raise
            self._inbox.end(None, None, None)
            outputs = self._connection.read(received)
            if outputs is None:
                return received
            if outputs:
                await self._connection.perform(outputs)
        return await self.wait()

    def _may_wait_here(self) -> bool:
        """Return whether the application's task may await the server: nothing else can end that."""
        connection = self._connection
        return (
            self._kept is None
            and self._inbox.waits_here
            and not (connection.is_subscribed or connection.notices)
            and self._exchange.stage not in (_CLOSING, _OVER)
        )

    def wait(self) -> Awaitable[Message]:
        """Return a future of the next event. Raises as `receive` does."""
        earlier = self._waiting
        if earlier is not None and not earlier.done():
            return self._receive_after(earlier)
        event = self._kept
        if event is None and self._exchange.stage is _OVER:
            raise RuntimeError("receive() was called after the application got its disconnect.")
        waiting = Wait(loop=self._inbox.loop)
        waiting.reception = self
        if event is not None:  # mostly the first event
            self._kept = None
            waiting.set_result(event)
            return waiting
        self._waiting = waiting
        self.settle()
        return waiting

    async def _receive_after(self, earlier: "Wait") -> Message:
        """Receive for a second task of the application: a socket has one `Wait` at a time."""
        await asyncio.wait([earlier])
        return await self.receive()

    def keep(self, event: Message) -> None:
        """Keep an event that the application was given, and did not get: its wait was cancelled."""
        self._kept = event
        self.settle()  # another task may wait by now

    def settle(self, _: object = None) -> None:
        """Give the application's wait its event, if there is one; else do nothing."""
        waiting = self._waiting
        if waiting is None:
            return
        if waiting.done():  # cancelled: the inbox keeps the event
            self._waiting = None  # as below
            return
        try:
            event = self._take()
        except asyncio.CancelledError:
            waiting.cancel()
        except Exception as error:  # noqa: BLE001 - for the application, whatever the server raises
            waiting.set_exception(error)
        else:
            if event is None:
                return
            waiting.set_result(event)
        # Not kept: they refer to each other, and would wait for the garbage collector.
        self._waiting = None

    # The inbox calls it: a method would be an object more to keep.
    __call__ = settle

    def _take(self) -> Message | None:
        """Return an event; or None, and have `settle` called when there may be one."""
        connection, inbox = self._connection, self._inbox
        while True:
            if self._kept is not None:
                event, self._kept = self._kept, None
                return event
            stage = self._exchange.stage
            if stage is _CLOSING:
                return self._take_disconnect()
            if stage is _OVER:  # the application has returned without this event
                raise asyncio.CancelledError
            if connection.notices:
                return connection.notices.popleft()
            # One message of the library at a time: its client must not make tasks without bound.
            received = None if self._performer is not None else inbox.take(self)
            if received is None:
                return None
            outputs = connection.read(received)
            if outputs is None:
                return received
            if outputs:
                self._perform(outputs)

    def _take_disconnect(self) -> Message | None:
        # Wait for a running bulk close: the application's clean-up must not delay other closes.
        turn = self._connection.node.bulk_close.turn()
        if turn is not None:
            turn.add_done_callback(self.settle)
            return None
        self._exchange.take(Step.DELIVER)
        assert self._connection.disconnect  # noqa: S101 - set on the way to this stage
        return self._connection.disconnect

    def _perform(self, outputs: Sequence[Output]) -> None:
        """Carry out outputs for a message of the library in a task, and settle the wait after it.

        The task goes on if the application cancels its wait: the client gets its answer.
        """
        self._performer = spawn(self._connection.perform(outputs))
        self._performer.add_done_callback(self._note_performed)

    def _note_performed(self, performer: "asyncio.Future[None]") -> None:
        self._performer = None
        waiting = self._waiting
        if waiting is not None and not waiting.done():
            if performer.cancelled():
                waiting.cancel()
            elif error := performer.exception():
                waiting.set_exception(error)
        self.settle()


class Wait(asyncio.Future[Message]):
    """The future of one event, which gives the event back if its awaiting task is cancelled.

    A task can be cancelled in the same turn of the event loop in which its future got a result, as
    by `asyncio.timeout`. The task resumes with the cancellation only, and nothing refers to the
    event any more. `asyncio.Queue.get` leaves its item in the queue in this case; so does a `Wait`.

    `asyncio.wait` and `result()` work as on any future.
    """

    # Set by `Reception.wait`: an initializer would be a call more for each event.
    __slots__ = ("reception",)
    reception: Reception

    def __await__(self) -> Generator[Any, None, Message]:
        try:
            return (yield from _wait_for(self))
        except asyncio.CancelledError:
            # A cancelled future, or one with an error, has no event.
            if self.done() and not self.cancelled() and self.exception() is None:
                self.reception.keep(self.result())
            raise
