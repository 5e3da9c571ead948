"""The `receive` that this library passes to the application in place of the server's.

granian's own `receive` returns a future, those of the other servers return a coroutine. This one
returns what the server's does. The difference matters to Channels: it waits for a future as it is,
but starts a task for a coroutine, with a copy of the context, for every event.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial

from ..core.asgi_types import Message
from ..core.lifecycle import Output, Stage, Step
from ..tasks import spawn
from .connection import Connection
from .wait import Wait

__all__ = ["Reception"]

# Compared for every frame: before Python 3.12 an enum's attribute costs ten times as much.
_CLOSING, _OVER = Stage.CLOSING, Stage.OVER


class Reception:
    """The `receive` of one application. `connect`: the first event that it returns."""

    __slots__ = ("_connection", "_exchange", "_inbox", "_kept", "_waiting")

    def __init__(self, connection: Connection, connect: Message) -> None:
        self._connection = connection
        self._exchange = connection.exchange
        self._inbox = connection.transport.inbox
        self._kept: Message | None = connect
        self._waiting: Wait | None = None

    def receive(self) -> Awaitable[Message]:
        """Return the next event. Raises RuntimeError after the `websocket.disconnect`."""
        # A coroutine must be awaited once it is made, and an application may cancel its wait before
        # it begins: so the server's is made in `_next`. Code that passes `receive()` to
        # `create_task` needs a coroutine, and gets one wherever the server returns one.
        if self._inbox.gives_coroutines:
            return self._next()
        if self._kept is not None:
            future = self._inbox.loop.create_future()
            future.set_result(self._take_kept())
            return future
        if self._needs_coroutine():
            return self._next()
        call = self._inbox.call(self)
        if call is not None:
            return self._next(call)
        self._waiting = waiting = Wait(self, self._inbox.loop)
        return waiting

    def keep(self, event: Message) -> None:
        """Keep an event that the application was given, and did not get: its wait was cancelled."""
        self._kept = event
        self._inbox.note_cancelled()

    def _needs_coroutine(self) -> bool:
        waiting, connection = self._waiting, self._connection
        if waiting is not None and waiting.cancelled():
            self._inbox.note_cancelled()
        # `call` can be used only for the next event of the server, and for one wait at a time.
        return (
            self._exchange.stage in (_CLOSING, _OVER)
            or self._inbox.is_engaged
            or connection.is_subscribed
            or bool(connection.notices)
        )

    async def _next(self, call: Awaitable[Message] | None = None) -> Message:
        if self._kept is not None:
            return self._take_kept()
        connection, exchange = self._connection, self._exchange
        while exchange.stage is not _CLOSING:
            # In the loop: the application may have returned without waiting for this call, which
            # must not call the server again.
            if exchange.stage is _OVER:
                raise RuntimeError("receive() was called after the application got its disconnect.")
            if connection.notices:
                return connection.notices.popleft()
            received = None
            if call is None and self._inbox.waits_here and not connection.is_subscribed:
                # As in `Inbox.next`, without a coroutine that an idle socket would keep.
                with self._inbox:
                    received = await self._inbox.receive()
            else:
                received = await self._inbox.next(may_wake=connection.is_subscribed, call=call)
                call = None
            if received is None:
                continue
            outputs = connection.read(received)
            if outputs is None:
                return received
            if outputs:
                await connection.perform(outputs)
        # Wait for a running bulk close: the application's clean-up must not delay other closes.
        turn = connection.node.bulk_close.turn()
        if turn is not None:
            await turn
        return self._disconnect()

    def _take_kept(self) -> Message:
        event, self._kept = self._kept, None
        assert event is not None  # noqa: S101 - the caller has looked
        return event

    def _disconnect(self) -> Message:
        self._exchange.take(Step.DELIVER)
        assert self._connection.disconnect  # noqa: S101 - set on the way to this stage
        return self._connection.disconnect

    # -- Settle the future: as `_next` does, but without a task

    def arrive(self) -> None:
        """Handle the end of the server's call, or of the socket."""
        # Not kept: they refer to each other, and would wait for the garbage collector.
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        if waiting.done():  # cancelled: the inbox keeps the event
            self._inbox.note_cancelled()
        elif self._exchange.stage is _CLOSING:
            self._settle_at_turn(waiting)
        elif self._exchange.stage is _OVER:  # the application has returned without it
            waiting.cancel()
        else:
            self._settle_with_event(waiting)

    def _settle_with_event(self, waiting: Wait) -> None:
        try:
            event = self._inbox.pop()
            outputs = self._connection.read(event)
        except asyncio.CancelledError:
            waiting.cancel()
        except Exception as error:  # noqa: BLE001 - for the application, whatever the server raises
            waiting.set_exception(error)
        else:
            if outputs is None:
                waiting.set_result(event)
            else:
                self._settle_later(waiting, outputs)

    def _settle_at_turn(self, waiting: Wait) -> None:
        turn = self._connection.node.bulk_close.turn()
        if turn is None:
            waiting.set_result(self._disconnect())
        else:
            turn.add_done_callback(partial(self._settle_after, waiting))

    def _settle_after(self, waiting: Wait, turn: "asyncio.Future[None]") -> None:
        if waiting.done():
            return
        if self._exchange.stage is _CLOSING:
            waiting.set_result(self._disconnect())
        else:  # the application has returned without it, or has got it by another wait
            waiting.cancel()

    def _settle_later(self, waiting: Wait, outputs: Sequence[Output]) -> None:
        """Carry out outputs for a message of the library, and wait for the next event in a task."""
        task = spawn(self._resume(waiting, outputs))
        waiting.add_done_callback(partial(_cancel_with, task))

    async def _resume(self, waiting: Wait, outputs: Sequence[Output]) -> None:
        try:
            if outputs:
                await self._connection.perform(outputs)
            event = await self._next()
        except asyncio.CancelledError:
            waiting.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - for the application, as above
            if not waiting.done():
                waiting.set_exception(error)
        else:
            # Not in a callback, one turn later: by then the application may wait for another event,
            # which would overtake this one.
            if waiting.done():
                self._kept = event
            else:
                waiting.set_result(event)


def _cancel_with(task: "asyncio.Task[None]", waiting: "asyncio.Future[Message]") -> None:
    if waiting.cancelled():
        task.cancel()
