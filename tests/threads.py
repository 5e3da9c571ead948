"""Run database code in a thread of its own, and leave no connection open there."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from django.db import connections

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: object, **named: object) -> T:
    """Return the function's result. The thread ends with the test, and its connection before it.

    Since Python 3.13 a connection that is never closed is a ResourceWarning.
    """

    def run() -> T:
        try:
            return function(*arguments, **named)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)
