"""Answer GET /sweep: run one sweep over the open sockets, and return its cost."""

import asyncio
import time

from benchmarks.project.lag import Lag
from benchmarks.project.queries import counts
from channels_token_auth.node.node import here
from channels_token_auth.node.sweep import Sweep

__all__ = ["sweep"]

QUIET = 1.0


async def sweep(_question):
    """Run a sweep as the node does, but now and not by its timer."""
    sockets, lag = here().registry, Lag()
    async with lag.measure():
        await asyncio.sleep(QUIET)
    quiet = lag.longest
    before, began = dict(counts), time.monotonic()
    async with lag.measure():
        node = here()
        sweep = Sweep(
            node.name, node.registry, node.bulk_close, before=None, interval=60, grace=None
        )
        await sweep.once()
        took = time.monotonic() - began
    return {
        "sockets": len(sockets),
        "seconds": took,
        "queries": counts["queries"] - before["queries"],
        "waited": counts["query_seconds"] - before["query_seconds"],
        "stall": lag.longest,
        "quiet": quiet,
    }
