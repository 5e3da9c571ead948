"""How late an event loop is: the longest that anybody had to wait for a turn."""

import asyncio
import time
from contextlib import asynccontextmanager

__all__ = ["Lag"]

TICK = 0.001


class Lag:
    """`longest`: seconds that a sleep of a millisecond took longer, since `measure` was entered."""

    longest = 0.0

    @asynccontextmanager
    async def measure(self):
        """Look at every tick of the block, and at the one that it delays at its end."""
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
