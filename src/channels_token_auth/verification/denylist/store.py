"""Store denials: in a Django cache, or in this process if the cache is local to it.

A `LocMemCache` evicts entries when it has more than 300. So tickets and a site's own entries could
evict denials, and revoked tokens would be valid again. The denials of such a site are stored in a
dictionary instead. It needs no limit: each entry is an act of a user or an operator, and expires.
"""

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.core.cache import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.signals import setting_changed

from ...backends.primary_cache import primary_cache
from ...observability.outage_watch import OutageWatch

__all__ = [
    "CacheUnavailable",
    "Store",
    "cache_outages",
    "forget_entries",
    "is_in_memory",
    "is_shared",
    "open_store",
]

cache_outages = OutageWatch(
    "cache",
    began="Cache %r unavailable: tickets, and tokens that may be denied, are refused with 4503. %s",
    ended="Cache %r available again.",
)


class CacheUnavailable(Exception):  # noqa: N818 - named like the verdict that it causes
    """The cache failed, or did not keep a value."""


class Store(Protocol):
    """The methods of a store of denials. They raise the exceptions of the cache."""

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """Return the entries that exist."""
        ...

    def add(self, key: str, value: Any, timeout: float | None) -> bool:
        """Store an entry, unless there is one. Return True if it was stored."""
        ...

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Store an entry for so many seconds; None: for ever."""
        ...

    def delete(self, key: str) -> bool:
        """Delete an entry. Return True if there was one."""
        ...


def is_shared(alias: str) -> bool:
    """Return whether other processes can read the values in this cache.

    If not, only the processes that hold sockets can revoke tokens without a row: a command or a
    worker would store the revocation in its own memory.
    """
    return not isinstance(primary_cache(alias), LocMemCache | DummyCache)


def is_in_memory(alias: str) -> bool:
    """Return whether denials are kept in this process, so that reading them cannot block."""
    return isinstance(primary_cache(alias), LocMemCache)


@contextmanager
def open_store(alias: str) -> Iterator[Store]:
    """Yield the store of a cache's denials. Its exceptions are raised as CacheUnavailable."""
    try:
        with cache_outages.watch(alias):
            cache = primary_cache(alias)
            # Not LocMemCache itself: it evicts entries when it is full, and an evicted denial would
            # make a revoked token valid again.
            yield _in_process(alias) if isinstance(cache, LocMemCache) else _CacheStore(cache)
    except CacheUnavailable:
        raise
    except Exception as error:
        raise CacheUnavailable from error


class _CacheStore:
    """Entries in a cache that other processes share."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache
        self.get_many = cache.get_many
        self.add = cache.add
        self.delete = cache.delete

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        self._cache.set(key, value, timeout)
        if self._cache.get(key) != value:  # some caches hide their errors
            raise CacheUnavailable


class _ProcessStore:
    """Entries of this process. Expired ones are removed when others are stored."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[Any, float | None]] = {}
        self._sweep_at = 1000

    def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        with self._lock:
            return {key: self._entries[key][0] for key in keys if self._has(key)}

    def add(self, key: str, value: Any, timeout: float | None) -> bool:
        with self._lock:
            if self._has(key):
                return False
            self._put(key, value, timeout)
            return True

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        with self._lock:
            self._put(key, value, timeout)

    def delete(self, key: str) -> bool:
        with self._lock:
            return self._entries.pop(key, None) is not None

    def _has(self, key: str) -> bool:
        entry = self._entries.get(key)
        return entry is not None and (entry[1] is None or time.time() < entry[1])

    def _put(self, key: str, value: Any, timeout: float | None) -> None:
        self._entries[key] = value, None if timeout is None else time.time() + timeout
        if len(self._entries) >= self._sweep_at:
            self._entries = {key: self._entries[key] for key in self._entries if self._has(key)}
            # Wait until their number has doubled, so that the cost per entry is constant.
            self._sweep_at = max(1000, 2 * len(self._entries))


_stores: dict[str, _ProcessStore] = {}


def _in_process(alias: str) -> _ProcessStore:
    # `setdefault` is atomic, so that two threads get the same store.
    return _stores.get(alias) or _stores.setdefault(alias, _ProcessStore())


def forget_entries() -> None:
    """Forget the denials in this process, and outages: as a process that has just started."""
    _stores.clear()
    cache_outages.reset()


def _forget(setting: str, **_: Any) -> None:
    if setting == "CACHES":
        forget_entries()


setting_changed.connect(_forget, dispatch_uid=f"{__name__}._forget")
