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

__all__ = ["MICROSECONDS", "Prices", "prices_of"]

MICROSECONDS = 1_000_000
"""Microseconds of a second. All times here are whole microseconds of a monotonic clock."""


Prices = tuple[int, int, int, int, int]
"""The parts of a microsecond in which all times are counted; and for messages, then for bytes, the
price of one unit and of the whole count. Both are 0 without a limit."""


def prices_of(messages: Rate | None, in_bytes: Rate | None) -> Prices:
    """Return the prices of the units of both rates, as whole numbers."""
    # One scale for both, so that the time of a frame is multiplied once.
    scale = lcm(*(each.count // _divisor(each) for each in (messages, in_bytes) if each))
    return (scale, *_prices(messages, scale), *_prices(in_bytes, scale))


def _prices(rate: Rate | None, scale: int) -> tuple[int, int]:
    if rate is None:
        return 0, 0
    price = rate.seconds * MICROSECONDS * scale // rate.count
    return price, rate.count * price


def _divisor(rate: Rate) -> int:
    # Without their common divisor, nearly all numbers here fit into 60 bits, with which CPython
    # calculates faster. At 100 in a second, a unit takes 10,000 times 1 instead of 1,000,000.
    return gcd(rate.count, rate.seconds * MICROSECONDS)
