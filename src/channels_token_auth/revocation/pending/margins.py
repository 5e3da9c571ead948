"""Bound the time for which sockets outlive their revoked tokens."""

from ...clock import clock

__all__ = ["MAX_MARGIN", "deadline_of"]

MAX_MARGIN = 3600.0
"""Seconds for which sockets may live on at most: until then, no sweep verifies their tokens."""


def deadline_of(margin: float | None) -> float | None:
    """Return when the sockets of a revocation close, in seconds since the epoch; None: at once.

    Raises ValueError for a margin that is negative or over an hour.
    """
    if margin is None:
        return None
    # In this form, NaN is refused too.
    if not 0 <= margin <= MAX_MARGIN:
        raise ValueError(f"margin is {margin}: it must be from 0 to {MAX_MARGIN:g} seconds.")
    # By the calendar: other machines read it, and their steady clocks began at another time.
    return clock.calendar() + margin
