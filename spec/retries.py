"""When the client in Python tries again: PROTOCOL.md, "After a failure" and what follows."""

from collections.abc import Callable

from spec.messages import does

__all__ = ["Retries"]


class Retries:
    """Waits in a row, and the tokens that the server did not accept."""

    def __init__(self, backoff: Callable[[int], float]) -> None:
        self._backoff = backoff
        self._waits = 0
        self.not_before = 0.0  # what retry_after allows
        self._is_hurried = False  # an attempt was made at once, and no socket has settled since
        self._expired: str | None = None  # the token that met 4419 since the last auth.ok
        self.rejected: tuple[str, int, str] | None = None  # the same for 4401 and 4410, and why

    def admitted(self) -> None:
        """Take note of `auth.ok`."""
        self._expired = self.rejected = None
        self.not_before = 0

    def settled(self) -> None:
        self._waits, self._is_hurried = 0, False

    def defer(self, until: float, *, replaces: bool = False) -> None:
        """Obey a retry_after. The last `auth.error` replaces earlier ones."""
        self.not_before = until if replaces else max(self.not_before, until)

    def delay(self, now: float) -> float:
        """Return the seconds that the server asked for, and then a random time."""
        self._waits += 1
        return max(0, self.not_before - now) + self._backoff(self._waits)

    def may_be_at_once(self, now: float) -> bool:
        """Return True once until a socket has settled, and not before the server allows it."""
        if self._is_hurried or self.not_before > now:
            return False
        self._is_hurried = True
        return True

    def is_old(self, token: str | None) -> bool:
        """Return True for a token that has expired or was rejected."""
        rejected = self.rejected[0] if self.rejected else None
        return token is not None and token in {self._expired, rejected}

    def next(self, token: str, code: int, why: str, *, was_in: bool) -> str:
        """Return what follows a failure: "back_off", "end", or why to ask for another token."""
        match does(code):
            case "back_off":
                return "back_off"
            case "login" if was_in or self.rejected is None:
                self.rejected = (token, code, why)
                return "rejected"
            case "refresh" if was_in or token != self._expired:
                self._expired = token
                return "expired"
        return "end"
