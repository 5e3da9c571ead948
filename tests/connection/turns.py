"""Wait until other tasks have come as far as they can."""

import asyncio

__all__ = ["rest"]

TURNS = 50


async def rest(seconds: float) -> None:
    """Let other tasks and threads run for so long, and for many turns of the event loop.

    A sleep alone ends after one turn if the machine pauses for as long in its first one.
    """
    await asyncio.sleep(seconds)
    for _ in range(TURNS):
        await asyncio.sleep(0)
