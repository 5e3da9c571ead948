"""Measure how late an event loop is: the longest wait for a turn."""

import asyncio
import time
from contextlib import asynccontextmanager

__all__ = ["Lag"]

TICK = 0.001


class Lag:
    """Measures stalls. `longest`: the most seconds by which a sleep of a millisecond was late."""

    longest = 0.0

    @asynccontextmanager
    async def measure(self):
        """Measure every tick in the block, and the one that the end of the block delays."""
        self.longest = 0.0
        ticking = asyncio.create_task(self._tick())
        try:
            yield self
            await asyncio.sleep(2 * TICK)
        finally:
            ticking.cancel()

    async def _tick(self):
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.monotonic() - before - TICK)
