"""Choose the number of errands in one batch."""

__all__ = ["MAX_BATCH", "Pace"]

MAX_BATCH = 128
"""Most errands in one batch. Smaller batches need more round trips to a distant database when many
clients reconnect; larger ones delay the first answer."""

MIN_BATCH = 4
"""Fewest errands in one batch: backends may send requests in parallel."""

LONG = 0.5
"""Seconds that a batch of a remote service should take at most: its errands wait for all of it."""


class Pace:
    """The size of a lane's next batch. `is_steady`: as large as possible.

    One query answers for 128 rows as for one. A backend that asks another server for one token
    after another needs 128 times as long, which is more than VERIFY_TIMEOUT for all of the batch.
    """

    def __init__(self, *, is_steady: bool) -> None:
        self._is_steady = is_steady
        # The speed of a remote service is not known yet: begin between the bounds.
        self.size = MAX_BATCH if is_steady else 8 * MIN_BATCH

    def note(self, count: int, seconds: float) -> None:
        """Adapt the size to the time that a batch has taken."""
        if self._is_steady:
            return
        if seconds > LONG:
            # By the number of errands that took so long, which may be below the allowed size.
            self.size = max(MIN_BATCH, min(self.size, count) // 2)
        # Only a full batch shows that the service may manage a larger one.
        elif count >= self.size and seconds < LONG / 2:
            self.size = min(MAX_BATCH, self.size * 2)
