"""Find leaks: what the nodes that serve the whole day hold at its end, and not before."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .nodes import Node

__all__ = ["Holdings", "Sample"]

SPARE = {"tasks": 3, "timers": 5, "descriptors": 12}
"""Tolerances, since pools of connections to Redis and PostgreSQL may grow a little."""

OF_A_SOCKET = tuple(
    f"channels_token_auth.{name}"
    for name in ("connection.", "consumers.", "core.lifecycle.", "core.live_authentication.")
)
"""Modules whose objects belong to one socket. Other modules have caches, which are bounded."""

STALE = 20

SETTLING = 30.0
MEGABYTE = 2**20
ALLOWED = 16 * MEGABYTE
"""Bytes that the process may grow by between its first full minute and the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Memory of one node at one moment."""

    at: float
    rss: int
    clients: int


@dataclass(slots=True)
class Holdings:
    """The resources of the two nodes that no fault affects."""

    nodes: list[Node]
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    async def note_idle(self) -> None:
        """Record what they hold without a client."""
        for node in self.nodes:
            node.idle = await state(node)

    async def sample(self) -> None:
        """Record their memory while all clients are connected."""
        for node in self.nodes:
            found = await state(node)
            sample = Sample(at=time.time(), rss=found["rss"], clients=node.clients)
            self.samples.setdefault(node.name, []).append(sample)

    async def leaks(self) -> list[str]:
        """Return what remains after all clients have left, in words."""
        deadline = time.monotonic() + SETTLING
        while (found := [each async for each in self._left()]) and time.monotonic() < deadline:
            await asyncio.sleep(2)
        return [*found, *self._growth()]

    async def _left(self):
        for node in self.nodes:
            now = await state(node)
            for name, spare in SPARE.items():
                if now[name] > node.idle[name] + spare:
                    yield f"{node.name}: {node.idle[name]} → {now[name]} {name}"
            for name, count in now["objects"].items():
                if name.startswith(OF_A_SOCKET) and count > STALE:
                    yield f"{node.name}: {count} objects of {name}"

    def _growth(self) -> Iterator[str]:
        for name, samples in self.samples.items():
            # Each has had its most clients within the first half.
            early, late = samples[: len(samples) // 2], samples[len(samples) // 2 :]
            if early and late:
                grown = max(each.rss for each in late) - max(each.rss for each in early)
                if grown > ALLOWED:
                    yield f"{name}: {grown / MEGABYTE:.0f} MB more in the second half"


async def state(node: Node) -> dict[str, Any]:
    """Return the state of a node after a garbage collection."""
    return await asyncio.to_thread(node.server.state, "objects")
