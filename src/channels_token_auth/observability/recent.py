"""Count why sockets of this process were closed, and which limits were reached, for an hour.

The admin page shows it. It is bounded, kept in memory, and lost with the process: for history there
are audit records and metrics.
"""

import threading

from ..clock import clock
from ..core.close_codes import CloseReason
from ..core.counting.recent import RecentCounts
from .events import LimitReached, subscribe

__all__ = ["NOT_OURS", "closes", "limits", "note_close", "start"]

NOT_OURS = "other"
"""The name of a close by the client, the network or the application."""


class _Recent:
    """Any thread may use it: requests over HTTP reach limits too."""

    def __init__(self) -> None:
        self._counts = RecentCounts()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Count one more."""
        with self._lock:
            self._counts.add(name, clock.steady())

    def counts(self) -> dict[str, int]:
        """Return how often each name occurred in the last hour, the most frequent first."""
        with self._lock:
            return self._counts.counts(clock.steady())


closes, limits = _Recent(), _Recent()


def note_close(code: CloseReason | int | None) -> None:
    """Count the close of a socket that was admitted.

    A call besides the event `ConnectionClosed`: that is not built for a socket if only this
    module would use it.
    """
    closes.add(code.value if isinstance(code, CloseReason) else NOT_OURS)


def start() -> None:
    """Begin to count the limits."""
    subscribe(LimitReached, _count)


def _count(event: LimitReached) -> None:
    limits.add(event.limit.value)
