"""The times that matter on one open socket of the client in Python."""

__all__ = ["NEVER", "OpenSocket"]

PATIENCE = 15  # seconds for the answer to an auth, and for a fresh token
MARGIN = 5  # seconds by which expires_in may differ from what auth.ok announced
NEVER = float("inf")


class OpenSocket:
    """One socket, from its opening on. All times are of the client's clock."""

    def __init__(self, *, has_messages: bool, now: float) -> None:
        self.has_messages = has_messages
        self.since = now  # the opening, and then auth.ok
        self.presented: str | None = None  # the token of an auth without an answer
        self.answer_by = self.renew_at = NEVER
        self._ends_at = self._half_at = self._give_up_at = NEVER

    def present(self, token: str, now: float) -> None:
        self.presented, self.answer_by = token, now + PATIENCE

    def received(self) -> None:
        """Take note of a frame. An `auth` has another answer: `auth.ok` or `auth.error`."""
        if self.presented is None:
            self.answer_by = NEVER

    def auth_answered(self) -> None:
        """Take note of the answer to an `auth`."""
        self.presented, self.answer_by = None, NEVER

    def admitted(self, expires_in: int | None, now: float) -> None:
        """Take note of `auth.ok`."""
        self.auth_answered()
        self.renew_at = NEVER
        self._ends_at = NEVER if expires_in is None else now + expires_in
        self._half_at = now + max(1, (expires_in or 0) / 2)

    def expiring(self, expires_in: int, now: float, at: float) -> None:
        """Take note of `auth.expiring`: renew if the deadline was brought forward, `at` first."""
        is_earlier = now + expires_in < self._ends_at - MARGIN
        if is_earlier:
            self._ends_at = now + expires_in
        self.renew_at = at if is_earlier else max(at, self._half_at)

    def starts_to_renew(self, now: float) -> bool:
        """Return True if it is time to ask for a fresh token; one question at a time."""
        if now < self.renew_at:
            return False
        self.renew_at = NEVER
        if self.presented is not None or self._give_up_at != NEVER:
            return False
        self._give_up_at = now + PATIENCE
        return True

    def has_asked_for_too_long(self, now: float) -> bool:
        return now >= self._give_up_at

    def answered(self) -> None:
        """The question for a fresh token has its answer."""
        self._give_up_at = NEVER

    def renew_later(self, at: float) -> None:
        """Renew at that time, if the socket is open for so long."""
        self._give_up_at = NEVER
        self.renew_at = at if at < self._ends_at else NEVER
