"""Limit a rate with a token bucket that counts in whole numbers.

This is the "generic cell rate algorithm" of ITU-T I.371. A bucket stores one number: the time at
which all units taken so far are free again. Times are multiplied by the rate's count, so that each
unit takes a whole number of them. Rounding would make a rate of 3 in 7 seconds drift, and floats
lose units after some months.
"""

from math import gcd

from ..limits import Rate

__all__ = ["MICROSECONDS", "Bucket"]

MICROSECONDS = 1_000_000
"""Microseconds of a second. All times here are whole microseconds of a monotonic clock."""


class Bucket:
    """Allow `Rate.count` units at once, and then as many as become free at the given rate.

    So at most twice the count is allowed in any period of `Rate.seconds`.
    """

    __slots__ = ("_capacity", "_cost", "_paid_at", "_scale")

    def __init__(self, rate: Rate) -> None:
        # Without their common divisor, nearly all numbers here fit into 60 bits, with which CPython
        # calculates faster. At 100 in a second, a unit takes 10,000 times 1 instead of 1,000,000.
        cost = rate.seconds * MICROSECONDS
        divisor = gcd(rate.count, cost)
        self._scale = rate.count // divisor
        self._cost = cost // divisor
        self._capacity = rate.count * self._cost
        self._paid_at = 0

    def take(self, amount: int, now: int) -> bool:
        """Take the amount and return True; or return False and take nothing if less is left."""
        present = now * self._scale
        paid_at = self._paid_at
        if paid_at < present:  # noqa: PLR1730 - for every frame: max() takes longer
            paid_at = present
        # A refused amount changes nothing: a client that keeps sending does not lengthen its wait.
        paid_at += amount * self._cost
        if paid_at - present > self._capacity:
            return False
        self._paid_at = paid_at
        return True

    def full_in(self, now: int) -> int:
        """Return the seconds, rounded up, until the whole count is available again."""
        owed = max(0, self._paid_at - now * self._scale)
        return -(-owed // (self._scale * MICROSECONDS))
