"""Let one process at a time change an entry of the denylist, by a second entry in the same cache.

Two processes that read an entry, add to it and store it at the same time would lose one denial. A
cache has no transactions, but `add` lets one of them succeed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from .store import CacheUnavailable, Store

__all__ = ["LOCK_SECONDS", "locked"]

LOCK_SECONDS = 2
"""How long one process may keep others from an entry: the cache removes the lock after that."""

GRACE_SECONDS = 1
"""How much longer others wait, so that the lock of a process that died is gone by then."""

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05

StillHeld = Callable[[], None]
"""Raises CacheUnavailable if the lock has lapsed. Call it before the entry is stored."""


@contextmanager
def locked(entries_of: Store, key: str) -> Iterator[StillHeld]:
    """Hold the lock of an entry. Raises CacheUnavailable if it cannot be had in time."""
    lock, own = f"{key}.lock", uuid4().hex
    lapses_at = _take(entries_of, lock, own)

    def require() -> None:
        # Another process may have the lock by now: what was read before is out of date.
        if time.monotonic() >= lapses_at:
            raise CacheUnavailable

    try:
        yield require
    finally:
        # Only the holder deletes it. After it has lapsed, it may be the lock of another process.
        if time.monotonic() < lapses_at and entries_of.get_many([lock]).get(lock) == own:
            entries_of.delete(lock)


def _take(entries_of: Store, lock: str, own: str) -> float:
    """Wait for the lock, and return until when it is held, on the steady clock."""
    gives_up_at, pause = time.monotonic() + LOCK_SECONDS + GRACE_SECONDS, FIRST_PAUSE
    while True:
        # Taken before the call: the cache begins to count later, never earlier.
        lapses_at = time.monotonic() + LOCK_SECONDS
        if entries_of.add(lock, own, LOCK_SECONDS):
            return lapses_at
        if time.monotonic() >= gives_up_at:
            raise CacheUnavailable
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
