"""A node that is about to be stopped: it refuses handshakes and closes its sockets over a time."""

import asyncio
from collections.abc import Collection

from ..cluster import pubsub
from ..core.close_codes import CloseReason
from ..tasks import spawn
from .bulk_close import BulkClose
from .member import Member

__all__ = ["DrainState"]

TICK = 0.1
"""Seconds between two groups of sockets that are closed."""

TICKS_PER_REPORT = 10


class DrainState:
    """The drain of one node. `sockets`: all of them, those in their handshake too."""

    def __init__(self, name: str, sockets: Collection[Member], bulk_close: BulkClose) -> None:
        self._name = name
        self._sockets = sockets
        self._bulk_close = bulk_close
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Return whether handshakes are refused. True until undone, also when no socket is left."""
        return self._task is not None

    def start(self, over: float, reply: pubsub.Reply | None) -> None:
        """Refuse handshakes, and close the open sockets within so many seconds.

        `reply` gets the number of sockets that are left, once a second until there are none.
        """
        self._stop()
        self._task = spawn(self._close_all(max(1, int(over / TICK)), reply))

    def undo(self, reply: pubsub.Reply | None) -> None:
        """Admit handshakes again, and leave the sockets that are still open alone."""
        self._stop()
        self._report(reply)

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
        self._task = None

    async def _close_all(self, ticks: int, reply: pubsub.Reply | None) -> None:
        left = list(self._sockets)  # complete: from now on every handshake is refused
        tick = 0
        while self._sockets:
            if tick % TICKS_PER_REPORT == 0:
                self._report(reply)
            size = -(-len(left) // max(1, ticks - tick))
            self._bulk_close.close(left[len(left) - size :], CloseReason.UNAVAILABLE)
            del left[len(left) - size :]
            tick += 1
            await asyncio.sleep(TICK)
        self._report(reply)

    def _report(self, reply: pubsub.Reply | None) -> None:
        if reply:  # in a task: the drain goes on even if the answer cannot be delivered
            left = len(self._sockets)
            spawn(reply({"kind": "draining", "node": self._name, "left": left}))
