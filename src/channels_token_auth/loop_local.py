"""One value for each event loop of this process, dropped when its loop is closed."""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any, Generic, TypeVar
from weakref import WeakSet

__all__ = ["LoopLocal", "at_fork"]

T = TypeVar("T")

at_fork: Callable[..., None] = getattr(os, "register_at_fork", lambda **_: None)
"""Register functions as `os.register_at_fork` does, where there are forks: Windows has none."""


class LoopLocal(Generic[T]):
    """Values by event loop. Any thread may read them; a fork has none.

    A value may hold its loop: a closed loop is dropped explicitly, not by the garbage collector.
    """

    def __init__(self) -> None:
        self._clear()
        _all.add(self)

    def get(self) -> T | None:
        """Return the value of the running event loop, or None."""
        # Without the lock, because each handshake calls this: reading one key of a dictionary is
        # atomic.
        return self._values.get(asyncio.get_running_loop())

    def set(self, value: T) -> None:
        """Set the value of the running event loop."""
        self.choose(lambda _: value)

    def choose(self, choice: Callable[[Collection[T]], T]) -> T:
        """Set what `choice` returns for the values of all open loops, and return it.

        Loops in other threads choose one after the other. `choice` must not use this object.
        """
        with self._lock:
            for loop in [each for each in self._values if each.is_closed()]:
                del self._values[loop]
            value = choice(self._values.values())
            self._values[asyncio.get_running_loop()] = value
        return value

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[tuple[asyncio.AbstractEventLoop, T]]:
        """Yield the open loops and their values."""
        with self._lock:
            # A copy: another thread may add a loop while the caller iterates.
            values = list(self._values.items())
        return ((loop, value) for loop, value in values if not loop.is_closed())

    def _clear(self) -> None:
        # A new lock too: another thread may have held the old one at the moment of the fork.
        self._lock = threading.Lock()
        self._values: dict[asyncio.AbstractEventLoop, T] = {}


_all: WeakSet[LoopLocal[Any]] = WeakSet()


def _after_fork() -> None:
    for each in list(_all):
        each._clear()  # noqa: SLF001 - of this module


at_fork(after_in_child=_after_fork)


if sys.version_info < (3, 12):
    import ctypes

    def _at_exit() -> None:
        """Keep the loops that were left open until the process has ended.

        daphne ends with open sockets, and leaves their tasks to its loop. Python 3.11 collects
        these after it has cleared asyncio's C module, and crashes (segmentation fault) when
        `Queue.get()` formats its future for an error. What has one reference too many is not
        collected.
        """
        for loop in {loop for each in list(_all) for loop, _ in each}:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(loop))

    atexit.register(_at_exit)
