"""The two clocks of the library, which tests can replace: steady time, and the calendar."""

import time

from .core.identity import Identity

__all__ = ["Clock", "clock", "lifetime"]


class Clock:
    """The steady time and the calendar, in seconds."""

    def steady(self) -> float:
        """Return a time that never goes back."""
        # A deadline must not move when NTP or an administrator sets the time of the machine.
        return time.monotonic()

    def calendar(self) -> float:
        """Return the seconds since the epoch, as in tokens."""
        return time.time()

    def offset(self) -> float:
        """Return the seconds by which the calendar is ahead of the clock."""
        return self.calendar() - self.steady()


# One object, whose methods tests replace: modules that have imported it by name use the
# replacement, too.
clock = Clock()


def lifetime(identity: Identity) -> float | None:
    """Return the seconds until its token expires; None: never."""
    token = identity.authentication
    if token.expires_at is None:
        return None
    # By the calendar, since `exp` is seconds since 1970 (RFC 7519 §4.1.4).
    return token.expires_in(clock.calendar())
