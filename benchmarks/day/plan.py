"""The timetable of a day: what happens when, and the times that follow from its length."""

from dataclasses import dataclass

__all__ = ["Plan"]

IN_TURN = ("drain", "redis", "postgresql")
VERIFY_TIMEOUT = 5.0
SLACK = 5.0
"""Seconds by which a busy machine may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`seconds`: the length of the day; `sockets`: how many clients are there all day."""

    seconds: float
    sockets: int

    @property
    def minute(self) -> float:
        """Seconds between two kills: 60, or fewer in a short day, which has three kills."""
        return min(60.0, self.seconds / 3)

    @property
    def sweep_interval(self) -> float:
        return max(1.0, self.minute / 6)

    @property
    def lifetime(self) -> float:
        """Seconds until a JWT expires."""
        return max(6.0, 1.5 * self.minute)

    @property
    def outage(self) -> float:
        """Seconds for which Redis or PostgreSQL is stopped."""
        return self.minute / 20

    @property
    def window(self) -> float:
        """Seconds over which a drain is spread."""
        return self.minute / 8

    @property
    def bound(self) -> float:
        """Seconds after which the socket of a revoked token must be closed, if messages are lost.

        The sweep before may have begun just before the revocation, and each of the two may wait
        for a store.
        """
        return 1.1 * self.sweep_interval + 2 * VERIFY_TIMEOUT + SLACK

    @property
    def expiry_bound(self) -> float:
        """Seconds from the expiry of a token until its socket must be closed.

        If a client sends a fresh token just before, the server waits for its verdict.
        """
        return VERIFY_TIMEOUT + SLACK

    @property
    def pause_between_revocations(self) -> float:
        """Seconds between revocations: in each minute, one of twenty clients loses its token."""
        return 20 * self.minute / self.sockets

    def mishaps(self) -> list[tuple[float, str]]:
        """Return the seconds since the beginning, and what happens then."""
        found = []
        for number in range(int(self.seconds / self.minute + 0.01)):
            begin = number * self.minute
            found.append((begin + 0.2 * self.minute, IN_TURN[number % len(IN_TURN)]))
            found.append((begin + 0.6 * self.minute, "kill"))
        return found
