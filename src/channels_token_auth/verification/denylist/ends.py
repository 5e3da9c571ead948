"""Compute the end of a token's denial, which is the value of its entry on the denylist.

A second denial may not know the expiry that the first one knew, and must never shorten its entry.
So the entry contains its own end.
"""

import time
from collections.abc import Iterable
from typing import Any

__all__ = ["FOR_GOOD", "end_after", "latest_end", "seconds_until"]

FOR_GOOD = 2
"""The value of an entry without an end. All others are epoch times."""

LONGEST = 10 * 365 * 86_400.0
"""Most seconds until an end. A later one counts as none: memcached reads times of 32 bits, and a
database's dates end with the year 9999, which some issuers write as "never"."""


def end_after(seconds: float | None) -> float:
    """Return the end of an entry that lasts so many seconds; None: for ever."""
    return FOR_GOOD if seconds is None or seconds > LONGEST else time.time() + seconds


def latest_end(ends: Iterable[Any]) -> float:
    """Return the latest end of several entries for the same token."""
    # Older releases stored the value 1, without an end, which may be later than all others.
    known = [FOR_GOOD if each <= FOR_GOOD else float(each) for each in ends]
    return FOR_GOOD if FOR_GOOD in known else max(known)


def seconds_until(end: float) -> float | None:
    """Return the seconds for which a cache has to keep an entry with this end; None: for ever."""
    left = end - time.time()
    return None if end == FOR_GOOD or left > LONGEST else max(1.0, left)
