"""What has ended lately: so that a verification under way meanwhile does not miss it.

A token may be read as good, end, and be admitted after its sockets were closed. So who verifies
takes a mark before, and asks after.
"""

from collections import deque
from itertools import islice

from ..core.close_codes import CloseReason
from ..core.revocation import Described, Revocation

__all__ = ["MAX_REVOCATIONS", "RevocationLog"]

MAX_REVOCATIONS = 4096
"""How many are kept: a verification lasts seconds at most."""


class RevocationLog:
    """The last ones, newest last."""

    def __init__(self) -> None:
        self._last: deque[Revocation] = deque(maxlen=MAX_REVOCATIONS)
        self.mark = 0
        """How many there have been so far."""

    def add(self, ending: Revocation) -> None:
        """Note one more."""
        self._last.append(ending)
        self.mark += 1

    def since(self, mark: int, socket: Described) -> CloseReason | None:
        """Why the socket has ended since that mark. Where too many have to know: "unavailable"."""
        missed = self.mark - mark
        if missed > MAX_REVOCATIONS:
            return CloseReason.UNAVAILABLE
        newest = islice(reversed(self._last), missed)
        return next((each.code for each in newest if each.target.matches(socket)), None)
