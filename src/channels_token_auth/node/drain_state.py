"""Drain one node before it is stopped: refuse handshakes, and close its sockets step by step."""

import asyncio
from collections.abc import Collection

from ..cluster.message import Reply
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
        self._task: asyncio.Future[None] | None = None
        self._question: str | None = None
        self._reply: Reply | None = None

    @property
    def is_on(self) -> bool:
        """Return whether handshakes are refused. Stays True, without sockets too, until undone."""
        return self._task is not None

    @property
    def question(self) -> str | None:
        """The id of the request that it carried out last."""
        return self._question

    def request(self, over: float | None, reply: Reply | None, *, question: str | None) -> None:
        """Start a drain of so many seconds, or undo it with None.

        `question`: the id of the request. A repeated request only gets another report.
        """
        if question is not None and question == self._question:
            self._reply = reply or self._reply
            self._report()
            return
        self._question, self._reply = question, reply
        if self._task:
            self._task.cancel()
        self._task = None if over is None else spawn(self._close_all(max(1, int(over / TICK))))
        if over is None:
            self._report()

    async def _close_all(self, ticks: int) -> None:
        left = list(self._sockets)  # no socket is added later: handshakes are refused
        tick = 0
        # Not `while left`: a drain ends when the applications have ended, and not at their closes.
        while self._sockets:
            if tick % TICKS_PER_REPORT == 0:
                self._report()
            # Rounded up, so that the last tick leaves no socket open.
            size = -(-len(left) // max(1, ticks - tick))
            group = left[len(left) - size :]
            # 4503: clients connect again with the same token, and reach another node.
            self._bulk_close.close(group, CloseReason.UNAVAILABLE, cause="drain")
            del left[len(left) - size :]
            tick += 1
            await asyncio.sleep(TICK)
        self._report()

    def _report(self) -> None:
        """Send the number of sockets that are left to the process that requested the drain."""
        if self._reply:  # in a task: the drain goes on even if the answer cannot be delivered
            left = len(self._sockets)
            spawn(self._reply({"kind": "draining", "node": self._name, "left": left}))
