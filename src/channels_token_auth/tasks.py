"""Start background tasks on the running event loop, and call blocking code from there."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

from .core.errors import TokenAuthError

__all__ = ["asynchronous", "is_in_loop", "spawn"]

P = ParamSpec("P")
T = TypeVar("T")

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


def asynchronous(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the form of a blocking function for asynchronous code: `arevoke` for `revoke`.

    It has the same signature, so that editors and type checkers know its arguments. It runs in the
    thread of the site's other synchronous code, which has the transaction of a test.
    """

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await sync_to_async(function)(*args, **kwargs)
        except TokenAuthError as error:
            # An argument may be a token, and error reporters show the variables of each frame: of
            # asgiref's, which have the arguments, and of this one. The error explains itself.
            del args, kwargs
            raise error.with_traceback(None)  # noqa: B904 - the same error

    # `wraps` has copied the names and the docstring of the blocking function.
    call.__name__ = call.__qualname__ = f"a{function.__name__}"
    call.__doc__ = f"`{function.__name__}` for asynchronous code, with the same arguments."
    return call
