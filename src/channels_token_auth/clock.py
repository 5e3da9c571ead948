"""The two clocks of the library, which tests can replace: steady time, and the calendar."""

import time

from .core.identity import Identity

__all__ = ["Clock", "clock", "lifetime"]


class Clock:
    """The steady time and the calendar, in seconds."""

    def steady(self) -> float:
        """Return a time that never goes back."""
        return time.monotonic()

    def calendar(self) -> float:
        """Return the seconds since the epoch, as in tokens."""
        return time.time()

    def offset(self) -> float:
        """Return the seconds by which the calendar is ahead of the clock."""
        return self.calendar() - self.steady()


clock = Clock()


def lifetime(identity: Identity) -> float | None:
    """Return the seconds until its token expires; None: never."""
    return identity.authentication.expires_in(clock.calendar())
