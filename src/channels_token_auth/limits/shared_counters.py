"""Counters that several processes share, in a store that the package `limits` can use.

No handshake waits for the store: this process counts by itself, and a separate thread adds the
counts to the store a moment later, many at a time. If a key is over its limit in the store, the
thread blocks it in the counter of this process. So admitting a handshake needs no request to the
store, and while the store is unavailable, each process goes on with its own counts.
"""

import os
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from .. import conf
from ..core.credentials import Secret
from ..core.limits import Limit, Rate
from ..loop_local import at_fork
from ..observability.error_log import log_error
from ..observability.outage_watch import OutageWatch
from ..observability.throttle import Throttle

__all__ = ["MAX_PENDING", "SharedCounters", "Store", "build_store", "shared_counters"]

MAX_PENDING = 10_000
"""The maximal number of keys whose counts wait for the store. Counts of further keys stay local."""

COLLECT = 0.05
"""Seconds for which counts are collected before they are sent together."""

RETRY = 1.0
"""Seconds before a store that failed is tried again."""

IDLE = 30.0
"""Seconds without a count after which the thread ends."""

TIMEOUT = 2.0
"""Seconds that Redis may take to answer."""

NAME = "STORAGE"

throttle = Throttle()


class _Building:
    """The lock under which stores are built, one at a time in a process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_building = _Building()
# A thread that a forked child does not inherit may hold the lock, which no thread would release.
at_fork(after_in_child=_building.__init__)  # type: ignore[misc]

outages = OutageWatch(
    "limits",
    began="LIMITS[%r] unavailable: until it answers, each process counts by itself. %s",
    ended="LIMITS[%r] available again: counts are shared.",
)


class Store(Protocol):
    """The methods of a storage of the package `limits` that are used here."""

    def incr(self, key: str, expiry: int, *, amount: int) -> int:
        """Add to a counter that expires by itself, and return its value."""
        ...

    def get_expiry(self, key: str) -> float:
        """Return when the counter expires, in seconds since the epoch."""
        ...


class Counter(Protocol):
    """A counter of this process. The shared counters block the keys that are over the limit."""

    limit: Limit
    rate: Rate

    def block(self, key: str, seconds: float) -> None:
        """Treat the key as over the limit for so long."""
        ...


def build_store(uri: Secret) -> Store:
    """Build the store of a URI, without a connection. Raises what the package `limits` raises."""
    from limits.storage import Storage, storage_from_string  # noqa: PLC0415 - the extra "limits"

    scheme = uri.reveal().partition(":")[0]
    # Only these drivers have the options. Without a timeout, a hanging Redis would hold the thread.
    options: dict[str, Any] = {}
    if scheme.startswith(("redis", "valkey")):
        options = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    store = storage_from_string(uri.reveal(), **options)
    if not isinstance(store, Storage):
        raise TypeError('LIMITS["STORAGE"] begins with "async+": remove that.')
    return store


class SharedCounters:
    """Adds the counts of this process to those of all others."""

    def __init__(self, uri: Secret) -> None:
        self._uri = uri
        self._start()

    def _start(self) -> None:
        # Called again in a forked child: there, the thread is gone, and the lock may be held by it.
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._has_counts = threading.Event()
        self._pending: dict[tuple[Counter, str], int] = {}
        self._thread: threading.Thread | None = None
        self._store: Store | None = None

    def add(self, counter: Counter, key: str, amount: int) -> None:
        """Queue the amount to be added to the store. Returns at once."""
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            place = counter, key
            # Dropped and not waited for: a flood of addresses must not delay handshakes. This
            # process has counted them by itself.
            if place not in self._pending and len(self._pending) >= MAX_PENDING:
                return
            self._pending[place] = self._pending.get(place, 0) + amount
            self._has_counts.set()
            if self._thread is None:
                self._start_thread()

    def _start_thread(self) -> None:
        name = "channels-token-auth limits"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # a limit of the system, or the process is ending
            # The next count tries again. This process has counted these by itself.
            if throttle.allows(NAME):
                log_error("The thread of the shared limits could not start.", error, brief=True)
        else:
            self._thread = thread

    def _run(self) -> None:
        # The thread ends when it is idle: a process without traffic keeps no thread.
        while self._has_counts.wait(IDLE) or not self._may_end():
            # What arrives meanwhile is added up, so that the store gets one request for each key.
            time.sleep(COLLECT)
            with self._lock:
                counts, self._pending = self._pending, {}
                self._has_counts.clear()
            try:
                self._send(counts)
            except Exception as error:  # noqa: BLE001 - whatever a store's driver raises
                # These counts are not sent again: only this process has them.
                outages.failed(NAME, error)
                time.sleep(RETRY)
            else:
                outages.works(NAME)

    def _may_end(self) -> bool:
        with self._lock:
            if self._pending:
                return False
            self._thread = None
            return True

    def _send(self, counts: Mapping[tuple[Counter, str], int]) -> None:
        if self._store is None:
            # One at a time: the package limits reports a driver as missing while another thread
            # imports it.
            with _building.lock:
                self._store = build_store(self._uri)
        for (counter, key), amount in counts.items():
            # A keyed hash: sites that share a store have separate counters, and the store holds no
            # addresses.
            count, seconds = counter.rate.count, counter.rate.seconds
            # The count as well: a process counts routes with different rates separately, and the
            # smaller one must not be used up on the route with the larger one.
            parts = (counter.limit.value, str(count), str(seconds), key)
            name = f"channels_token_auth.{conf.site_keys().name('limit', *parts)}"
            if self._store.incr(name, seconds, amount=amount) >= count:
                counter.block(key, self._store.get_expiry(name) - time.time())


def _no_stores(_: conf.Configuration) -> dict[Secret, SharedCounters]:
    return {}


_stores = conf.derived(_no_stores)


def shared_counters(uri: Secret) -> SharedCounters:
    """Return the shared counters of a URI: one for all limits and routes of this process."""
    stores = _stores()
    if uri not in stores:
        stores[uri] = SharedCounters(uri)
    return stores[uri]
