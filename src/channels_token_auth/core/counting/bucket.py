"""Let as much pass as a rate allows: a token bucket in whole numbers.

It is the "generic cell rate algorithm" of ITU-T I.371. One number is kept: when all that was taken
will be paid off. Times are multiplied by the rate's count, so that a unit costs a whole number of
them; rounding would let a rate of 3 in 7 seconds drift, and floats lose units after some months.
"""

from ..limits import Rate

__all__ = ["MICROSECONDS", "Bucket"]

MICROSECONDS = 1_000_000
"""Microseconds of a second. All times here are whole microseconds of a monotonic clock."""


class Bucket:
    """Lets a whole `Rate.count` pass at once, and then as much as the rate pays off.

    So in any period of the rate at most twice its count passes.
    """

    __slots__ = ("_capacity", "_cost", "_paid_at", "_scale")

    def __init__(self, rate: Rate) -> None:
        self._scale = rate.count
        self._cost = rate.seconds * MICROSECONDS
        self._capacity = rate.count * self._cost
        self._paid_at = 0

    def take(self, amount: int, now: int) -> bool:
        """Take so much and return True; or leave the bucket as it is, if it has less."""
        present = now * self._scale
        paid_at = self._paid_at
        if paid_at < present:  # noqa: PLR1730 - for every frame: max() takes longer
            paid_at = present
        paid_at += amount * self._cost
        if paid_at - present > self._capacity:
            return False
        self._paid_at = paid_at
        return True

    def full_in(self, now: int) -> int:
        """Return the whole seconds, rounded up, until nothing is owed."""
        owed = max(0, self._paid_at - now * self._scale)
        return -(-owed // (self._scale * MICROSECONDS))
