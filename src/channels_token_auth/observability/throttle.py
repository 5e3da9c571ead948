"""Limit equal log lines to one in a period."""

import threading
import time
from collections.abc import Hashable

__all__ = ["Throttle"]

MAX_KEYS = 1000
"""Kinds that are remembered. With more, the oldest may pass again: memory stays bounded."""


class Throttle:
    """Lets each kind of line pass once in `seconds`. Any thread may ask."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._passed: dict[Hashable, tuple[float, int]] = {}
        """When a line of each kind passed last, and how many did not since."""
        self._lock = threading.Lock()

    def allows(self, kind: Hashable) -> bool:
        """Return whether a line of this kind may be logged now, and note that it is."""
        return self.admit(kind) is not None

    def admit(self, kind: Hashable) -> int | None:
        """Return how many lines of this kind were held back before this one, which may be logged
        now; None to hold back this one, too.
        """
        # The monotonic clock: an administrator who sets the time must not silence the log.
        now = time.monotonic()
        with self._lock:
            last, held = self._passed.get(kind, (None, 0))
            if last is not None and now - last < self._seconds:
                self._passed[kind] = (last, held + 1)
                return None
            self._passed.pop(kind, None)  # to the end: the first key is the oldest
            if len(self._passed) >= MAX_KEYS:
                del self._passed[next(iter(self._passed))]
            self._passed[kind] = (now, 0)
            return held

    def reset(self) -> None:
        """Forget all, as if nothing had been logged yet."""
        with self._lock:
            self._passed.clear()
