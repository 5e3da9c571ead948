"""Choose how many errands go into one batch."""

__all__ = ["MAX_BATCH", "Pace"]

MAX_BATCH = 128
"""Errands in one batch at most: with fewer, a storm waits for a far database; more delay the
first."""

MIN_BATCH = 4
"""Errands in one batch of a slow service. A backend may well ask for several at once."""

LONG = 0.5
"""Seconds: a batch of a remote service should take no longer, as its errands wait for all of it."""


class Pace:
    """The size of a lane's next batch. `is_steady`: as large as possible.

    One query answers for 128 rows as for one. A backend that asks another server for one token
    after another needs 128 times as long, which is more than VERIFY_TIMEOUT for all of the batch.
    """

    def __init__(self, *, is_steady: bool) -> None:
        self._is_steady = is_steady
        self.size = MAX_BATCH if is_steady else 8 * MIN_BATCH

    def note(self, count: int, seconds: float) -> None:
        """Take into account how long a batch has taken."""
        if self._is_steady:
            return
        if seconds > LONG:
            self.size = max(MIN_BATCH, min(self.size, count) // 2)
        elif count >= self.size and seconds < LONG / 2:
            self.size = min(MAX_BATCH, self.size * 2)
