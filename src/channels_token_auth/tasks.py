"""Work of our own beside whoever caused it, in the running event loop, which ends it if it ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["is_in_loop", "spawn"]

_tasks: set[asyncio.Task[Any]] = set()
"""Referenced here, since an event loop does not."""


def spawn(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start it, and let nobody wait for it."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def is_in_loop() -> bool:
    """Whether this thread runs an event loop at this moment, so that it may not wait."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
