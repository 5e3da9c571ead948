"""Detect that a cache has lost the denials that were stored in it.

The first denial also stores an epoch: a random id, which each process keeps in memory. A process
that knows an id, and finds none or another one in the cache, has detected that the cache was wiped.
It stores a new epoch with the current time. From then on, all processes refuse stateless tokens
that were issued before that time, since some of them may have been denied. Before the first denial
there is no epoch, and nothing can be lost.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Self
from uuid import uuid4

from .store import CacheUnavailable, Store

__all__ = ["Epoch", "EpochWatch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The time from one wipe of a cache to the next. `wiped_at`: when the former was detected."""

    id: str
    wiped_at: float | None = None

    @classmethod
    def begin(cls, *, wiped_at: float | None = None) -> Self:
        """Return a new epoch."""
        return cls(id=uuid4().hex, wiped_at=wiped_at)

    def to_entry(self) -> dict[str, Any]:
        """Return plain values: some caches store JSON."""
        return asdict(self)

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any] | None) -> Self | None:
        """Read the values of `to_entry`."""
        return None if entry is None else cls(**entry)


class EpochWatch:
    """The epoch of one cache that this process knows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: Epoch | None = None

    @property
    def known_id(self) -> str | None:
        """The id of the epoch that this process knows; None: it knows none."""
        return self._known.id if self._known else None

    def learn(self, epoch_id: str) -> None:
        """Store an id that another node has announced, unless one is known."""
        with self._lock:
            self._known = self._known or Epoch(id=epoch_id)

    def settle(self, store: Store, key: str, entry: Mapping[str, Any] | None) -> Epoch | None:
        """Return the current epoch, given the one in the cache; None: there is none.

        Store a new one if the cache was wiped. Raises the exceptions of the store.
        """
        with self._lock:
            self._known = self._settle(store, key, Epoch.from_entry(entry))
            return self._known

    def ensure(self, store: Store, key: str, entry: Mapping[str, Any] | None) -> None:
        """Settle the epoch before a denial is stored; begin the first one if none exists."""
        with self._lock:
            epoch = self._settle(store, key, Epoch.from_entry(entry))
            self._known = epoch or self._write(store, key, Epoch.begin())

    def _settle(self, store: Store, key: str, found: Epoch | None) -> Epoch | None:
        known = self._known
        if found is None:
            return known and self._write(store, key, Epoch.begin(wiped_at=time.time()))
        if known is None or found.id == known.id or found.wiped_at is not None:
            return found
        # Another id without a time: a process that knew no epoch has begun one in a wiped cache.
        # Record the wipe in it, so that all processes refuse older tokens.
        wiped = Epoch.begin(wiped_at=time.time())
        store.set(key, wiped.to_entry(), None)
        return wiped

    def _write(self, store: Store, key: str, epoch: Epoch) -> Epoch:
        # `add`: of several processes that detect the wipe at once, only one stores its epoch.
        if store.add(key, epoch.to_entry(), None):
            return epoch
        # Another process was faster; or the cache stores nothing, and hides its errors.
        entry = store.get_many([key]).get(key)
        found = Epoch.from_entry(entry)
        if found is None:
            raise CacheUnavailable
        return self._settle(store, key, found) or found
