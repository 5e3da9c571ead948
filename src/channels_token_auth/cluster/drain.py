"""Have nodes emptied before they are stopped, and watch them get empty."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from . import pubsub
from .connections import aconnections

__all__ = ["Drain", "adrain"]

PATIENCE = 5.0
"""Seconds without a report after which a node is not waited for: it reports once a second."""

LINGER = 30.0
"""Seconds that applications get after the last socket was sent away."""


class Drain:
    """How far it is. `nodes` answered before it began; `silent` were heard of, and did not."""

    def __init__(self, nodes: Sequence[str], silent: Sequence[str], *, is_undone: bool) -> None:
        self.left: dict[str, int] = {}
        """Sockets that are left, by node, as it last said."""
        self.silent = set(silent)
        """Nodes that did not answer, or stopped to. They may have heard all the same."""
        self._waits: dict[str, float] = dict.fromkeys(nodes, time.monotonic())
        self._is_undone = is_undone

    @property
    def is_over(self) -> bool:
        """Whether nobody is waited for any more."""
        return not self._waits

    @property
    def is_done(self) -> bool:
        """Whether somebody answered, and all of them have done what was asked."""
        return bool(self.left) and not self.silent and self.is_over

    def note(self, report: pubsub.Message) -> None:
        """A node says how many are left. It is done when there are none, or nothing to wait for."""
        name = report["node"]
        self.left[name], self._waits[name] = report["left"], time.monotonic()
        self.silent.discard(name)
        if self._is_undone or not report["left"]:
            del self._waits[name]

    def give_up(self) -> None:
        """Wait no more for those that have not been heard for too long."""
        since = time.monotonic() - PATIENCE
        for name in [name for name, at in self._waits.items() if at <= since]:
            del self._waits[name]
            self.silent.add(name)


async def adrain(
    over: float | None, *, node: str | None = None, tell: Callable[[Drain], None] | None = None
) -> Drain:
    """Have nodes refuse who comes and send their sockets away, within `over` seconds. None: take
    that back.

    `node`: one of that name, or a machine's, for all of it. `tell` hears of each step. Returns when
    all are empty, or there is nobody left to wait for. Raises ValueError for a time that is none.
    """
    if over is not None and not 0 <= over < math.inf:
        raise ValueError(f"over is {over}, and not a number of seconds.")
    known = await aconnections(node=node, limit=0)
    drain = Drain(known.nodes, known.missing, is_undone=over is None)
    with suppress(TimeoutError):
        async with asyncio.timeout((over or 0) + LINGER):
            await _watch(drain, {"kind": "drain", "node": node, "over": over}, tell)
    return drain


async def _watch(
    drain: Drain, message: pubsub.Message, tell: Callable[[Drain], None] | None
) -> None:
    async with pubsub.asking(message) as reports:
        while not drain.is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    drain.note(await reports.get())
            drain.give_up()
            if tell:
                tell(drain)
