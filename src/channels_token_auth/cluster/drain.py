"""Drain nodes before they are stopped, and follow how many sockets are left."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from .connections import aconnections
from .message import Message
from .requests import asking

__all__ = ["Drain", "adrain"]

PATIENCE = 5.0
"""Seconds after its last report until a node is given up. Nodes report once a second."""

LINGER = 30.0
"""Seconds that applications get to clean up after the last socket was closed."""


class Drain:
    """The progress of a drain. `nodes`: those that answered before it; `silent`: the others."""

    def __init__(self, nodes: Sequence[str], silent: Sequence[str], *, is_undone: bool) -> None:
        self.left: dict[str, int] = {}
        """The number of sockets that are left, by node, as of its last report."""
        self.silent = set(silent)
        """Nodes that never answered or stopped reporting. They may have received the request."""
        self._waits: dict[str, float] = dict.fromkeys(nodes, time.monotonic())
        self._is_undone = is_undone

    @property
    def is_over(self) -> bool:
        """Return whether all nodes have finished or were given up."""
        return not self._waits

    @property
    def is_done(self) -> bool:
        """Return whether at least one node answered, and all have finished."""
        # An empty `left` is no success: no node answered at all.
        return bool(self.left) and not self.silent and self.is_over

    def note(self, report: Message) -> None:
        """Store a report. A node has finished once no socket is left, or its drain is undone."""
        name = report["node"]
        self.left[name], self._waits[name] = report["left"], time.monotonic()
        # A node that was given up may only have been slow: its report counts again.
        self.silent.discard(name)
        if self._is_undone or not report["left"]:
            del self._waits[name]

    def give_up(self) -> None:
        """Stop waiting for nodes that have not reported for too long."""
        since = time.monotonic() - PATIENCE
        for name in [name for name, at in self._waits.items() if at <= since]:
            del self._waits[name]
            self.silent.add(name)


async def adrain(
    over: float | None, *, node: str | None = None, follow: Callable[[Drain], None] | None = None
) -> Drain:
    """Have nodes refuse handshakes and close their sockets within `over` seconds. None: undo that.

    `node`: the name of a node, or of a process or a machine for all its nodes. `follow` is called
    at each step. Returns when all nodes are empty, or none is left to wait for. Raises ValueError
    if `over` is not a number of seconds, and if `node` is empty.
    """
    if node == "":
        raise ValueError("The name of the node is empty: name one, or leave it out for all.")
    if over is not None and not 0 <= over < math.inf:
        raise ValueError(f"over is {over}: it must be a number of seconds, 0 or more.")
    # Before the request: a node that is known, and sends no report, is an error.
    known = await aconnections(node=node, limit=0)
    drain = Drain(known.nodes, known.missing, is_undone=over is None)
    with suppress(TimeoutError):
        # An application that never ends must not keep the caller waiting: systemd stops the server
        # after this command.
        async with asyncio.timeout((over or 0) + LINGER):
            await _follow(drain, {"kind": "drain", "node": node, "over": over}, follow)
    return drain


async def _follow(drain: Drain, message: Message, follow: Callable[[Drain], None] | None) -> None:
    async with asking(message) as reports:
        while not drain.is_over:
            with suppress(TimeoutError):
                # Continue without a report too, to give up the nodes that have fallen silent.
                async with asyncio.timeout(1):
                    drain.note(await reports.get())
            drain.give_up()
            if follow:
                follow(drain)
