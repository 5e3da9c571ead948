"""Limit two rates with token buckets that count in whole numbers.

This is the "generic cell rate algorithm" of ITU-T I.371. A bucket stores one number: the time at
which all units taken so far are free again. So a unit has a price, which is a time: at 100 in a
second, 10 ms. Rounding would make a rate of 3 in 7 seconds drift, and floats lose units after some
months. So times are counted in parts of a microsecond that are small enough for whole prices.

`Traffic` takes from both buckets of a user at once. It does so in a single function, because that
runs for every frame, and a call takes as long as all the arithmetic of a bucket.
"""

from math import gcd, lcm

from ..limits import Rate

__all__ = ["MICROSECONDS", "common_scale", "prices"]

MICROSECONDS = 1_000_000
"""Microseconds of a second. All times here are whole microseconds of a monotonic clock."""


def common_scale(*rates: Rate | None) -> int:
    """Return the parts of a microsecond in which one unit of each rate has a whole price."""
    return lcm(*(each.count // _divisor(each) for each in rates if each))


def prices(rate: Rate | None, scale: int) -> tuple[int, int]:
    """Return the price of one unit, and of the whole count; both are 0 without a limit.

    `scale`: see `common_scale`.
    """
    if rate is None:
        return 0, 0
    price = rate.seconds * MICROSECONDS * scale // rate.count
    return price, rate.count * price


def _divisor(rate: Rate) -> int:
    # Without their common divisor, nearly all numbers here fit into 60 bits, with which CPython
    # calculates faster. At 100 in a second, a unit takes 10,000 times 1 instead of 1,000,000.
    return gcd(rate.count, rate.seconds * MICROSECONDS)
