"""A node that is to be stopped: it refuses who comes, and sends all away, spread over a time."""

import asyncio
from collections.abc import Collection
from typing import Any

from ..cluster import pubsub
from ..core.close_codes import CloseReason
from ..tasks import spawn

__all__ = ["DrainState"]

TICK = 0.1
"""Seconds between two groups of sockets that are sent away."""

TICKS_PER_REPORT = 10


class DrainState:
    """A node's. `sockets`: those of now, in handshakes too."""

    def __init__(self, name: str, sockets: Collection[Any]) -> None:
        self._name = name
        self._sockets = sockets
        self._task: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """Whether whoever comes is refused: until it is taken back, also when all have gone."""
        return self._task is not None

    def start(self, over: float, reply: pubsub.Reply | None) -> None:
        """Refuse who comes, and send those away who are here, within so many seconds.

        `reply` is told once a second how many are left, until there are none.
        """
        self._stop()
        self._task = spawn(self._send_away(max(1, int(over / TICK)), reply))

    def take_back(self, reply: pubsub.Reply | None) -> None:
        """Let in who comes, and let those stay who are here still."""
        self._stop()
        self._report(reply)

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
        self._task = None

    async def _send_away(self, ticks: int, reply: pubsub.Reply | None) -> None:
        going = list(self._sockets)  # nobody is let in from now on
        tick = 0
        while self._sockets:
            if tick % TICKS_PER_REPORT == 0:
                self._report(reply)
            for _ in range(-(-len(going) // max(1, ticks - tick))):
                going.pop().close(CloseReason.UNAVAILABLE)
            tick += 1
            await asyncio.sleep(TICK)
        self._report(reply)

    def _report(self, reply: pubsub.Reply | None) -> None:
        if reply:  # beside the drain, which goes on, whatever becomes of who asked
            left = len(self._sockets)
            spawn(reply({"kind": "draining", "node": self._name, "left": left}))
