"""Count how often each key did something, in windows of fixed length and in bounded memory."""

import math
import threading

from .. import conf
from ..clock import clock
from ..core.credentials import Secret
from ..core.limits import Limit, Rate
from .shared_counters import SharedCounters, shared_counters

__all__ = ["MAX_KEYS", "RateCounter", "rate_counter"]

MAX_KEYS = 100_000
"""Keys that one counter remembers at most, in about 25 MB. More drop the oldest windows."""


class RateCounter:
    """The counts of one rate, for keys such as addresses. Any thread may use it.

    A key's window begins with its first count and has the length of the rate; it does not move.
    So all windows end in the order in which they began, which makes forgetting them cheap.

    This process counts everything by itself, whatever the shared counters do. `shared` adds what
    other processes counted, a moment later: nobody waits for a store.
    """

    def __init__(self, limit: Limit, rate: Rate, shared: SharedCounters | None = None) -> None:
        self.limit = limit
        self.rate = rate
        self._shared = shared
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._windows)

    def add(self, key: str, amount: int = 1) -> None:
        """Count."""
        now = clock.steady()
        with self._lock:
            self._drop_old(now)
            window = self._windows.get(key)
            if window is None or window.ends_at <= now:
                self._windows.pop(key, None)  # so that the new one comes last
                window = self._windows[key] = _Window(now + self.rate.seconds)
            window.count += amount
        if self._shared:
            self._shared.add(self, key, amount)

    def wait(self, key: str) -> int | None:
        """Return the whole seconds until the key may go on, None if it may now."""
        now = clock.steady()
        # Reading a dictionary needs no lock; a window that was dropped meanwhile was over anyway.
        window = self._windows.get(key)
        if window is None or window.count < self.rate.count or window.ends_at <= now:
            return None
        return max(1, math.ceil(window.ends_at - now))

    def block(self, key: str, seconds: float) -> None:
        """Take over from the shared counters that the key is over the limit for so long."""
        now = clock.steady()
        with self._lock:
            window = self._windows.pop(key, None) or _Window(0.0)
            window.count = max(window.count, self.rate.count)
            window.ends_at = max(window.ends_at, now + min(seconds, self.rate.seconds))
            self._windows[key] = window

    def _drop_old(self, now: float) -> None:
        windows = self._windows
        # Two at a time: more end than begin, and no single call takes long.
        for _ in range(2):
            oldest = next(iter(windows), None)
            if oldest is None:
                return
            if windows[oldest].ends_at <= now or len(windows) > MAX_KEYS:
                del windows[oldest]


_Key = tuple[Limit, Rate, Secret | None]


class _Window:
    __slots__ = ("count", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.count = 0
        self.ends_at = ends_at


def _no_counters(_: conf.Configuration) -> dict[_Key, RateCounter]:
    return {}


_counters = conf.derived(_no_counters)


def rate_counter(limit: Limit, rate: Rate, storage: Secret | None = None) -> RateCounter:
    """Return the counter of this process for a limit and a rate: all routes share it.

    `storage`: the URI of the shared counters. A changed setting begins with new counters.
    """
    counters, key = _counters(), (limit, rate, storage)
    if key not in counters:
        shared = None if storage is None else shared_counters(storage)
        counters[key] = RateCounter(limit, rate, shared)
    return counters[key]
