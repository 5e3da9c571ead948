"""Count how often each key did something, in windows of fixed length and in bounded memory."""

import math
import threading
from collections import deque

from .. import conf
from ..clock import clock
from ..core.credentials import Secret
from ..core.limits import Limit, Rate
from .shared_counters import SharedCounters, shared_counters

__all__ = ["MAX_KEYS", "RateCounter", "rate_counter"]

MAX_KEYS = 100_000
"""The maximal number of keys of a counter, in about 25 MB. More keys drop the oldest windows."""


class RateCounter:
    """The counts of one rate, for keys such as addresses. Any thread may use it.

    A key's window begins with its first count, has the length of the rate, and does not slide. So
    all windows end in the order in which they began, which makes deleting old ones cheap.

    This process counts everything by itself, even if the shared counters are unavailable. `shared`
    adds the counts of other processes a moment later, so that no handshake waits for a store.
    """

    def __init__(self, limit: Limit, rate: Rate, shared: SharedCounters | None = None) -> None:
        self.limit = limit
        self.rate = rate
        self._shared = shared
        self._windows: dict[str, _Window] = {}
        # A dictionary is ordered, too, but finding its first key is slow after many deletions.
        self._order: deque[_Window] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def add(self, key: str, amount: int = 1) -> None:
        """Count `amount` for the key."""
        now = clock.steady()
        with self._lock:
            self._window(key, now).count += amount
        # Without the lock, since the shared counters take one of their own.
        if self._shared:
            self._shared.add(self, key, amount)

    def wait(self, key: str) -> int | None:
        """Return the whole seconds for which the key is over the limit; None if it is not."""
        # Reading a dictionary needs no lock: at worst, this finds a window that has just ended.
        window = self._windows.get(key)
        if window is None or window.count < self.rate.count:
            return None
        now = clock.steady()
        return None if window.ends_at <= now else max(1, math.ceil(window.ends_at - now))

    def block(self, key: str, seconds: float) -> None:
        """Record that the key is over the limit for so long, as the shared counters found."""
        now = clock.steady()
        with self._lock:
            # At most the length of the rate: the clock of the store may differ from this one.
            window, ends_at = self._window(key, now), now + min(seconds, self.rate.seconds)
            window.ends_at = max(window.ends_at, ends_at) if window.count else ends_at
            window.count = max(window.count, self.rate.count)

    def _window(self, key: str, now: float) -> "_Window":
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            self._make_room(now)
            window = self._windows[key] = _Window(key, now + self.rate.seconds)
            self._order.append(window)
        return window

    def _make_room(self, now: float) -> None:
        """Delete windows that have ended; if there are too many, also those that end next."""
        order, windows = self._order, self._windows
        for _ in range(2):  # two for each new one: their number falls, and no call takes long
            if not order or (order[0].ends_at > now and len(order) < MAX_KEYS):
                return
            oldest = order.popleft()
            if windows.get(oldest.key) is oldest:  # else the key has a later one
                del windows[oldest.key]


_Key = tuple[Limit, Rate, Secret | None]


class _Window:
    __slots__ = ("count", "ends_at", "key")

    def __init__(self, key: str, ends_at: float) -> None:
        self.key = key
        self.count = 0
        self.ends_at = ends_at


def _no_counters(_: conf.Configuration) -> dict[_Key, RateCounter]:
    return {}


_counters = conf.derived(_no_counters)


def rate_counter(limit: Limit, rate: Rate, storage: Secret | None = None) -> RateCounter:
    """Return the counter of this process for a limit and a rate. All routes share it.

    `storage`: the URI of the shared counters. After a change of settings, counting begins anew.
    """
    counters, key = _counters(), (limit, rate, storage)
    if key not in counters:
        shared = None if storage is None else shared_counters(storage)
        counters[key] = RateCounter(limit, rate, shared)
    return counters[key]
