"""Start background tasks on the running event loop, and keep a reference until they finish."""

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["is_in_loop", "spawn"]

_tasks: set[asyncio.Task[Any]] = set()
"""References, because an event loop keeps none: a task without one may be garbage-collected."""


def spawn(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Start a task in the background."""
    task = asyncio.create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def is_in_loop() -> bool:
    """Return whether this thread runs an event loop right now, so that it must not block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
