"""Detect a client that disconnects while the token of its opening handshake is being verified.

While a store does not answer, each such socket would keep its place among the waiting sockets, and
its work in the queue of a lane, until the deadline. Clients that reconnect would fill both.
"""

import asyncio
from types import TracebackType
from typing import Self

from ..cancel_scope import CancelScope
from .connection import Connection

__all__ = ["LISTEN_AFTER", "UntilClientLeaves"]

LISTEN_AFTER = 0.25
"""Seconds of a verification after which the library calls `receive`. Nearly all verifications end
before, and need only a timer; the call needs two tasks."""


class UntilClientLeaves:
    """A block that ends without an exception if the client disconnects."""

    __slots__ = ("_connection", "_listener", "_loop", "_scope", "_timer")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._scope = CancelScope(self._loop)
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._scope.__enter__()
        self._timer = self._loop.call_later(LISTEN_AFTER, self._listen)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._timer.cancel()
        if self._listener:
            # Only its wait ends: the server's call stays pending, and loses no frame.
            self._listener.cancel()
        return self._scope.__exit__(kind, error, trace)

    def _listen(self) -> None:
        self._listener = self._loop.create_task(self._leave())

    async def _leave(self) -> None:
        inbox = self._connection.transport.inbox
        if await inbox.has_left():
            self._connection.read(inbox.pop())
            self._scope.interrupt()
