"""The deadlines of one socket: its token's expiry, its maximum age, and its timeouts.

A socket may have several at once, and the earliest one counts. Times are seconds of a clock that
never goes back.
"""

from .rules import Rules
from .states import State

__all__ = ["Timetable"]

# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_CONNECTING, _CLOSED = State.CONNECTING, State.CLOSED


class Timetable:
    """The deadlines of a `Lifecycle`. A base class: another object per socket would cost memory."""

    __slots__ = (
        "_ages_at", "_expires_at", "_renews_by", "_rules", "_waits_until", "_warns", "state",
    )  # fmt: skip

    def __init__(self, rules: Rules) -> None:
        self.state = _CONNECTING
        self._rules = rules
        self._expires_at: float | None = None
        self._ages_at: float | None = None
        self._renews_by: float | None = None  # the token was revoked: a new one must come by then
        self._waits_until: float | None = None  # for the first message, or for a verdict
        self._warns = False  # `auth.expiring` is still to be sent

    @property
    def next_tick(self) -> float | None:
        """The time when `tick` has something to do; None: never."""
        if self._waits_until is not None:
            return self._waits_until
        # Most sockets have no deadline, and each opening and each end asks for it.
        if self._expires_at is None and self._ages_at is None and self._renews_by is None:
            return None
        deadline = self._deadline
        if deadline is None or self.state is _CLOSED:
            return None
        return deadline - self._rules.expiry_warning if self._warns else deadline

    @property
    def _deadline(self) -> float | None:
        """The earliest time at which the socket closes if no input comes."""
        expires_at, ages_at, renews_by = self._expires_at, self._ages_at, self._renews_by
        if ages_at is not None and (expires_at is None or ages_at < expires_at):
            expires_at = ages_at
        if renews_by is not None and (expires_at is None or renews_by < expires_at):
            return renews_by
        return expires_at

    @property
    def must_renew(self) -> bool:
        """True from `shorten` on, until a fresh token is admitted."""
        return self._renews_by is not None

    def expires_in(self, now: float) -> int | None:
        """Return the whole seconds until the socket closes if no input comes; None: never."""
        return None if self._deadline is None else max(0, int(self._deadline - now))

    def jump(self, seconds: float) -> None:
        """Expire the token so much sooner, because the calendar went ahead of the steady clock."""
        if self._expires_at is not None:
            self._expires_at -= seconds
