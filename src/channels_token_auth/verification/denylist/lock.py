"""Let one process at a time change an entry of the denylist, by a second entry in the same cache.

If two processes read, change and store an entry at the same time, one denial is lost. A cache has
no transactions, but `add` is atomic: it succeeds in one of the processes only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from .store import CacheUnavailable, Store

__all__ = ["LOCK_SECONDS", "locked"]

LOCK_SECONDS = 2
"""Seconds until a lock expires in the cache, even if its process has died."""

GRACE_SECONDS = 1
"""Seconds that other processes wait longer than that, so that such a lock has expired."""

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05

StillHeld = Callable[[], None]
"""Raises CacheUnavailable if the lock has lapsed. Call it before the entry is stored."""


@contextmanager
def locked(entries_of: Store, key: str) -> Iterator[StillHeld]:
    """Hold the lock of an entry. Raises CacheUnavailable if it stays taken for too long."""
    lock, own = f"{key}.lock", uuid4().hex
    lapses_at = _take(entries_of, lock, own)

    def require() -> None:
        # Another process may have taken the lock and changed the entry that was read here.
        if time.monotonic() >= lapses_at:
            raise CacheUnavailable

    try:
        yield require
    finally:
        # Delete only the own lock. After this one has expired, another process may hold it.
        if time.monotonic() < lapses_at and entries_of.get_many([lock]).get(lock) == own:
            entries_of.delete(lock)


def _take(entries_of: Store, lock: str, own: str) -> float:
    """Wait for the lock, and return the end of its validity on the steady clock."""
    gives_up_at, pause = time.monotonic() + LOCK_SECONDS + GRACE_SECONDS, FIRST_PAUSE
    while True:
        # Read the clock before the call: so the lock ends here before it expires in the cache.
        lapses_at = time.monotonic() + LOCK_SECONDS
        if entries_of.add(lock, own, LOCK_SECONDS):
            return lapses_at
        if time.monotonic() >= gives_up_at:
            raise CacheUnavailable
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
