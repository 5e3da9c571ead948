"""Start background tasks, and call asynchronous code from blocking code and the reverse."""

import _thread
import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from functools import partial, wraps
from inspect import currentframe, isbuiltin
from traceback import walk_stack
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import async_to_sync, sync_to_async

from .core.errors import TokenAuthError
from .loop_local import LoopLocal

__all__ = [
    "Background",
    "asynchronous",
    "background",
    "has_real_threads",
    "is_in_loop",
    "spawn",
    "synchronous",
]

P = ParamSpec("P")
T = TypeVar("T")


class Background:
    """The background tasks of one event loop, which end with it.

    A loop that shuts down cancels its tasks, and goes on until they have ended. A timer or the end
    of a socket may start another task meanwhile, which nothing would end: Python reports an error
    when it collects a task that is pending. But the loop closes its asynchronous generators next,
    and one of them ends these tasks.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        """References, because a loop keeps none: a task without one may be garbage-collected."""
        self._has_ended = False
        self._end = self._end_with_the_loop()
        # Run it to its `yield`: a loop knows only the generators that have begun.
        with suppress(StopIteration):
            self._end.asend(None).send(None)

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
        """Start a task. Once the loop has ended its tasks, the work is cancelled at once."""
        if self._has_ended:  # by a timer that fires while the loop waits for its threads
            work.close()
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            return future
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _end_with_the_loop(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self._has_ended = True
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)


_background: LoopLocal[Background] = LoopLocal()


def background() -> Background:
    """Return the background tasks of the running event loop. Call it before the loop shuts down."""
    found = _background.get()
    if found is None:
        _background.set(found := Background())
    return found


def spawn(work: Coroutine[Any, Any, T]) -> "asyncio.Future[T]":
    """Start a task in the background."""
    return background().start(work)


def is_in_loop() -> bool:
    """Return whether an event loop runs the caller right now, so that it must not block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    # Greenlets share a thread: the loop may be that of another one, which waits now.
    return has_real_threads() or any(
        frame.f_code is asyncio.BaseEventLoop.run_forever.__code__
        for frame, _ in walk_stack(currentframe())
    )


def has_real_threads() -> bool:
    """Return False if threads were replaced, as by gevent: all its greenlets share one thread."""
    return isbuiltin(_thread.start_new_thread)


def synchronous(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Return the form of a coroutine function for code outside an event loop.

    The coroutine must not leave the event loop (`sync_to_async`): greenlets have no other thread.
    """
    # While one greenlet runs an event loop, no other one can run its own, and Django refuses the
    # queries of all greenlets of the thread. So the loop needs a real thread, which gevent has.
    gevent = None if has_real_threads() else sys.modules.get("gevent")
    return partial(_in_real_thread, gevent, function) if gevent else async_to_sync(function)


def _in_real_thread(
    gevent: Any, function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    def work() -> T | BaseException:
        try:
            return asyncio.run(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - gevent prints what its threads raise
            return error

    # The other greenlets run until the thread has ended.
    outcome: T | BaseException = gevent.get_hub().threadpool.apply(copy_context().run, (work,))
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


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
